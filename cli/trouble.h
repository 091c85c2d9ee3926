/* SPDX-License-Identifier: MIT */
/*
 * Why a pool cannot be used. The library has one error for it, because
 * programs can do nothing about it; people can.
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

#endif
