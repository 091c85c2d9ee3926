/* SPDX-License-Identifier: MIT */
#ifndef LIFETIME_PLACES_H
#define LIFETIME_PLACES_H
/*
 * The places where matrix.c duplicates and closes: another process, a child
 * that shares our memory, a new image.
 */
#include "ways.h"

void gate_wait(int fd);
void become(const char *what, struct copy copy);
void by_fork(int fd);
void by_fork_child_first(int fd);
void by_vfork(int fd);
void by_vfork_exec(int fd);
void by_spawn(int fd);

#endif
