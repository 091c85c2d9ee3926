/* SPDX-License-Identifier: MIT */
/* On Windows 2000 this had getaddrinfo and its kin, which all have today. */
#ifndef PORTRES_WSPIAPI_H
#define PORTRES_WSPIAPI_H

#include "ws2tcpip.h"

#endif
