/* SPDX-License-Identifier: MIT */
/*
 * Interlocked*, a part of winnt.h. All of them order everything, as on Windows.
 * LONG and long, which are one type there, are both taken.
 *
 * New value: Increment, Decrement, Add. Old value: all others.
 *
 * The pointer decides how wide it is: all further spellings are names for the
 * same, and ...Acquire, ...Release and ...NoFence order more than they must.
 */
#ifndef PORTRES_INTERLOCKED_H
#define PORTRES_INTERLOCKED_H

#define MemoryBarrier() __sync_synchronize()
/* These are for the compiler alone. */
#define _ReadWriteBarrier() __asm__ __volatile__("" : : : "memory")
#define _ReadBarrier() _ReadWriteBarrier()
#define _WriteBarrier() _ReadWriteBarrier()
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
PORTRES_INTERLOCKED_ONE(InterlockedDecrement, __atomic_sub_fetch)
PORTRES_INTERLOCKED(InterlockedAdd, __atomic_add_fetch)
PORTRES_INTERLOCKED(InterlockedExchange, __atomic_exchange_n)
PORTRES_INTERLOCKED(InterlockedExchangeAdd, __atomic_fetch_add)
PORTRES_INTERLOCKED(InterlockedExchangeSubtract, __atomic_fetch_sub)
PORTRES_INTERLOCKED(InterlockedAnd, __atomic_fetch_and)
PORTRES_INTERLOCKED(InterlockedOr, __atomic_fetch_or)
PORTRES_INTERLOCKED(InterlockedXor, __atomic_fetch_xor)
PORTRES_INTERLOCKED_COMPARE(InterlockedCompareExchange)

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
#define InterlockedDecrement(p) PORTRES_ONE_LESS(p)
#define InterlockedAdd(p, value) PORTRES_ADD(p, value)
#define InterlockedExchange(p, value) PORTRES_EXCHANGE(p, value)
#define InterlockedExchangeAdd(p, value) PORTRES_ADD_OLD(p, value)
#define InterlockedExchangeSubtract(p, value)                                  \
	__atomic_fetch_sub((p), (value), __ATOMIC_SEQ_CST)
#define InterlockedAnd(p, value) PORTRES_AND(p, value)
#define InterlockedOr(p, value) PORTRES_OR(p, value)
#define InterlockedXor(p, value) PORTRES_XOR(p, value)
#define InterlockedCompareExchange(p, value, expected)                         \
	PORTRES_COMPARE(p, value, expected)
#endif

#define InterlockedIncrement16 InterlockedIncrement
#define InterlockedIncrement64 InterlockedIncrement
#define InterlockedIncrementAcquire InterlockedIncrement
#define InterlockedIncrementAcquire16 InterlockedIncrement
#define InterlockedIncrementAcquire64 InterlockedIncrement
#define InterlockedIncrementRelease InterlockedIncrement
#define InterlockedIncrementRelease16 InterlockedIncrement
#define InterlockedIncrementRelease64 InterlockedIncrement
#define InterlockedIncrementNoFence InterlockedIncrement
#define InterlockedIncrementNoFence16 InterlockedIncrement
#define InterlockedIncrementNoFence64 InterlockedIncrement
#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedIncrement16 InterlockedIncrement
#define _InterlockedIncrement64 InterlockedIncrement

#define InterlockedDecrement16 InterlockedDecrement
#define InterlockedDecrement64 InterlockedDecrement
#define InterlockedDecrementAcquire InterlockedDecrement
#define InterlockedDecrementAcquire16 InterlockedDecrement
#define InterlockedDecrementAcquire64 InterlockedDecrement
#define InterlockedDecrementRelease InterlockedDecrement
#define InterlockedDecrementRelease16 InterlockedDecrement
#define InterlockedDecrementRelease64 InterlockedDecrement
#define InterlockedDecrementNoFence InterlockedDecrement
#define InterlockedDecrementNoFence16 InterlockedDecrement
#define InterlockedDecrementNoFence64 InterlockedDecrement
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedDecrement16 InterlockedDecrement
#define _InterlockedDecrement64 InterlockedDecrement

#define InterlockedAdd64 InterlockedAdd
#define InterlockedAddAcquire InterlockedAdd
#define InterlockedAddAcquire64 InterlockedAdd
#define InterlockedAddRelease InterlockedAdd
#define InterlockedAddRelease64 InterlockedAdd
#define InterlockedAddNoFence InterlockedAdd
#define InterlockedAddNoFence64 InterlockedAdd
#define _InterlockedAdd InterlockedAdd
#define _InterlockedAdd64 InterlockedAdd

#define InterlockedExchange8 InterlockedExchange
#define InterlockedExchange16 InterlockedExchange
#define InterlockedExchange64 InterlockedExchange
#define InterlockedExchangeAcquire InterlockedExchange
#define InterlockedExchangeAcquire64 InterlockedExchange
#define InterlockedExchangeNoFence InterlockedExchange
#define InterlockedExchangeNoFence64 InterlockedExchange
#define _InterlockedExchange InterlockedExchange
#define _InterlockedExchange8 InterlockedExchange
#define _InterlockedExchange16 InterlockedExchange
#define _InterlockedExchange64 InterlockedExchange

#define InterlockedExchangeAdd8 InterlockedExchangeAdd
#define InterlockedExchangeAdd16 InterlockedExchangeAdd
#define InterlockedExchangeAdd64 InterlockedExchangeAdd
#define InterlockedExchangeAddAcquire InterlockedExchangeAdd
#define InterlockedExchangeAddAcquire64 InterlockedExchangeAdd
#define InterlockedExchangeAddRelease InterlockedExchangeAdd
#define InterlockedExchangeAddRelease64 InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence64 InterlockedExchangeAdd
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedExchangeAdd8 InterlockedExchangeAdd
#define _InterlockedExchangeAdd16 InterlockedExchangeAdd
#define _InterlockedExchangeAdd64 InterlockedExchangeAdd

