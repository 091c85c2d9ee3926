/* SPDX-License-Identifier: MIT */
/*
 * Interlocked*, a part of winnt.h. All of them order everything, as on Windows.
 * LONG and long, which are one type there, are both taken.
 *
 * New value: Increment, Decrement, Add. Old value: all others.
 */
#ifndef PORTRES_INTERLOCKED_H
#define PORTRES_INTERLOCKED_H

#define MemoryBarrier() __sync_synchronize()
#if defined __x86_64__ || defined __i386__
#define YieldProcessor() __builtin_ia32_pause()
#elif defined __aarch64__
#define YieldProcessor() __asm__ __volatile__("yield")
#else
#define YieldProcessor() __asm__ __volatile__("")
#endif

#ifdef __cplusplus
extern "C++" {
namespace portres
{
/* So that the pointer alone decides the type. */
template <class T> struct same {
	typedef T type;
};
} /* namespace portres */

/* The name, and the builtin function that is meant. */
#define PORTRES_INTERLOCKED(name, builtin)                                     \
	template <class T>                                                     \
	inline T name(volatile T *target,                                      \
		      typename portres::same<T>::type value)                   \
	{                                                                      \
		return builtin(target, value, __ATOMIC_SEQ_CST);               \
	}

/* No value: it is 1. */
#define PORTRES_INTERLOCKED_ONE(name, builtin)                                 \
	template <class T> inline T name(volatile T *target)                   \
	{                                                                      \
		return builtin(target, 1, __ATOMIC_SEQ_CST);                   \
	}

#define PORTRES_INTERLOCKED_COMPARE(name)                                      \
	template <class T>                                                     \
	inline T name(volatile T *target,                                      \
		      typename portres::same<T>::type value,                   \
		      typename portres::same<T>::type expected)                \
	{                                                                      \
		return __sync_val_compare_and_swap(target, expected, value);   \
	}

PORTRES_INTERLOCKED_ONE(InterlockedIncrement, __atomic_add_fetch)
PORTRES_INTERLOCKED_ONE(InterlockedIncrement16, __atomic_add_fetch)
PORTRES_INTERLOCKED_ONE(InterlockedIncrement64, __atomic_add_fetch)
PORTRES_INTERLOCKED_ONE(InterlockedDecrement, __atomic_sub_fetch)
PORTRES_INTERLOCKED_ONE(InterlockedDecrement16, __atomic_sub_fetch)
PORTRES_INTERLOCKED_ONE(InterlockedDecrement64, __atomic_sub_fetch)
PORTRES_INTERLOCKED(InterlockedAdd, __atomic_add_fetch)
PORTRES_INTERLOCKED(InterlockedAdd64, __atomic_add_fetch)
PORTRES_INTERLOCKED(InterlockedExchange, __atomic_exchange_n)
PORTRES_INTERLOCKED(InterlockedExchange8, __atomic_exchange_n)
PORTRES_INTERLOCKED(InterlockedExchange16, __atomic_exchange_n)
PORTRES_INTERLOCKED(InterlockedExchange64, __atomic_exchange_n)
PORTRES_INTERLOCKED(InterlockedExchangeAdd, __atomic_fetch_add)
PORTRES_INTERLOCKED(InterlockedExchangeAdd64, __atomic_fetch_add)
PORTRES_INTERLOCKED(InterlockedExchangeSubtract, __atomic_fetch_sub)
PORTRES_INTERLOCKED(InterlockedAnd, __atomic_fetch_and)
PORTRES_INTERLOCKED(InterlockedAnd64, __atomic_fetch_and)
PORTRES_INTERLOCKED(InterlockedOr, __atomic_fetch_or)
PORTRES_INTERLOCKED(InterlockedOr64, __atomic_fetch_or)
PORTRES_INTERLOCKED(InterlockedXor, __atomic_fetch_xor)
PORTRES_INTERLOCKED(InterlockedXor64, __atomic_fetch_xor)
PORTRES_INTERLOCKED_COMPARE(InterlockedCompareExchange)
PORTRES_INTERLOCKED_COMPARE(InterlockedCompareExchange16)
PORTRES_INTERLOCKED_COMPARE(InterlockedCompareExchange64)

#undef PORTRES_INTERLOCKED
#undef PORTRES_INTERLOCKED_ONE
#undef PORTRES_INTERLOCKED_COMPARE
}
#else
#define PORTRES_ONE_MORE(p) __atomic_add_fetch((p), 1, __ATOMIC_SEQ_CST)
#define PORTRES_ONE_LESS(p) __atomic_sub_fetch((p), 1, __ATOMIC_SEQ_CST)
#define PORTRES_ADD(p, value) __atomic_add_fetch((p), (value), __ATOMIC_SEQ_CST)
#define PORTRES_ADD_OLD(p, value)                                              \
	__atomic_fetch_add((p), (value), __ATOMIC_SEQ_CST)
