/* SPDX-License-Identifier: MIT */
/* Winsock 2's types without its calls on Windows; here all are one. */
#ifndef PORTRES_WS2DEF_H
#define PORTRES_WS2DEF_H

#include "winsock2.h"

#endif
