/* SPDX-License-Identifier: MIT */
/* For many that have one answer each: those that are wrong say so. */
#include <stdio.h>

static int rights;

static void
check(const char *what, int right)
{
	if (right)
		rights++;
	else
		printf("wrong [%s]\n", what);
}

#define CHECK(right) check(#right, (right))
