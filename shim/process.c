/* SPDX-License-Identifier: MIT */
#include "shim/process.h"

#include <stdatomic.h>

#include "core/sys.h"

#define PAGE 4096

static _Atomic uint32_t nowhere;

/* A page that is zero in every child (Linux 4.14). */
static _Atomic uint32_t *
make_page(void)
{
	const struct sys_ops *sys = &sys_kernel;
	long at = sys_mmap_private(sys, PAGE);

	if (at < 0)
		return &nowhere;
	if (SYS_CALL(sys, SYS_madvise, at, PAGE, MADV_WIPEONFORK) < 0) {
		sys_munmap(sys, (void *)at, PAGE);
		return &nowhere;
	}
	return (_Atomic uint32_t *)at;
}

static _Atomic uint32_t *
page_get(void)
{
	static _Atomic uint32_t *_Atomic page;
	_Atomic uint32_t *seen = atomic_load(&page), *made;

	if (seen)
		return seen;
	made = make_page();
	if (atomic_compare_exchange_strong(&page, &seen, made))
		return made;
	if (made != &nowhere)
		sys_munmap(&sys_kernel, made, PAGE);
	return seen;
}

uint32_t
process_number(void)
{
	static _Atomic uint32_t last;
	_Atomic uint32_t *here = page_get();
	uint32_t number = atomic_load(here), next;

	if (number || here == &nowhere)
		return number;
	/* The parent's count came along, so this is none of its numbers; it is
	 * counted before it is used, because another thread may fork. */
	next = atomic_fetch_add(&last, 1) + 1;
	return atomic_compare_exchange_strong(here, &number, next) ? next
								   : number;
}
