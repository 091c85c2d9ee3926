/* SPDX-License-Identifier: MIT */
/*
 * One error, two alphabets: a Linux program reads errno, Winsock code reads
 * WSAGetLastError() with Windows' numbers.
 *
 * errno is the master. A Winsock code that errno cannot express is kept beside
 * it, together with the errno that it belongs to, and counts for as long as
 * errno still has that value. So a call that fails without knowing of Winsock,
 * the kernel's above all, needs to do nothing; a hook that fails with an errno
 * for which it set a code aside earlier calls wsa_no_beside() when it means the
 * plain errno this time.
 *
 * Everything here is per thread, async-signal-safe and does not allocate.
 */
#ifndef PORTRES_WINSOCK_ERROR_H
#define PORTRES_WINSOCK_ERROR_H

/* From now on, errno `err` of this thread means `code`. Leaves errno alone. */
void wsa_beside(int code, int err);
void wsa_no_beside(void);

/* The last error of the thread, to be put back by those who do other work in
 * between. */
struct wsa_last {
	int err;
	int code;
	int code_err;
};
struct wsa_last wsa_keep(void);
void wsa_put_back(const struct wsa_last *last);

/* The code of an errno that means itself. */
int wsa_code(int err);

/* Sets errno, which means itself again. Returns SOCKET_ERROR. */
int wsa_fail(int err);

/* Makes the code the last error. Returns SOCKET_ERROR. */
int wsa_refuse(int code);

/* The end of a call: errno is as `before`; the code of an error becomes the
 * last one. Returns 0 or SOCKET_ERROR. */
int wsa_end(int code, int before);

/*
 * For the answer of bind() and its kin: an EADDRINUSE that portres has said
 * means what Windows says then.
 */
long wsa_answer(long r);

/* For the answer of the kernel: where it failed, errno means itself again. */
static inline long
wsa_plain(long r)
{
	if (r < 0)
		wsa_no_beside();
	return r;
}

#endif
