/* SPDX-License-Identifier: MIT */
/*
 * A main for programs that have a wmain instead, as Windows programs may.
 *
 * It is a member of the archive by itself, and nothing but an undefined
 * main makes the linker take it: programs with a main of their own never see
 * it. The program defines wmain without declaring it first, in C or in C++,
 * with any of the parameter lists below, hence the names of the linker. They
 * are weak, so those that do not exist are NULL.
 */
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define EXIT_NO_PROGRAM 127 /* as shells have it for a command not found */

/* Arguments that a wmain does not ask for do no harm, as with main. */
typedef int entry(int argc, wchar_t **argv, wchar_t **envp);

#define ENTRY(name, symbol)                                                    \
	extern entry name __asm__(symbol) __attribute__((__weak__))

ENTRY(wmain_c, "wmain");
ENTRY(wmain_none, "_Z5wmainv");
ENTRY(wmain_args, "_Z5wmainiPPw");
ENTRY(wmain_const, "_Z5wmainiPPKw");
ENTRY(wmain_env, "_Z5wmainiPPwS0_");

static entry *
find_entry(void)
{
	entry *const all[] = {wmain_c, wmain_args, wmain_none, wmain_const,
			      wmain_env};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i])
			return all[i];
	return NULL;
}

/* In plain C nothing but ASCII could be read or printed. Somebody who has set
 * no locale at all still has files with names. */
static void
choose_locale(void)
{
	if (!setlocale(LC_CTYPE, "") ||
	    strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

/*
 * `to` has room for a wide character a byte, and one more. A byte that the
 * locale cannot read becomes the character of its number, which keeps the
 * argument, tells different ones apart, and can be printed.
 */
static wchar_t *
widen(wchar_t *to, const char *from)
{
	size_t left = strlen(from);
	mbstate_t state;

	memset(&state, 0, sizeof(state));
	while (left > 0) {
		size_t n = mbrtowc(to, from, left, &state);

		if (n > left || n == 0) {
			*to = (unsigned char)*from;
			memset(&state, 0, sizeof(state));
			n = 1;
		}
		to++;
		from += n;
		left -= n;
	}
	*to = L'\0';
	return to + 1;
}

/* NULL at the end as in argv. One block, the strings behind the pointers. */
static wchar_t **
widen_vector(char **from)
{
	size_t count = 0;
	size_t room = 0;
	wchar_t **vector;
	wchar_t *text;

	for (; from[count]; count++)
		room += strlen(from[count]) + 1;
	vector = malloc((count + 1) * sizeof(*vector) + room * sizeof(*text));
	if (!vector)
		return NULL;
	text = (wchar_t *)(vector + count + 1);
	for (size_t i = 0; i < count; i++) {
		vector[i] = text;
		text = widen(text, from[i]);
	}
	vector[count] = NULL;
	return vector;
}

/* The program may keep pointers into them until it is gone, so they are never
 * freed; `used`, or leak checkers would not see them held. */
static wchar_t **wide_argv __attribute__((__used__));
static wchar_t **wide_envp __attribute__((__used__));

int
main(int argc, char **argv, char **envp)
{
	entry *wmain = find_entry();

	if (!wmain) {
		fputs("portres: the program has neither main nor wmain\n",
		      stderr);
		return EXIT_NO_PROGRAM;
	}
	choose_locale();
	wide_argv = widen_vector(argv);
	wide_envp = widen_vector(envp);
	if (!wide_argv || !wide_envp) {
		fputs("portres: no memory for the arguments\n", stderr);
		return EXIT_NO_PROGRAM;
	}
	return wmain(argc, wide_argv, wide_envp);
}
