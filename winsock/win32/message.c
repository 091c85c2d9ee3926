/* SPDX-License-Identifier: MIT */
/*
 * The error numbers of our headers, in words; and texts of the program's own,
 * into which arguments are inserted.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "portres_crt.h"
#include "windows.h"

static const struct {
	DWORD code;
	const char *text;
} messages[] = {
	{ERROR_SUCCESS, "The operation succeeded"},
	{ERROR_FILE_NOT_FOUND, "There is no such file"},
	{ERROR_PATH_NOT_FOUND, "There is no such path"},
	{ERROR_ACCESS_DENIED, "Access was denied"},
	{ERROR_INVALID_HANDLE, "This is no handle, or it was closed"},
	{ERROR_NOT_ENOUGH_MEMORY, "Not enough memory"},
	{ERROR_OUTOFMEMORY, "Not enough memory to finish"},
	{ERROR_WRITE_FAULT, "Writing failed"},
	{ERROR_GEN_FAILURE, "The device or thread does not work any more"},
	{ERROR_SHARING_VIOLATION, "Another program has it open"},
	{ERROR_NOT_SUPPORTED, "This is not supported"},
	{ERROR_NETNAME_DELETED, "The connection is gone"},
	{ERROR_INVALID_PARAMETER, "A parameter is wrong"},
	{ERROR_BROKEN_PIPE, "The other end of the pipe is closed"},
	{ERROR_BUFFER_OVERFLOW, "The name is longer than the buffer"},
	{ERROR_DISK_FULL, "The disk is full"},
	{ERROR_CALL_NOT_IMPLEMENTED, "This function does not exist here"},
	{ERROR_SEM_TIMEOUT, "The time limit has passed"},
	{ERROR_INSUFFICIENT_BUFFER, "The buffer is too small for this call"},
	{ERROR_INVALID_NAME, "The name is wrong"},
	{ERROR_ALREADY_EXISTS, "It exists already"},
	{ERROR_NO_DATA, "The pipe is being closed"},
	{ERROR_MORE_DATA, "There is more data"},
	{WAIT_TIMEOUT, "The wait has timed out"},
	{ERROR_NOT_OWNER, "The mutex is not the caller's"},
	{ERROR_TOO_MANY_POSTS, "The semaphore would count beyond its maximum"},
	{ERROR_MR_MID_NOT_FOUND, "There is no message of this number"},
	{ERROR_ABANDONED_WAIT_0, "What was waited for was closed"},
	{ERROR_OPERATION_ABORTED, "The operation was cancelled"},
	{ERROR_IO_INCOMPLETE, "The overlapped operation is not over yet"},
	{ERROR_IO_PENDING, "The overlapped operation goes on"},
	{ERROR_NOACCESS, "An address cannot be read or written"},
	{ERROR_INVALID_FLAGS, "The flags are wrong"},
	{ERROR_NO_UNICODE_TRANSLATION, "This is no character"},
	{ERROR_NOT_FOUND, "It was not found"},
	{ERROR_CONNECTION_REFUSED, "The other machine refused the connection"},
	{ERROR_NETWORK_UNREACHABLE, "There is no way to that network"},
	{ERROR_HOST_UNREACHABLE, "There is no way to that machine"},
	{ERROR_PORT_UNREACHABLE, "Nobody has that port of the other machine"},
	{ERROR_CONNECTION_ABORTED, "This machine gave the connection up"},
	{ERROR_TIMEOUT, "The time limit has passed"},
	{WSAEINTR, "A blocking call was interrupted"},
	{WSAEBADF, "This is no descriptor"},
	{WSAEACCES, "The socket may not do this"},
	{WSAEFAULT, "A pointer or a length is wrong"},
	{WSAEINVAL,
	 "An argument is wrong, or the socket is not in the right state"},
	{WSAEMFILE, "Too many sockets are open"},
	{WSAEWOULDBLOCK,
	 "The call would have to wait, and the socket does not block"},
	{WSAEINPROGRESS, "Another call is in progress"},
	{WSAEALREADY, "The socket is at it already"},
	{WSAENOTSOCK, "This is not a socket"},
	{WSAEDESTADDRREQ, "A destination address is missing"},
	{WSAEMSGSIZE,
	 "The message is longer than the buffer or the network allows"},
	{WSAEPROTOTYPE, "The protocol does not fit the type of the socket"},
	{WSAENOPROTOOPT, "There is no such option"},
	{WSAEPROTONOSUPPORT, "The protocol is not supported"},
	{WSAESOCKTNOSUPPORT,
	 "The type of socket is not supported in this family"},
	{WSAEOPNOTSUPP, "This kind of socket cannot do that"},
	{WSAEPFNOSUPPORT, "The protocol family is not supported"},
	{WSAEAFNOSUPPORT, "The address family is not supported"},
	{WSAEADDRINUSE, "The address is in use"},
	{WSAEADDRNOTAVAIL, "The address is none of this machine"},
	{WSAENETDOWN, "The network is down"},
	{WSAENETUNREACH, "The network cannot be reached"},
	{WSAENETRESET, "The network dropped the connection"},
	{WSAECONNABORTED, "This machine broke the connection off"},
	{WSAECONNRESET, "The peer broke the connection off"},
	{WSAENOBUFS, "There is no buffer space left"},
	{WSAEISCONN, "The socket is connected already"},
	{WSAENOTCONN, "The socket is not connected"},
	{WSAESHUTDOWN, "The socket was shut down for this"},
	{WSAETOOMANYREFS, "Too many references"},
	{WSAETIMEDOUT, "The peer did not answer in time"},
	{WSAECONNREFUSED, "The peer refused the connection"},
	{WSAELOOP, "The name leads in a circle"},
	{WSAENAMETOOLONG, "The name is too long"},
	{WSAEHOSTDOWN, "The host is down"},
	{WSAEHOSTUNREACH, "The host cannot be reached"},
	{WSAENOTEMPTY, "The directory is not empty"},
	{WSAEPROCLIM, "Too many processes use Winsock"},
	{WSAEUSERS, "There are too many users"},
	{WSAEDQUOT, "The quota is used up"},
	{WSAESTALE, "The file is not there any more"},
	{WSAEREMOTE, "The item is on another machine"},
	{WSASYSNOTREADY, "The network is not ready"},
	{WSAVERNOTSUPPORTED, "This version of Winsock is not supported"},
	{WSANOTINITIALISED, "WSAStartup was not called, or failed"},
	{WSAEDISCON, "The peer is shutting down"},
	{WSAENOMORE, "There are no more results"},
	{WSAECANCELLED, "The call was cancelled"},
	{WSAEINVALIDPROCTABLE, "The procedure table is wrong"},
	{WSAEINVALIDPROVIDER, "The service provider is wrong"},
	{WSAEPROVIDERFAILEDINIT, "The service provider did not start"},
	{WSASYSCALLFAILURE, "A system call failed that never should"},
	{WSASERVICE_NOT_FOUND, "There is no such service"},
	{WSATYPE_NOT_FOUND, "There is no such class"},
	{WSA_E_NO_MORE, "There are no results left"},
	{WSA_E_CANCELLED, "The call was cancelled by another"},
	{WSAEREFUSED, "The query was refused"},
	{WSAHOST_NOT_FOUND, "There is no such host"},
	{WSATRY_AGAIN, "The name server does not answer now"},
	{WSANO_RECOVERY, "The name server failed for good"},
	{WSANO_DATA, "The name has no address of this kind"},
};

static const char *
find(DWORD code)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (messages[i].code == code)
			return messages[i].text;
	return NULL;
}

/* A program that wants no line breaks gets a blank. */
static const char *
line_end(DWORD flags)
{
	return (flags & FORMAT_MESSAGE_MAX_WIDTH_MASK) ==
			       FORMAT_MESSAGE_MAX_WIDTH_MASK
		       ? " "
		       : "\r\n";
}

