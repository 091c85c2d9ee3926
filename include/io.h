/* SPDX-License-Identifier: MIT */
/*
 * Descriptors under Microsoft's names. A socket is one here. Files by path are
 * not carried.
 */
#ifndef PORTRES_IO_H
#define PORTRES_IO_H

#include "portres_words.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Bytes are never changed on the way, so these differ in name only. */
#define _O_TEXT 0x4000
#define _O_BINARY 0x8000
#ifndef O_TEXT
#define O_TEXT 0
#endif
#ifndef O_BINARY
#define O_BINARY 0
#endif

#define _access access
#define _close close
#define _dup dup
#define _dup2 dup2
#define _fileno fileno
#define _isatty isatty
#define _lseek lseek
#define _lseeki64 lseek
#define _read read
#define _unlink unlink
#define _write write

#ifdef __cplusplus
extern "C" {
#endif

/* Returns _O_BINARY; -1: EINVAL, EBADF. */
PORTRES_API int _setmode(int fd, int mode) PORTRES_NAME(_setmode);
/* In bytes; -1: EBADF. */
PORTRES_API long _filelength(int fd) PORTRES_NAME(_filelength);

#ifdef __cplusplus
}
#endif

#endif
