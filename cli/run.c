/* SPDX-License-Identifier: MIT */
#include "cli/run.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/interpreter.h"
#include "cli/library.h"
#include "cli/output.h"
#include "cli/trouble.h"
#include "shim/config.h"

/* More than that without a START is a port that somebody meant. */
#define COUNT_ALONE_MAX 1024

/* "3", "0+3" (the same), or "5000+3". */
static int
read_ports(const struct command *self, const char *text, struct range *ret)
{
	const char *plus = strchr(text, '+');
	struct range range = {0};
	int r = 0;

	if (!*text || plus == text || (plus && !plus[1]))
		return misused(self, "no ports '%s': say N, or START+N", text);
	if (plus)
		r = read_before(self, read_first, text, plus, &range.start);
	if (r == 0)
		r = read_count(self, plus ? plus + 1 : text, &range);
	if (r == 0 && !plus && range.count > COUNT_ALONE_MAX)
		return misused(self,
			       "%s alone is a number of ports: say %u+1 for "
			       "that port, 0+%u for so many",
			       text, range.count, range.count);
	if (r == 0)
		*ret = range;
	return r;
}

static int
add_block(const struct command *self, struct run *run, enum protocol protocol,
	  bool twin, const char *text)
{
	struct block *block = &run->block[run->count];

	if (run->count == RUN_BLOCKS_MAX)
		return misused(self, "%s is one block more than %d", text,
			       RUN_BLOCKS_MAX);
	block->protocol = protocol;
	run->twin[run->count++] = twin;
	return read_ports(self, text, &block->range);
}

static int
add_both(const struct command *self, struct run *run, const char *text)
{
	int r = add_block(self, run, PROTOCOL_TCP, false, text);

	return r ? r : add_block(self, run, PROTOCOL_UDP, true, text);
}

struct choice {
	struct run run;
	const char *ports_file;
	bool print;
};

/* Options that exclude each other are seen when all have been read. */
static int
check_choice(const struct command *self, const struct choice *choice)
{
	const struct run *run = &choice->run;

	if (choice->ports_file && !run->count)
		return misused(self, "--ports-file without ports: say --tcp, "
				     "--udp or --both as well");
	for (size_t i = 0; run->align && i < run->count; i++)
		if (run->block[i].range.start % run->align)
			return misused(self,
				       "%u is no multiple of %u (--align)",
				       run->block[i].range.start, run->align);
	return -1;
}

/* As options_read(), up to the command's name. */
static int
read_choice(const struct command *self, int argc, char **argv,
	    struct choice *ret)
{
	static const struct option known[] = {
		{"align", required_argument, NULL, 'a'},
		{"both", required_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},
		{"ports-file", required_argument, NULL, 'f'},
		{"print", no_argument, NULL, 'p'},
		{"tcp", required_argument, NULL, 't'},
		{"udp", required_argument, NULL, 'u'},
		{"wait", required_argument, NULL, 'w'},
		{0},
	};
	int option, r = 0;

	opterr = 0;
	while (r == 0) {
		const char *word = argv[optind];

		option = getopt_long(argc, argv, "+:h", known, NULL);
		if (option == -1)
			return check_choice(self, ret);
		else if (option == 'h')
			return print_help(self);
		else if (option == 'p')
			ret->print = true;
		else if (option == 't')
			r = add_block(self, &ret->run, PROTOCOL_TCP, false,
				      optarg);
		else if (option == 'u')
			r = add_block(self, &ret->run, PROTOCOL_UDP, false,
				      optarg);
		else if (option == 'b')
			r = add_both(self, &ret->run, optarg);
		else if (option == 'a')
			r = read_multiple(self, optarg, &ret->run.align);
		else if (option == 'f')
			ret->ports_file = optarg;
		else if (option == 'w')
			r = read_seconds(self, optarg, &ret->run.wait);
		else if (option == ':')
			r = misused(self, "%s wants a value", word);
		else
			r = misused(self, "run does not know the option %s",
				    word);
	}
	return r;
}

