/* SPDX-License-Identifier: MIT */
/*
 * The part of Windows that small socket programs use, and with it, as there,
 * Winsock (not with WIN32_LEAN_AND_MEAN) and the C library's everyday headers.
 */
#ifndef PORTRES_WINDOWS_H
#define PORTRES_WINDOWS_H

#include "portres_select.h"

#include "windef.h"

#include <stdlib.h>

#include "portres_crt.h"
#include "winbase.h"

#if !defined WIN32_LEAN_AND_MEAN && !defined _WINSOCKAPI_
#include "winsock2.h"
#endif

#endif
