/* SPDX-License-Identifier: MIT */
/*
 * IP Helper. Nothing of it is carried yet; programs include it next to the
 * headers for port reservations, whose types it brings along.
 */
#ifndef PORTRES_IPHLPAPI_H
#define PORTRES_IPHLPAPI_H

#include "mstcpip.h"
#include "winsock2.h"
#include "ws2ipdef.h"

#endif