static int
print_plan(const struct run *run, char **argv)
{
	char range[16];

	for (size_t i = 0; i < run->count; i++)
		printf("%s %s\n", protocol_name(run->block[i].protocol),
		       range_text(&run->block[i].range, range));
	printf("LD_PRELOAD=%s\n", getenv("LD_PRELOAD"));
	for (; *argv; argv++)
		printf("%s%s", *argv, argv[1] ? " " : "\n");
	return finish(STATUS_OK);
}

/* A relative path is another directory to what the command starts elsewhere. */
static void
keep_pool(void)
{
	const char *pool = getenv("PORTRES_POOL");

	if (pool && *pool && *pool != '/')
		setenv("PORTRES_POOL", config_get()->directory, 1);
}

/* execvp() has failed. */
static int
refuse_to_run(const char *command, int error)
{
	bool lost = error == ENOENT;

	if (refuse_descriptors(-error))
		return STATUS_NOT_EXECUTABLE;
	if (lost && interpreter_is_missing(command)) {
		refuse("%s cannot be run: the interpreter that it names is not "
		       "there: install that, or mend its first line",
		       command);
		return STATUS_NOT_EXECUTABLE;
	}
	refuse("%s cannot be run: %s: %s", command, strerror(error),
	       error == E2BIG ? "shorten its arguments, or the environment"
			      : "give the path of a program");
	return lost ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

static int
run_main(const struct command *self, int argc, char **argv)
{
	struct choice choice = {0};
	struct interpreter interpreter;
	struct library library;
	const char *slash;
	int error, r = read_choice(self, argc, argv, &choice);

	if (r >= 0)
		return r;
	argv += optind;
	if (!*argv)
		return misused(self, "say what to run");
	if (!library_find(&library))
		return refuse("%s: %s", library.trouble.cause,
			      library.trouble.way_out);
	if (interpreter_is_foreign(*argv, &interpreter))
		return refuse("%s is a program of another C library (%s), "
			      "which cannot load %s: use the portres that was "
			      "built for that one",
			      interpreter.program, interpreter.linker,
			      library.path);
	/* The reservation is the command's, so it goes by that name. */
	slash = strrchr(*argv, '/');
	prctl(PR_SET_NAME, slash ? slash + 1 : *argv);
	r = run_acquire(&choice.run);
	if (r != 0)
		return r;
	library_preload(&library);
	keep_pool();
	if (choice.run.count)
		r = run_environment(&choice.run);
	if (r != 0)
		return r;
	for (char **p = argv; *p; p++)
		*p = run_replace(&choice.run, *p);
	if (choice.print)
		return print_plan(&choice.run, argv);
	if (choice.ports_file &&
	    run_write_ports(&choice.run, choice.ports_file) != 0)
		return STATUS_REFUSED;
	execvp(*argv, argv);
	error = errno;
	if (choice.ports_file)
		unlink(choice.ports_file);
	return refuse_to_run(*argv, error);
}

const struct command command_run = {
	.name = "run",
	.summary = "run a command with ports that nobody can take",
	.help = "run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
		"Reserves blocks of ports and becomes the command, under the "
		"library. They are\nreserved until it and those it started "
		"have closed them or ended.\n\n"
		"  --tcp N          N ports, 1024 at most; START+N to say "
		"which, 0+N for more\n"
		"  --udp N          the same of UDP\n"
		"  --both N         the same ports in both; all may come "
		"several times, up to\n"
		"                   64 blocks, of which --both takes two\n"
		"  --align N        any ports begin at a multiple of N\n"
		"  --ports-file F   write the ports to F, one a line, before "
		"the command starts\n"
		"  --wait SECONDS   wait for busy ports, up to so long\n"
		"  --print          only show what would be run\n\n"
		"{1}, {2} ... in arguments become the ports. PORTRES_PORTS "
		"lists them, PORTRES_PORT\nis the first, PORTRES_RANGES has "
		"the blocks: tcp:5000+3 udp:9000+1. The exit\nstatus is the "
		"command's; 127 not found, 126 not executable, 75 no ports or "
		"no pool,\n1 no library for it, or no ports file.\n",
	.main = run_main,
};
