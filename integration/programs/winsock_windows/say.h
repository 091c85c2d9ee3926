/* SPDX-License-Identifier: MIT */
/* A line for each thing that a test asks. */
#include <stdio.h>

#define SAY(name, value) printf("%s %I64d\n", (name), (__int64)(value))
#define SAY_TEXT(name, text) printf("%s [%s]\n", (name), (text))
#define SAY_WIDE(name, text) printf("%s [%S]\n", (name), (text))
