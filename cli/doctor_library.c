/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/check.h"
#include "cli/cli.h"
#include "cli/library.h"
#include "cli/own_path.h"
#include "portres.h"

/*
 * The other side of the check, in a process of its own with the library
 * preloaded. The library refuses a request for no ports with EINVAL, before it
 * looks at the pool; the kernel refuses it with ENOTTY.
 */
static int
self_check_main(const struct command *self, int argc, char **argv)
{
	struct portres_instance block = {0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)self, (void)argc, (void)argv;
	if (fd < 0 || ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) == 0 ||
	    errno != EINVAL) {
		puts("unanswered");
		return finish(STATUS_REFUSED);
	}
	block.number_of_ports = 1;
	if (ioctl(fd, SIO_ACQUIRE_PORT_RESERVATION, &block) < 0)
		printf("refused %m\n");
	else if (ioctl(fd, SIO_RELEASE_PORT_RESERVATION, &block.token) < 0)
		printf("refused %m (to give it back)\n");
	else
		printf("acquired %u\n", ntohs(block.start_port));
	return finish(STATUS_OK);
}

const struct command command_self_check = {
	.name = "self-check",
	.summary = "",
	.help = "self-check\nThe part of doctor that runs with the library.\n",
	.main = self_check_main,
	.hidden = true,
};

/* The child's stdout and stderr: ld.so complains there. */
static bool
ask_child(const struct library *library, char *answer, size_t size)
{
	char self[PATH_MAX];
	int ends[2];
	size_t length = 0;
	ssize_t n;
	pid_t child;

	fflush(stdout);
	if (pipe(ends) < 0)
		return false;
	child = fork();
	if (child == 0) {
		library_preload(library);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl("/proc/self/exe", "portres", "self-check", NULL);
		if (own_path(self))
			execl(self, "portres", "self-check", NULL);
		dprintf(STDOUT_FILENO, "untried %s",
			own_path_lacks_proc()
				? "because there is no /proc: mount it"
				: strerror(errno));
		_exit(127);
	}
	close(ends[1]);
	while (child > 0 && length + 1 < size &&
	       (n = read(ends[0], answer + length, size - 1 - length)) > 0)
		length += (size_t)n;
	close(ends[0]);
	answer[length] = '\0';
	if (child > 0)
		waitpid(child, NULL, 0);
	return child > 0;
}

static void
check_answer(const char *path, const char *answer)
{
	const char *refused = strstr(answer, "refused ");
	const char *acquired = strstr(answer, "acquired ");
	const char *loader = strstr(answer, "ERROR: ld.so: ");
	const char *untried = strstr(answer, "untried ");
	int n;

	if (untried) {
		check(WARNING, "library", "not tried, %s",
		      untried + strlen("untried "));
		return;
	}
	if (!refused && !acquired) {
		n = loader ? (int)strcspn(loader, "\n") : 0;
		check(ERROR, "library",
		      "%s was not loaded%s%.*s: take the one that was built "
		      "for this system",
		      path, loader ? ": " : "", n, loader ? loader : "");
		return;
	}
	check(GOOD, "library", "a program that preloads it is answered");
	if (refused) {
		refused += strlen("refused ");
		check(ERROR, "library",
		      "it could not acquire a port: %.*s: see the next errors",
		      (int)strcspn(refused, "\n"), refused);
	} else {
		check(GOOD, "library", "it acquired port %.*s and gave it back",
		      (int)strcspn(acquired + strlen("acquired "), "\n"),
		      acquired + strlen("acquired "));
	}
}

void
check_library(void)
{
	struct library library;
	char answer[2048];

	if (!library_find(&library)) {
		check(ERROR, "library", "%s: %s", library.trouble.cause,
		      library.trouble.way_out);
		return;
	}
	check(GOOD, "library", "%s: %s", library.path, library.why);
	if (strcmp(library.path, library.name) != 0)
		check(GOOD, "library", "in LD_PRELOAD it goes by %s",
		      library.name);
	if (ask_child(&library, answer, sizeof(answer)))
		check_answer(library.path, answer);
	else
		check(WARNING, "library", "not tried: %m");
}
