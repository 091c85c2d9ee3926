/* SPDX-License-Identifier: MIT */
/* The error numbers of our headers, in words. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

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
	{ERROR_INVALID_PARAMETER, "A parameter is wrong"},
	{ERROR_BROKEN_PIPE, "The other end of the pipe is closed"},
	{ERROR_BUFFER_OVERFLOW, "The name is longer than the buffer"},
	{ERROR_DISK_FULL, "The disk is full"},
	{ERROR_CALL_NOT_IMPLEMENTED, "This function does not exist here"},
	{ERROR_SEM_TIMEOUT, "The time limit has passed"},
	{ERROR_INSUFFICIENT_BUFFER, "The buffer is too small for this call"},
	{ERROR_INVALID_NAME, "The name is wrong"},
	{ERROR_ALREADY_EXISTS, "It exists already"},
	{ERROR_MORE_DATA, "There is more data"},
	{WAIT_TIMEOUT, "The wait has timed out"},
	{ERROR_NOT_OWNER, "The mutex is not the caller's"},
	{ERROR_TOO_MANY_POSTS, "The semaphore would count beyond its maximum"},
	{ERROR_MR_MID_NOT_FOUND, "There is no message of this number"},
	{ERROR_OPERATION_ABORTED, "The operation was cancelled"},
	{ERROR_IO_INCOMPLETE, "The overlapped operation is not over yet"},
	{ERROR_IO_PENDING, "The overlapped operation goes on"},
	{ERROR_NOACCESS, "An address cannot be read or written"},
	{ERROR_INVALID_FLAGS, "The flags are wrong"},
	{ERROR_NO_UNICODE_TRANSLATION, "This is no character"},
	{ERROR_NOT_FOUND, "It was not found"},
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

/* NULL, and the last error why not. */
static const char *
wanted(DWORD flags, DWORD code, const void *buffer)
{
	const char *text = find(code);

	if (!(flags & FORMAT_MESSAGE_FROM_SYSTEM) ||
	    flags & FORMAT_MESSAGE_FROM_STRING)
		SetLastError(ERROR_NOT_SUPPORTED);
	else if (!buffer)
		SetLastError(ERROR_INVALID_PARAMETER);
	else if (!text)
		SetLastError(ERROR_MR_MID_NOT_FOUND);
	else
		return text;
	return NULL;
}

/* A program that wants no line breaks gets a blank. */
static const char *
end_of(DWORD flags)
{
	return (flags & FORMAT_MESSAGE_MAX_WIDTH_MASK) ==
			       FORMAT_MESSAGE_MAX_WIDTH_MASK
		       ? ". "
		       : ".\r\n";
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
	const char *text = wanted(dwFlags, dwMessageId, lpBuffer);
	size_t length;
	char *to;

	(void)lpSource;
	(void)dwLanguageId;
	(void)Arguments;
	if (!text)
		return 0;
	length = strlen(text) + strlen(end_of(dwFlags));
	to = room_for(dwFlags, lpBuffer, nSize, length + 1, sizeof(*to));
	if (!to)
		return 0;
	strcpy(to, text);
	strcat(to, end_of(dwFlags));
	return (DWORD)length;
}

DWORD WINAPI
FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId,
	       DWORD dwLanguageId, LPWSTR lpBuffer, DWORD nSize,
	       va_list *Arguments)
{
	char narrow[128];
	wchar_t *to;
	DWORD n;

	(void)lpSource;
	(void)dwLanguageId;
	(void)Arguments;
	if (!wanted(dwFlags, dwMessageId, lpBuffer))
		return 0;
	n = FormatMessageA(dwFlags & ~FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL,
			   dwMessageId, 0, narrow, sizeof(narrow), NULL);
	to = room_for(dwFlags, lpBuffer, nSize, n + 1, sizeof(*to));
	if (!to)
		return 0;
	for (DWORD i = 0; i <= n; i++)
		to[i] = (unsigned char)narrow[i];
	return n;
}
