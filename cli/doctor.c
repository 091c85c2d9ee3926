/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "cli/check.h"
#include "cli/cli.h"
#include "cli/library.h"
#include "cli/output.h"
#include "cli/trouble.h"
#include "shim/config.h"

static enum verdict worst;

/* For programs: what comes before the next object. NULL: lines, for people. */
static const char *separator;

void
check(enum verdict verdict, const char *subject, const char *format, ...)
{
	static const char *const word[] = {"ok", "warning", "error"};
	static const enum colour colour[] = {GREEN, YELLOW, RED};
	char line[2048], safe[4 * sizeof(line)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (verdict > worst)
		worst = verdict;
	if (separator) {
		printf("%s{\"verdict\": \"%s\", \"subject\": \"%s\", "
		       "\"message\": ",
		       separator, word[verdict], subject);
		json_string(stdout, line);
		putchar('}');
		separator = ",\n";
		return;
	}
	output_colour(colour[verdict]);
	printf("%-7s", word[verdict]);
	output_colour(PLAIN);
	printf("  %-11s  %s\n", subject, safe_text(line, safe, sizeof(safe)));
}

enum verdict
check_worst(void)
{
	return worst;
}

void
check_environment(void)
{
	struct library library;
	const char *wildcard = getenv("PORTRES_WILDCARD");
	char word[4 * PATH_MAX + 8];

	if (getauxval(AT_SECURE))
		check(WARNING, "environment",
		      "this command is set-id: PORTRES_ variables are ignored "
		      "and LD_PRELOAD is cut: take the bits off it");
	if (library_find(&library)) {
		if (library_everywhere(&library))
			check(GOOD, "environment",
			      "/etc/ld.so.preload has it: every program is "
			      "under portres");
		else if (library_preloaded(&library))
			check(GOOD, "environment",
			      "LD_PRELOAD has it: programs started from here "
			      "are under portres");
		else
			check(WARNING, "environment",
			      "LD_PRELOAD does not have it, programs started "
			      "from here are not under portres: export "
			      "LD_PRELOAD=%s",
			      library_installed(&library)
				      ? PORTRES_SONAME
				      : shell_word(library.name, word,
						   sizeof(word)));
	}
	if (wildcard && *wildcard && config_get()->wildcard.count == 0)
		check(WARNING, "environment",
		      "PORTRES_WILDCARD=%s makes no sense and is ignored: "
		      "write 61000-65535,10000-32767",
		      wildcard);
	if (!guard_is_here())
		check(GOOD, "environment",
		      "never reached: static programs (Go), set-id programs, "
		      "what runs under env -i; see portres(7)");
}

/* With fewer at a time the checks would find what is not there. */
#define CHECKS_TAKE 8

static void
check_all(void)
{
	check_library();
	check_environment();
	check_pool();
	check_logind();
	check_store();
	check_kernel();
	check_guard();
}

static int
doctor_main(const struct command *self, int argc, char **argv)
{
	struct options options;
	struct trouble trouble;
	int r = options_read(self, argc, argv, "j", 0, &options);

	if (r >= 0)
		return r;
	if (options.json) {
		separator = "\n";
		putchar('[');
	}
	if (trouble_of_few_descriptors(CHECKS_TAKE, &trouble))
		check(ERROR, "environment", "%s: %s", trouble.cause,
		      trouble.way_out);
	else
		check_all();
	if (options.json)
		puts("\n]");
	return finish(check_worst() == ERROR ? STATUS_REFUSED : STATUS_OK);
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "what works here, what does not, and the way out",
	.help = "doctor [--json]\n"
		"Checks the library, the environment, the pool, the store and "
		"the kernel. Each\nline begins with ok, warning or error, and "
		"ends with the way out. The exit\nstatus is 1 when there was "
		"an error.\n\n"
		"  --json   an array of objects: verdict (ok, warning, error), "
		"subject, message\n",
	.main = doctor_main,
};
