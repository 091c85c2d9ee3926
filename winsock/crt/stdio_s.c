/* SPDX-License-Identifier: MIT */
/* The `_s` functions of <stdio.h> and <stdlib.h>, but for printing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "portres_crt.h"

static errno_t
fail(errno_t err)
{
	errno = err;
	return err;
}

/* A file that was opened leaves the last error alone. */
static errno_t
opened(FILE **ret, FILE *file, int before)
{
	*ret = file;
	if (!file)
		return errno;
	errno = before;
	return 0;
}

errno_t
fopen_s(FILE **ret, const char *name, const char *mode)
{
	int before = errno;

	if (!ret || !name || !mode)
		return fail(EINVAL);
	return opened(ret, fopen(name, mode), before);
}

errno_t
freopen_s(FILE **ret, const char *name, const char *mode, FILE *file)
{
	int before = errno;

	if (!ret || !mode || !file)
		return fail(EINVAL);
	return opened(ret, freopen(name, mode, file), before);
}

/* NULL at the end of the file too. A line that has no room is read, and gone.
 */
char *
gets_s(char *to, size_t size)
{
	size_t n = 0;
	int c;

	if (!to || size == 0) {
		errno = EINVAL;
		return NULL;
	}
	while ((c = getchar()) != EOF && c != '\n') {
		if (n < size)
			to[n] = (char)c;
		n++;
	}
	if (n < size && (c != EOF || n > 0)) {
		to[n] = '\0';
		return to;
	}
	to[0] = '\0';
	if (n >= size)
		errno = ERANGE;
	return NULL;
}

errno_t
getenv_s(size_t *ret, char *to, size_t size, const char *name)
{
	const char *value;

	if (!ret || (!to && size > 0) || !name)
		return fail(EINVAL);
	value = getenv(name);
	*ret = value ? strlen(value) + 1 : 0;
	if (to && size > 0)
		to[0] = '\0';
	if (!value || size == 0)
		return 0;
	if (*ret > size)
		return fail(ERANGE);
	memcpy(to, value, *ret);
	return 0;
}

errno_t
_dupenv_s(char **ret, size_t *ret_size, const char *name)
{
	const char *value;

	if (!ret || !name)
		return fail(EINVAL);
	value = getenv(name);
	*ret = value ? strdup(value) : NULL;
	if (ret_size)
		*ret_size = *ret ? strlen(*ret) + 1 : 0;
	return value && !*ret ? ENOMEM : 0;
}

/* Cut to the room, without an error. */
errno_t
strerror_s(char *to, size_t size, int err)
{
	if (!to || size == 0)
		return fail(EINVAL);
	return strncpy_s(to, size, strerror(err), _TRUNCATE) == EINVAL ? EINVAL
								       : 0;
}

errno_t
rand_s(unsigned int *ret)
{
	int before = errno;

	if (!ret)
		return fail(EINVAL);
	while (getrandom(ret, sizeof(*ret), 0) != sizeof(*ret))
		if (errno != EINTR)
			return errno;
	errno = before;
	return 0;
}
