/* SPDX-License-Identifier: MIT */
#include "shim/robust_list.h"

#include <pthread.h>

#ifdef __GLIBC__

bool
robust_list_register(void)
{
	return false;
}

#else

/*
 * musl tells the kernel when the thread first locks a mutex that is robust and
 * shared. The list must be libc's: the kernel knows one a thread, and libc
 * would put its own in the place of ours.
 *
 * Never destroyed: that waits for all who unlock such mutexes, and a signal
 * handler that binds may be in the way of one.
 */
bool
robust_list_register(void)
{
	pthread_mutexattr_t kind;
	pthread_mutex_t mutex;

	pthread_mutexattr_init(&kind);
	pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&mutex, &kind);
	if (pthread_mutex_lock(&mutex) != 0)
		return false;
	pthread_mutex_unlock(&mutex);
	return true;
}

#endif
