/* SPDX-License-Identifier: MIT */
#include "shim/real.h"

#include <dlfcn.h>
#include <stdarg.h>

#define ALIAS(name, of)
#define EXPORT(name, node)

#define HOOK(type, name, parameters, arguments)                                \
	static type first_##name parameters                                    \
	{                                                                      \
		real_resolve();                                                \
		return real_##name arguments;                                  \
	}                                                                      \
	type(*real_##name) parameters = first_##name;
#define HOOK_ANY(type, name, parameters, last, arguments)                      \
	static type first_##name parameters                                    \
	{                                                                      \
		va_list list;                                                  \
		void *argument;                                                \
                                                                               \
		va_start(list, last);                                          \
		argument = va_arg(list, void *);                               \
		va_end(list);                                                  \
		real_resolve();                                                \
		return real_##name arguments;                                  \
	}                                                                      \
	type(*real_##name) parameters = first_##name;
#include "shim/hooks.def"
#undef HOOK
#undef HOOK_ANY

/*
 * Every thread stores the same values, each in one store. All names are in
 * every libc that we run on, so dlsym finds them, and then it does not
 * allocate: malloc itself may be the caller (jemalloc closes files while it
 * starts).
 */
void
real_resolve(void)
{
#define HOOK(type, name, parameters, arguments)                                \
	__atomic_store_n((void **)&real_##name, dlsym(RTLD_NEXT, #name),       \
			 __ATOMIC_RELAXED);
#define HOOK_ANY(type, name, parameters, last, arguments)                      \
	HOOK(type, name, parameters, arguments)
#include "shim/hooks.def"
}
