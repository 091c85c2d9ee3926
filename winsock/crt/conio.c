/* SPDX-License-Identifier: MIT */
/*
 * Keys, from the terminal whatever stdin is, as on Windows; from stdin without
 * a terminal. The terminal is as the program knows it again after each call,
 * so that lines can be read in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "conio.h"
#include "portres_crt.h"

#define ENTER '\r'
#define BACKSPACE '\b'
#define DELETE 0x7f /* what a terminal sends for it */
#define NONE (-1)

static int pushed_back = NONE;

/* The terminal, or stdin when there is none. */
static int
open_keys(void)
{
	int fd;

	if (isatty(STDIN_FILENO))
		return STDIN_FILENO;
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	return fd < 0 ? STDIN_FILENO : fd;
}

static void
close_keys(int fd)
{
	if (fd != STDIN_FILENO)
		close(fd);
}

/* Keys at once, unseen, and none of them a signal yet: one that kills the
 * program would leave the terminal so. False when it is not ours to change. */
static bool
take_terminal(int fd, struct termios *ret_before)
{
	struct termios raw;

	if (tcgetattr(fd, ret_before) < 0 || tcgetpgrp(fd) != getpgrp())
		return false;
	raw = *ret_before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	raw.c_iflag &= ~(tcflag_t)ICRNL;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(fd, TCSANOW, &raw) == 0;
}

static int
signal_of(const struct termios *before, int key)
{
	if (!(before->c_lflag & ISIG) || key < 0)
		return 0;
	if (key == before->c_cc[VINTR])
		return SIGINT;
	if (key == before->c_cc[VQUIT])
		return SIGQUIT;
	return key == before->c_cc[VSUSP] ? SIGTSTP : 0;
}

static int
read_byte(int fd)
{
	unsigned char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? byte : EOF;
}

/* 0 for one that was a signal. */
static int
read_key(int fd)
{
	struct termios before;
	bool taken = take_terminal(fd, &before);
	int key = read_byte(fd);
	int signal = 0;

	if (taken) {
		tcsetattr(fd, TCSANOW, &before);
		signal = signal_of(&before, key);
	}
	if (signal)
		kill(0, signal);
	if (key == '\n')
		key = ENTER;
	if (taken && key == DELETE)
		key = BACKSPACE;
	return signal ? 0 : key;
}

int
_getch(void)
{
	int before = errno;
	int key = pushed_back;
	int fd;

	pushed_back = NONE;
	if (key != NONE)
		return key;
	fd = open_keys();
	do
		key = read_key(fd);
	while (key == 0);
	close_keys(fd);
	errno = before;
	return key;
}

int
_getche(void)
{
	int key = _getch();

	return key == EOF ? EOF : _putch(key);
}

int
_ungetch(int c)
{
	if (pushed_back != NONE || c == EOF)
		return EOF;
	return pushed_back = c;
}

static bool
is_readable(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLIN};

	return poll(&look, 1, 0) == 1;
}

/* A terminal that waits for the end of the line is asked again without. */
int
_kbhit(void)
{
	struct termios before;
	int err = errno;
	int fd = open_keys();
	bool hit = pushed_back != NONE || is_readable(fd);

	if (!hit && take_terminal(fd, &before)) {
		hit = is_readable(fd);
		tcsetattr(fd, TCSANOW, &before);
	}
	close_keys(fd);
	errno = err;
	return hit;
}

int
_putch(int c)
{
	int r = putchar(c);

	fflush(stdout);
	return r;
}

int
_cputs(const char *text)
{
	int r;

	if (!text) {
		errno = EINVAL;
		return EOF;
	}
	r = fputs(text, stdout);
	fflush(stdout);
	return r < 0 ? r : 0;
}

int
_cprintf(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = portres_vprintf(format, args);
	va_end(args);
	fflush(stdout);
	return n;
}
