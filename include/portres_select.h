/* SPDX-License-Identifier: MIT */
/*
 * The program's own number of places in an fd_set, kept from <sys/select.h>
 * until winsock2.h makes one of that size.
 */
#ifndef PORTRES_SELECT_H
#define PORTRES_SELECT_H

#if defined FD_SETSIZE && !defined _SYS_SELECT_H
#pragma push_macro("FD_SETSIZE")
#undef FD_SETSIZE
#define PORTRES_FD_SETSIZE_KEPT
#elif defined FD_SETSIZE
#define PORTRES_FD_SETSIZE_SEEN
#endif

#endif