#define PORTRES_EXCHANGE(p, value)                                             \
	__atomic_exchange_n((p), (value), __ATOMIC_SEQ_CST)
#define PORTRES_AND(p, value) __atomic_fetch_and((p), (value), __ATOMIC_SEQ_CST)
#define PORTRES_OR(p, value) __atomic_fetch_or((p), (value), __ATOMIC_SEQ_CST)
#define PORTRES_XOR(p, value) __atomic_fetch_xor((p), (value), __ATOMIC_SEQ_CST)
#define PORTRES_COMPARE(p, value, expected)                                    \
	__sync_val_compare_and_swap((p), (expected), (value))

#define InterlockedIncrement(p) PORTRES_ONE_MORE(p)
#define InterlockedIncrement16(p) PORTRES_ONE_MORE(p)
#define InterlockedIncrement64(p) PORTRES_ONE_MORE(p)
#define InterlockedDecrement(p) PORTRES_ONE_LESS(p)
#define InterlockedDecrement16(p) PORTRES_ONE_LESS(p)
#define InterlockedDecrement64(p) PORTRES_ONE_LESS(p)
#define InterlockedAdd(p, value) PORTRES_ADD(p, value)
#define InterlockedAdd64(p, value) PORTRES_ADD(p, value)
#define InterlockedExchange(p, value) PORTRES_EXCHANGE(p, value)
#define InterlockedExchange8(p, value) PORTRES_EXCHANGE(p, value)
#define InterlockedExchange16(p, value) PORTRES_EXCHANGE(p, value)
#define InterlockedExchange64(p, value) PORTRES_EXCHANGE(p, value)
#define InterlockedExchangeAdd(p, value) PORTRES_ADD_OLD(p, value)
#define InterlockedExchangeAdd64(p, value) PORTRES_ADD_OLD(p, value)
#define InterlockedExchangeSubtract(p, value)                                  \
	__atomic_fetch_sub((p), (value), __ATOMIC_SEQ_CST)
#define InterlockedAnd(p, value) PORTRES_AND(p, value)
#define InterlockedAnd64(p, value) PORTRES_AND(p, value)
#define InterlockedOr(p, value) PORTRES_OR(p, value)
#define InterlockedOr64(p, value) PORTRES_OR(p, value)
#define InterlockedXor(p, value) PORTRES_XOR(p, value)
#define InterlockedXor64(p, value) PORTRES_XOR(p, value)
#define InterlockedCompareExchange(p, value, expected)                         \
	PORTRES_COMPARE(p, value, expected)
#define InterlockedCompareExchange16(p, value, expected)                       \
	PORTRES_COMPARE(p, value, expected)
#define InterlockedCompareExchange64(p, value, expected)                       \
	PORTRES_COMPARE(p, value, expected)
#endif

static __inline PVOID
InterlockedExchangePointer(PVOID volatile *target, PVOID value)
{
	return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}

static __inline PVOID
InterlockedCompareExchangePointer(PVOID volatile *target, PVOID value,
				  PVOID expected)
{
	return __sync_val_compare_and_swap(target, expected, value);
}

#endif
