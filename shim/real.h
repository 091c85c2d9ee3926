/* SPDX-License-Identifier: MIT */
/*
 * Two names a call: real_close (libc's, or that of the preload behind us), and
 * close (exported, in hook_fd.c).
 *
 * A real_ pointer begins at a function that looks the name up and calls it, so
 * hooks work before any constructor has run and test nothing.
 */
#ifndef PORTRES_SHIM_REAL_H
#define PORTRES_SHIM_REAL_H

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
/* Names that musl lacks stay inside there. */
#ifdef __GLIBC__
#define EXPORTED_ALIAS EXPORTED
#else
#define EXPORTED_ALIAS
#endif
/* For data too, or each access would go by way of the GOT. */
#define HIDDEN __attribute__((visibility("hidden")))
/* Keeps a function out of a pass-through path, which then needs no stack
 * frame. */
#define SLOW_PATH __attribute__((noinline, cold))

#define HOOK(type, name, parameters, arguments)                                \
	extern HIDDEN type(*real_##name) parameters;
#define HOOK_ANY(type, name, parameters, last, arguments)                      \
	HOOK(type, name, parameters, arguments)
#define ALIAS(name, of)
#define EXPORT(name, node)
#include "shim/hooks.def"
#undef HOOK
#undef HOOK_ANY
#undef ALIAS
#undef EXPORT

/* Looks all of them up. Idempotent; called by the constructor. */
void real_resolve(void);

#endif
