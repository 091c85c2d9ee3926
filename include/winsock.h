/* SPDX-License-Identifier: MIT */
/* Winsock 1, which is a part of Winsock 2; both may be included here. */
#ifndef PORTRES_WINSOCK_H
#define PORTRES_WINSOCK_H

#include "winsock2.h"

#endif