#define InterlockedAnd8 InterlockedAnd
#define InterlockedAnd16 InterlockedAnd
#define InterlockedAnd64 InterlockedAnd
#define InterlockedAndAcquire InterlockedAnd
#define InterlockedAnd64Acquire InterlockedAnd
#define InterlockedAndRelease InterlockedAnd
#define InterlockedAnd64Release InterlockedAnd
#define InterlockedAndNoFence InterlockedAnd
#define InterlockedAnd64NoFence InterlockedAnd
#define _InterlockedAnd InterlockedAnd
#define _InterlockedAnd8 InterlockedAnd
#define _InterlockedAnd16 InterlockedAnd
#define _InterlockedAnd64 InterlockedAnd

#define InterlockedOr8 InterlockedOr
#define InterlockedOr16 InterlockedOr
#define InterlockedOr64 InterlockedOr
#define InterlockedOrAcquire InterlockedOr
#define InterlockedOr64Acquire InterlockedOr
#define InterlockedOrRelease InterlockedOr
#define InterlockedOr64Release InterlockedOr
#define InterlockedOrNoFence InterlockedOr
#define InterlockedOr64NoFence InterlockedOr
#define _InterlockedOr InterlockedOr
#define _InterlockedOr8 InterlockedOr
#define _InterlockedOr16 InterlockedOr
#define _InterlockedOr64 InterlockedOr

#define InterlockedXor8 InterlockedXor
#define InterlockedXor16 InterlockedXor
#define InterlockedXor64 InterlockedXor
#define InterlockedXorAcquire InterlockedXor
#define InterlockedXor64Acquire InterlockedXor
#define InterlockedXorRelease InterlockedXor
#define InterlockedXor64Release InterlockedXor
#define InterlockedXorNoFence InterlockedXor
#define InterlockedXor64NoFence InterlockedXor
#define _InterlockedXor InterlockedXor
#define _InterlockedXor8 InterlockedXor
#define _InterlockedXor16 InterlockedXor
#define _InterlockedXor64 InterlockedXor

#define InterlockedCompareExchange16 InterlockedCompareExchange
#define InterlockedCompareExchange64 InterlockedCompareExchange
#define InterlockedCompareExchangeAcquire InterlockedCompareExchange
#define InterlockedCompareExchangeAcquire16 InterlockedCompareExchange
#define InterlockedCompareExchangeAcquire64 InterlockedCompareExchange
#define InterlockedCompareExchangeRelease InterlockedCompareExchange
#define InterlockedCompareExchangeRelease16 InterlockedCompareExchange
#define InterlockedCompareExchangeRelease64 InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence16 InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence64 InterlockedCompareExchange
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedCompareExchange8 InterlockedCompareExchange
#define _InterlockedCompareExchange16 InterlockedCompareExchange
#define _InterlockedCompareExchange64 InterlockedCompareExchange

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

#define InterlockedExchangePointerAcquire InterlockedExchangePointer
#define InterlockedExchangePointerNoFence InterlockedExchangePointer
#define _InterlockedExchangePointer InterlockedExchangePointer
#define InterlockedCompareExchangePointerAcquire                               \
	InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerRelease                               \
	InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerNoFence                               \
	InterlockedCompareExchangePointer
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer

/* The bit's old value. As on Windows it may lie beyond the first LONG; `long`
 * is taken too. */
#define PORTRES_BIT(name, type, number, log, builtin, change)                  \
	static __inline BOOLEAN name(volatile void *base, number offset)       \
	{                                                                      \
		typedef type __attribute__((__may_alias__)) word;              \
		volatile word *at = (volatile word *)base + (offset >> (log)); \
		word bit = (word)1 << (offset & ((1 << (log)) - 1));           \
                                                                               \
		return (builtin(at, change, __ATOMIC_SEQ_CST) & bit) != 0;     \
	}

PORTRES_BIT(InterlockedBitTestAndSet, ULONG, LONG, 5, __atomic_fetch_or, bit)
PORTRES_BIT(InterlockedBitTestAndReset, ULONG, LONG, 5, __atomic_fetch_and,
	    ~bit)
PORTRES_BIT(InterlockedBitTestAndComplement, ULONG, LONG, 5, __atomic_fetch_xor,
	    bit)
PORTRES_BIT(InterlockedBitTestAndSet64, ULONG64, LONG64, 6, __atomic_fetch_or,
	    bit)
PORTRES_BIT(InterlockedBitTestAndReset64, ULONG64, LONG64, 6,
	    __atomic_fetch_and, ~bit)
PORTRES_BIT(InterlockedBitTestAndComplement64, ULONG64, LONG64, 6,
	    __atomic_fetch_xor, bit)

#undef PORTRES_BIT

#define InterlockedBitTestAndSetAcquire InterlockedBitTestAndSet
#define InterlockedBitTestAndSetRelease InterlockedBitTestAndSet
#define _interlockedbittestandset InterlockedBitTestAndSet
#define _interlockedbittestandset64 InterlockedBitTestAndSet64
#define InterlockedBitTestAndResetAcquire InterlockedBitTestAndReset
#define InterlockedBitTestAndResetRelease InterlockedBitTestAndReset
#define _interlockedbittestandreset InterlockedBitTestAndReset
#define _interlockedbittestandreset64 InterlockedBitTestAndReset64

#endif
