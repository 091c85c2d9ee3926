/* SPDX-License-Identifier: MIT */
/*
 * Control codes that a program does not wait for.
 *
 * A request that finds the pool free is done at once, and its event or routine
 * is served at once. One that finds it busy goes to a list, which a thread of
 * ours tries again and again until the list is empty; then the thread ends.
 */
#ifndef PORTRES_WINSOCK_OVERLAPPED_H
#define PORTRES_WINSOCK_OVERLAPPED_H

#include "winsock/completion.h"
#include "winsock/ioctl.h"

/* 0 or the code of what is wrong with it, as completion_check(); a structure
 * that cannot be written is. */
int overlapped_check(struct overlapped_party *party);

/*
 * Performs the request for the party. Returns 0 and the result, which
 * `ret_bytes` in user memory has been told; WSA_IO_PENDING; or another code,
 * and then nobody else is told.
 */
int overlapped_perform(const struct request *request,
		       const struct overlapped_party *party, LPDWORD ret_bytes);

/*
 * Ends those pending requests on the socket with WSA_OPERATION_ABORTED that
 * have this structure (NULL: any), and are the calling thread's if `own`.
 * Returns how many there were. OVERLAPPED_ANY_SOCKET is all sockets.
 */
#define OVERLAPPED_ANY_SOCKET (-1)
unsigned int overlapped_cancel(int fd, LPOVERLAPPED overlapped, bool own);

/* A load: closesocket() asks it each time. */
bool overlapped_any(void);

#endif