/* All arguments have the size of a pointer: there are no floating-point ones.
 */
struct arguments {
	const DWORD_PTR *array;
	va_list *list;
};

/* Those from the n-th on, the first being 1. */
static bool
read_arguments(const struct arguments *from, unsigned int n, unsigned int count,
	       DWORD_PTR *ret)
{
	va_list args;

	if (!from->array && !from->list)
		return false;
	if (from->array) {
		memcpy(ret, from->array + n - 1, count * sizeof(*ret));
		return true;
	}
	va_copy(args, *from->list);
	for (unsigned int i = 1; i < n + count; i++) {
		DWORD_PTR one = va_arg(args, DWORD_PTR);

		if (i >= n)
			ret[i - n] = one;
	}
	va_end(args);
	return true;
}

#define SPEC_MAX 32u

/*
 * The format of an insert, %n!format! or %n, which is %n!s!. A text is of the
 * caller's kind of characters, as `wide` says, unless the format says another.
 * Returns what comes behind it; NULL where it does not end.
 */
static const char *
read_spec(const char *at, bool wide, char ret[SPEC_MAX + 3])
{
	const char *end = *at == '!' ? strchr(at + 1, '!') : NULL;
	size_t n = 1;
	char type;

	if (*at == '!' && (!end || end == at + 1 || end - at > (int)SPEC_MAX))
		return NULL;
	strcpy(ret, "%s");
	if (end) {
		n = (size_t)(end - at - 1);
		memcpy(ret + 1, at + 1, n);
		ret[n + 1] = 0;
	}
	type = ret[n];
	if (strchr("sScC", type) && !strchr("hlw", ret[n - 1])) {
		bool other = type == 'S' || type == 'C';

		ret[n] = wide != other ? 'l' : 'h';
		ret[n + 1] = other ? (char)(type - 'A' + 'a') : type;
		ret[n + 2] = 0;
	}
	return end ? end + 1 : at;
}

