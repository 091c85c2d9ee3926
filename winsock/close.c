/* SPDX-License-Identifier: MIT */
/* The end of a handle, whatever it is of. */
#include "winsock/handle.h"
#include "winsock/monitor.h"
#include "winsock/mutex.h"
#include "winsock/port.h"
#include "winsock/thread.h"
#include "winsock2.h"

BOOL WINAPI
CloseHandle(HANDLE hObject)
{
	struct handle *object;

	monitor_enter();
	object = handle_find_any(hObject);
	if (object) {
		if (object->kind == HANDLE_MUTEX)
			mutex_forget(object);
		if (object->kind == HANDLE_THREAD)
			thread_let_go(object->thread);
		if (object->kind == HANDLE_PORT)
			port_close(hObject);
		else
			handle_close(object);
	}
	monitor_leave();
	/* A socket should be closed by closesocket(); it is closed there too,
	 * and its number is none of the table's. */
	if (object || closesocket((SOCKET)hObject) == 0)
		return TRUE;
	SetLastError(ERROR_INVALID_HANDLE);
	return FALSE;
}
