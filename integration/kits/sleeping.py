# SPDX-License-Identifier: MIT
"""For C programs of tests: has another thread come to what it is to wait for?"""

SLEEPS = r"""
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static void line_of_task(unsigned id, const char *name, char *line, int size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "/proc/self/task/%u/%s", id, name);
	file = fopen(path, "r");
	if (!file || !fgets(line, size, file))
		abort();
	fclose(file);
}

/* Not for a mutex, which is on its way there: that is another word for the kernel
 * than a condition's, or a semaphore's. */
static int sleeps(unsigned id)
{
	char line[512];
	long number;
	unsigned long operation;

	line_of_task(id, "syscall", line, sizeof line);
	if (sscanf(line, "%ld %*s %lx", &number, &operation) != 2 || number < 0 ||
	    (number == SYS_futex && operation == FUTEX_WAIT_PRIVATE))
		return 0;
	line_of_task(id, "stat", line, sizeof line);
	return strrchr(line, ')')[2] == 'S';
}
"""