/* At the digit behind the '%'. Returns what comes behind the insert, or NULL.
 */
static const char *
insert(FILE *to, const char *at, const struct arguments *from, bool wide)
{
	unsigned int n = (unsigned int)(*at++ - '0');
	DWORD_PTR value[3] = {0};
	char spec[SPEC_MAX + 3];
	unsigned int count = 1;

	if (*at >= '0' && *at <= '9')
		n = n * 10 + (unsigned int)(*at++ - '0');
	at = read_spec(at, wide, spec);
	if (!at)
		return NULL;
	/* A width and a precision are the arguments before. */
	for (const char *star = spec; (star = strchr(star, '*')); star++)
		count++;
	if (count > 3 || !read_arguments(from, n, count, value))
		return NULL;
	portres_fprintf(to, spec, value[0], value[1], value[2]);
	return at;
}

/* At what stands behind a '%' that begins no insert. */
static const char *
escape(FILE *to, const char *at, bool ignore)
{
	switch (*at) {
	case 'n':
		fputs("\r\n", to);
		break;
	case 'r':
		fputc('\r', to);
		break;
	case 't':
		fputc('\t', to);
		break;
	default:
		if (ignore || !*at)
			fputc('%', to);
		if (*at)
			fputc(*at, to);
	}
	return *at ? at + 1 : at;
}

/* False: an insert lacks its argument, or is none. */
static bool
fill(FILE *to, DWORD flags, const char *at, const struct arguments *from,
     bool wide)
{
	bool ignore = flags & FORMAT_MESSAGE_IGNORE_INSERTS;

	while (at && *at) {
		if (*at == '\r' || *at == '\n') {
			fputs(line_end(flags), to);
			at += at[0] == '\r' && at[1] == '\n' ? 2 : 1;
		} else if (*at != '%') {
			fputc(*at++, to);
		} else if (at[1] == '0') {
			break;
		} else if (at[1] >= '1' && at[1] <= '9' && !ignore) {
			at = insert(to, at + 1, from, wide);
		} else {
			at = escape(to, at + 1, ignore);
		}
	}
	return at != NULL;
}

