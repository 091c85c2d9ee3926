/* SPDX-License-Identifier: MIT */
/*
 * Words that Microsoft's compiler has and this one has not. Every header of
 * ours brings them; "-include portres_words.h" brings them to headers of others
 * that a program built with -D_WIN32 includes before ours, as openssl's.
 */
#ifndef PORTRES_WORDS_H
#define PORTRES_WORDS_H

/* Strict ISO C hides half of the sockets; unless a header of libc was there
 * before us, it need not. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif

#ifndef __LP64__
#error "portres supports 64-bit Linux only"
#endif

/* There is one calling convention here. */
#define __cdecl
#define _cdecl
#define __stdcall
#define _stdcall
#define __fastcall
#define _fastcall
#define __thiscall
#define __vectorcall
#define __clrcall

#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#define _int64 long long

#define __ptr32
#define __ptr64
#define __sptr
#define __uptr
#define __unaligned
#define __w64
#define __forceinline __inline __attribute__((__always_inline__))
#define _forceinline __forceinline
#define _inline __inline

/* Any other word is an error that names it. */
#define __declspec(word) PORTRES_DECLSPEC_##word
#define _declspec(word) PORTRES_DECLSPEC_##word
#define PORTRES_DECLSPEC_align(n) __attribute__((__aligned__(n)))
#define PORTRES_DECLSPEC_allocator
#define PORTRES_DECLSPEC_deprecated __attribute__((__deprecated__))
#define PORTRES_DECLSPEC_dllexport __attribute__((__visibility__("default")))
#define PORTRES_DECLSPEC_dllimport
#define PORTRES_DECLSPEC_noalias
#define PORTRES_DECLSPEC_noinline __attribute__((__noinline__))
#define PORTRES_DECLSPEC_noreturn __attribute__((__noreturn__))
#define PORTRES_DECLSPEC_nothrow __attribute__((__nothrow__))
#define PORTRES_DECLSPEC_novtable
#define PORTRES_DECLSPEC_restrict __attribute__((__malloc__))
#define PORTRES_DECLSPEC_selectany __attribute__((__weak__))
#if defined __cplusplus && __cplusplus >= 201103L
#define PORTRES_DECLSPEC_thread thread_local
#elif defined __STDC_VERSION__ && __STDC_VERSION__ >= 201112L
#define PORTRES_DECLSPEC_thread _Thread_local
#else
#define PORTRES_DECLSPEC_thread __thread
#endif

/*
 * The library is preloaded into programs of all kinds, and general names may be
 * functions of their own there: ours are other symbols.
 */
#define PORTRES_API __attribute__((__visibility__("default")))
#define PORTRES_NAME(name) __asm__("portres_" #name)
/* As libc's own declaration says it, which must agree in C++ only. */
#ifdef __cplusplus
#define PORTRES_NOTHROW __THROW
#else
#define PORTRES_NOTHROW
#endif

#endif
