/* SPDX-License-Identifier: MIT */
/* Why a pool or the store cannot be used, and the way out. For a pool the
 * library has one error, because programs can do nothing about it. */
#ifndef PORTRES_CLI_TROUBLE_H
#define PORTRES_CLI_TROUBLE_H

#include <stdbool.h>

struct trouble {
	char cause[700];
	char way_out[700];
};

/* Repeats the steps of pool_open(), up to the one that must have failed. `r` is
 * the error of pool_open() or pool_enter(). */
void trouble_of_pool(int r, struct trouble *ret);

/* Explains the error `r` of store_open() or store_replace(). */
void trouble_of_store(int r, struct trouble *ret);

/* Is it -EMFILE or -ENFILE? Then explains it. All that fails for want of a
 * descriptor has that cause alone: it is asked for before any other. */
bool trouble_of_descriptors(int r, struct trouble *ret);

/* Can fewer than so many be opened? Then explains why. */
bool trouble_of_few_descriptors(int count, struct trouble *ret);

/* Prints it as refuse() does, if `r` is one of the two. */
bool refuse_descriptors(int r);

#endif