/* For free(); NULL with the last error. */
static char *
from_string(DWORD flags, const char *text, const struct arguments *from,
	    bool wide)
{
	char *made = NULL;
	size_t size;
	FILE *to = open_memstream(&made, &size);
	bool filled;

	if (!to) {
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	filled = fill(to, flags, text, from, wide);
	if (fclose(to) == 0 && filled)
		return made;
	SetLastError(filled ? ERROR_NOT_ENOUGH_MEMORY
			    : ERROR_INVALID_PARAMETER);
	free(made);
	return NULL;
}

static char *
from_system(DWORD flags, DWORD code)
{
	const char *text = find(code);
	char *made;

	if (!text) {
		SetLastError(ERROR_MR_MID_NOT_FOUND);
		return NULL;
	}
	made = malloc(strlen(text) + sizeof(".\r\n"));
	if (!made) {
		SetLastError(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	strcpy(made, text);
	strcat(made, ".");
	return strcat(made, line_end(flags));
}

/* The message, for free(); NULL with the last error. */
static char *
message(DWORD flags, const char *source, DWORD code, const void *buffer,
	va_list *arguments, bool wide)
{
	bool array = flags & FORMAT_MESSAGE_ARGUMENT_ARRAY;
	const struct arguments from = {
		.array = array ? (const DWORD_PTR *)(void *)arguments : NULL,
		.list = array ? NULL : arguments,
	};

	if (buffer && source && flags & FORMAT_MESSAGE_FROM_STRING)
		return from_string(flags, source, &from, wide);
	if (buffer && flags & FORMAT_MESSAGE_FROM_SYSTEM &&
	    !(flags & FORMAT_MESSAGE_FROM_STRING))
		return from_system(flags, code);
	SetLastError(ERROR_INVALID_PARAMETER);
	return NULL;
}

/* The buffer, with room for n characters of that width; NULL, and the last
 * error why not. */
static void *
room_for(DWORD flags, void *buffer, DWORD size, size_t n, size_t width)
{
	void *made;

	if (!(flags & FORMAT_MESSAGE_ALLOCATE_BUFFER)) {
		if (n <= size)
			return buffer;
		SetLastError(ERROR_INSUFFICIENT_BUFFER);
		return NULL;
	}
	made = LocalAlloc(LMEM_FIXED, (n > size ? n : size) * width);
	memcpy(buffer, &made, sizeof(made));
	return made;
}

DWORD WINAPI
FormatMessageA(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId,
	       DWORD dwLanguageId, LPSTR lpBuffer, DWORD nSize,
	       va_list *Arguments)
{
	char *text = message(dwFlags, lpSource, dwMessageId, lpBuffer,
			     Arguments, false);
	size_t length;
	char *to;

	(void)dwLanguageId;
	if (!text)
		return 0;
	length = strlen(text);
	to = room_for(dwFlags, lpBuffer, nSize, length + 1, sizeof(*to));
	if (to)
		strcpy(to, text);
	free(text);
	return to ? (DWORD)length : 0;
}

/* UTF-8, for free(). */
static char *
narrow_copy(LPCWSTR text)
{
	int n = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
	char *made = n > 0 ? malloc((size_t)n) : NULL;

	if (made)
		WideCharToMultiByte(CP_UTF8, 0, text, -1, made, n, NULL, NULL);
	return made;
}

DWORD WINAPI
FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId,
	       DWORD dwLanguageId, LPWSTR lpBuffer, DWORD nSize,
	       va_list *Arguments)
{
	bool own = lpSource && dwFlags & FORMAT_MESSAGE_FROM_STRING;
	char *source = own ? narrow_copy(lpSource) : NULL;
	char *text = message(dwFlags, source, dwMessageId, lpBuffer, Arguments,
			     true);
	wchar_t *to = NULL;
	int n;

	(void)dwLanguageId;
	free(source);
	if (!text)
		return 0;
	n = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
	to = room_for(dwFlags, lpBuffer, nSize, (size_t)n, sizeof(*to));
	if (to)
		MultiByteToWideChar(CP_UTF8, 0, text, -1, to, n);
	free(text);
	return to ? (DWORD)n - 1 : 0;
}
