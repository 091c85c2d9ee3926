/* SPDX-License-Identifier: MIT */
#ifndef PORTRES_WINSOCK_EXTENSION_H
#define PORTRES_WINSOCK_EXTENSION_H

#include "winsock2.h"

/* The function of that number, or NULL. */
typedef void extension_function(void);
extension_function *extension_find(const GUID *which);

#endif
