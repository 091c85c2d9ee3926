/* SPDX-License-Identifier: MIT */
/*
 * Why a pool or the store cannot be used, and what people can do about it.
 * For a pool the library has one error, because programs can do nothing.
 */
#ifndef PORTRES_CLI_TROUBLE_H
#define PORTRES_CLI_TROUBLE_H

struct trouble {
	char cause[700];
	char way_out[700];
};

/*
 * Goes the way of pool_open() again and stops where that must have stopped.
 * `r` is what it, or pool_enter(), returned.
 */
void trouble_of_pool(int r, struct trouble *ret);

/* Of the store, by what store_open() or store_replace() returned. */
void trouble_of_store(int r, struct trouble *ret);

#endif
