/* SPDX-License-Identifier: MIT */
#include <windows.h>
#include <stdarg.h>

static char text[4000];

static int
all(const char *format, ...)
{
	va_list a, b, c, d;
	int n;

	va_start(a, format);
	va_copy(b, a);
	va_copy(c, a);
	va_copy(d, a);
	n = vprintf(format, a);
	n += vfprintf(stdout, format, b);
	n += vsprintf(text, format, c);
	fputs(text, stdout);
	n += vsnprintf(text, 4, format, d);
	fputs(text, stdout);
	va_end(d);
	va_end(c);
	va_end(b);
	va_end(a);
	return n;
}

int
main(void)
{
	static char format[1000];
	const char *none = NULL;
	int n = all("%I64d;", 5000000000ll);

	fprintf(stdout, "%d ", n);
	printf("%d ", snprintf(text, sizeof(text), "%lu", -1l));
	printf("%s ", text);
	printf("%d ", sprintf(text, "%S", L"wide"));
	memset(format, 'x', 900);
	memcpy(format + 900, "%I64u", 6);
	printf("%d %s\n", snprintf(text, sizeof(text), format, -1ll),
	       text + 900);
	return printf(none) == -1 ? 42 : 1;
}
