/* SPDX-License-Identifier: MIT */
#include "core/kernel/boot.h"

#define DIGITS 32

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "9a5e6c1a-…", 32 digits with dashes between. */
int
boot_id(const struct sys_ops *sys, uint64_t ret[2])
{
	char text[64];
	uint64_t id[2] = {0};
	int digits = 0;
	long n;
	int fd = sys_open(sys, "/proc/sys/kernel/random/boot_id",
			  O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	n = sys_read(sys, fd, text, sizeof(text));
	sys_close(sys, fd);
	for (long i = 0; i < n && digits < DIGITS; i++) {
		uint64_t *half = &id[digits >= DIGITS / 2];
		int value = hex_value(text[i]);

		if (value < 0)
			continue;
		*half = *half << 4 | (uint64_t)value;
		digits++;
	}
	if (digits < DIGITS)
		return n < 0 ? (int)n : -EINVAL;
	ret[0] = id[0];
	ret[1] = id[1];
	return 0;
}
