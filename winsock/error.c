/* SPDX-License-Identifier: MIT */
#include "winsock/error.h"

#include <errno.h>
#include <stddef.h>

#include "portres.h"
#include "winsock2.h"

/* The errno under which a code is kept that has none of its own: one that the
 * calls of a socket program hardly ever fail with. */
#define NO_ERRNO EPROTO

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Codes that several errnos share are set as the first of them. */
static const struct {
	int err;
	int code;
} table[] = {
	{0, 0},
	{EINTR, WSAEINTR},
	{EACCES, WSAEACCES},
	{EPERM, WSAEACCES},
	{EFAULT, WSAEFAULT},
	{EINVAL, WSAEINVAL},
	{EMFILE, WSAEMFILE},
	{ENFILE, WSAEMFILE},
	{EWOULDBLOCK, WSAEWOULDBLOCK},
	{EINPROGRESS, WSAEINPROGRESS},
	{EALREADY, WSAEALREADY},
	{ENOTSOCK, WSAENOTSOCK},
	{EBADF, WSAENOTSOCK},
	{EBADF, WSAEBADF},
	{EDESTADDRREQ, WSAEDESTADDRREQ},
	{EMSGSIZE, WSAEMSGSIZE},
	{EPROTOTYPE, WSAEPROTOTYPE},
	{ENOPROTOOPT, WSAENOPROTOOPT},
	{EPROTONOSUPPORT, WSAEPROTONOSUPPORT},
	{ESOCKTNOSUPPORT, WSAESOCKTNOSUPPORT},
	{EOPNOTSUPP, WSAEOPNOTSUPP},
	{ENOSYS, WSAEOPNOTSUPP},
	{EPFNOSUPPORT, WSAEPFNOSUPPORT},
	{EAFNOSUPPORT, WSAEAFNOSUPPORT},
	{EADDRINUSE, WSAEADDRINUSE},
	{EADDRNOTAVAIL, WSAEADDRNOTAVAIL},
	{ENETDOWN, WSAENETDOWN},
	{ENONET, WSAENETDOWN},
	{ENETUNREACH, WSAENETUNREACH},
	{ENETRESET, WSAENETRESET},
	{ECONNABORTED, WSAECONNABORTED},
	{ECONNRESET, WSAECONNRESET},
	{ENOBUFS, WSAENOBUFS},
	{ENOMEM, WSAENOBUFS},
	{ENOMEM, WSA_NOT_ENOUGH_MEMORY},
	{ENOSPC, WSAENOBUFS},
	{EISCONN, WSAEISCONN},
	{ENOTCONN, WSAENOTCONN},
	{ESHUTDOWN, WSAESHUTDOWN},
	{EPIPE, WSAESHUTDOWN},
	{ETOOMANYREFS, WSAETOOMANYREFS},
	{ETIMEDOUT, WSAETIMEDOUT},
	{ECONNREFUSED, WSAECONNREFUSED},
	{ELOOP, WSAELOOP},
	{ENAMETOOLONG, WSAENAMETOOLONG},
	{EHOSTDOWN, WSAEHOSTDOWN},
	{EHOSTUNREACH, WSAEHOSTUNREACH},
	{ENOTEMPTY, WSAENOTEMPTY},
	{EUSERS, WSAEUSERS},
	{EDQUOT, WSAEDQUOT},
	{ESTALE, WSAESTALE},
	{EREMOTE, WSAEREMOTE},
	{ECANCELED, WSA_OPERATION_ABORTED},
	{ECANCELED, WSAECANCELLED},
	{ECANCELED, WSA_E_CANCELLED},
	{EINVAL, WSA_INVALID_PARAMETER},
	{EBADF, WSA_INVALID_HANDLE},
};

/* Initial-exec, because the first use of other kinds may allocate. */
static __thread struct {
	int code; /* 0: none */
	int err;
} beside;

int
wsa_code(int err)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].err == err)
			return table[i].code;
	return WSAEINVAL;
}

static int
err_of(int code)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].code == code)
			return table[i].err;
	return NO_ERRNO;
}

void
wsa_beside(int code, int err)
{
	beside.code = code;
	beside.err = err;
}

void
wsa_no_beside(void)
{
	beside.code = 0;
}

struct wsa_last
wsa_keep(void)
{
	return (struct wsa_last){errno, beside.code, beside.err};
}

void
wsa_put_back(const struct wsa_last *last)
{
	beside.code = last->code;
	beside.err = last->code_err;
	errno = last->err;
}

int
wsa_fail(int err)
{
	wsa_no_beside();
	errno = err;
	return SOCKET_ERROR;
}

int
wsa_refuse(int code)
{
	WSASetLastError(code);
	return SOCKET_ERROR;
}

int
wsa_end(int code, int before)
{
	errno = before;
	if (code == 0)
		return 0;
	WSASetLastError(code);
	return SOCKET_ERROR;
}

long
wsa_answer(long r)
{
	struct portres_refusal why;

	if (r >= 0)
		return r;
	wsa_no_beside();
	if (errno != EADDRINUSE || portres_refusal(&why) < 0)
		return r;
	/* Windows calls this one forbidden, not in use. */
	if (why.reason == PORTRES_RESERVED)
		wsa_beside(WSAEACCES, EADDRINUSE);
	if (why.reason == PORTRES_EXHAUSTED)
		wsa_beside(WSAENOBUFS, EADDRINUSE);
	return r;
}

int WSAAPI
WSAGetLastError(void)
{
	int err = errno;

	return beside.code && beside.err == err ? beside.code : wsa_code(err);
}

void WSAAPI
WSASetLastError(int iError)
{
	int err = err_of(iError);

	if (wsa_code(err) == iError)
		wsa_no_beside();
	else
		wsa_beside(iError, err);
	errno = err;
}

DWORD WINAPI
GetLastError(void)
{
	return (DWORD)WSAGetLastError();
}

void WINAPI
SetLastError(DWORD dwErrCode)
{
	WSASetLastError((int)dwErrCode);
}
