/* SPDX-License-Identifier: MIT */
#include "winsock/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

bool
worker_start(void *(*work)(void *unused))
{
	sigset_t every;
	sigset_t before;
	pthread_t thread;
	bool started;

	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	started = pthread_create(&thread, NULL, work, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		pthread_detach(thread);
	return started;
}
