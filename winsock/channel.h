/* SPDX-License-Identifier: MIT */
/*
 * A socket's requests that wait: a queue for each direction. A request is tried
 * at once when none waits before it; else it waits for the kernel's word, and
 * the thread that hears that tries again.
 *
 * The kernel says each change once (EPOLLET). So what it has said and nobody
 * has used is kept here: a direction is ready until an attempt finds that it is
 * not.
 */
#ifndef PORTRES_WINSOCK_CHANNEL_H
#define PORTRES_WINSOCK_CHANNEL_H

#include <stdint.h>

#include "winsock/completion.h"

enum direction { READING, WRITING, DIRECTIONS };

/* Answers of an attempt, instead of a code. */
#define IO_AGAIN (-1)
#define IO_MOVED (-2) /* it goes on as a request on another socket */

struct io {
	struct completion completion; /* first: it ends the whole */
	struct io *next;
	int fd;
	enum direction direction;
	bool in_line;	 /* the program's calls wait until it has ended */
	uint32_t origin; /* the channel that it was asked of */
	bool pends;	 /* its reactor counts it */
	bool stream;	 /* set by channel_request() */
	bool aborted;	 /* while an attempt is being made */

	/* Makes the attempt, outside of the monitor: 0 and the bytes, a code,
	 * or one of the above. ret_more: the direction may still be ready. */
	int (*attempt)(struct io *io, DWORD *ret_bytes, bool *ret_more);
	/* Inside, after IO_MOVED. */
	void (*move)(struct io *io);
};

/*
 * Makes the request, which its completion's `destroy` frees, or else free(): 0,
 * WSA_IO_PENDING, or the code of what is wrong, and then nobody else is told.
 * ret_bytes is set with 0.
 */
int channel_request(struct io *io, const struct overlapped_party *party,
		    DWORD *ret_bytes);

/* The part of channel_request() that is done inside the monitor, for a request
 * that has begun before, on another socket: it ends as one that was pending,
 * and is that socket's as well, if it has its origin. */
void channel_go_on(struct io *io);

/* Ends one that has moved. */
void channel_end(struct io *io, int code, DWORD bytes);

/*
 * Ends those requests on the socket with WSA_OPERATION_ABORTED that have this
 * structure (NULL: any), and are the calling thread's if `own`. Returns how
 * many there were.
 */
unsigned int channel_cancel(int fd, LPOVERLAPPED overlapped, bool own);

/* Do the program's calls in this direction have to stand in line behind
 * requests? A load. */
bool channel_has_line(int fd, enum direction direction);

/* May a call that does not wait be made? Waits for an attempt that is being
 * made. */
bool channel_lets_pass(int fd, enum direction direction);

/* Shuts the sending direction down when what is pending there was sent. False
 * when nothing is. */
bool channel_shut(int fd);

/* Is it still to be shut down? The other waits until it is: 0 or WSAEINTR. */
bool channel_is_to_be_shut(int fd);
int channel_wait_shut(int fd);

/* Ends all requests of all sockets. */
void channel_cancel_all(void);

/* The socket is about to be closed: ends its requests, and waits for an attempt
 * that is being made, because its number may be another's soon. */
void channel_close(int fd);

/* The socket is connected, or will be: that it was not says nothing now. */
void channel_connecting(int fd);

/* The socket with this number was replaced by another, which takes its place at
 * the port. Inside the monitor. */
void channel_replaced(int fd);

/*
 * The port that the socket is associated with, with a reference, or NULL.
 * Inside the monitor.
 */
struct port *channel_port(int fd, ULONG_PTR *ret_key);

/* Associates it: 0, or a code. Inside the monitor. */
int channel_associate(int fd, struct port *port, ULONG_PTR key);

/* For the port's reactor. */
void channel_ready(uint64_t tag, uint32_t events);

/*
 * The part that event_select.c keeps of the socket, with a change of the
 * pointer's owner: it is freed with the channel. Inside the monitor; `make`
 * where there is no channel yet. NULL: no memory, or no such part.
 */
struct selection;
struct selection **channel_selection(int fd, bool make);

#endif
