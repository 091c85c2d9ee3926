/* SPDX-License-Identifier: MIT */
/*
 * Interlocked*, each spelling of them: 5 before, what it answers, what it
 * leaves. mingw-w64 lacks some that have a fence in their name.
 */
#include <windows.h>
#include <stdio.h>
#include "check.h"
#include "say.h"

static volatile LONG v;
static volatile LONG64 q;
static volatile SHORT s;
static volatile char b;

#define ALL_5() (v = 5, q = 5, s = 5, b = 5)
#define IS(call, answer, left)                                                 \
	(ALL_5(),                                                              \
	 check(#call, (call) == (answer) && v + q + s + b == (left) + 15))

static void
to_increment(void)
{
	IS(InterlockedIncrement(&v), 6, 6);
	IS(InterlockedIncrement16(&s), 6, 6);
	IS(InterlockedIncrement64(&q), 6, 6);
	IS(InterlockedIncrementAcquire(&v), 6, 6);
	IS(InterlockedIncrementAcquire16(&s), 6, 6);
	IS(InterlockedIncrementAcquire64(&q), 6, 6);
	IS(InterlockedIncrementRelease(&v), 6, 6);
	IS(InterlockedIncrementRelease16(&s), 6, 6);
	IS(InterlockedIncrementRelease64(&q), 6, 6);
	IS(InterlockedIncrementNoFence(&v), 6, 6);
	IS(InterlockedIncrementNoFence16(&s), 6, 6);
	IS(InterlockedIncrementNoFence64(&q), 6, 6);
	IS(_InterlockedIncrement(&v), 6, 6);
	IS(_InterlockedIncrement16(&s), 6, 6);
	IS(_InterlockedIncrement64(&q), 6, 6);
}

static void
to_decrement(void)
{
	IS(InterlockedDecrement(&v), 4, 4);
	IS(InterlockedDecrement16(&s), 4, 4);
	IS(InterlockedDecrement64(&q), 4, 4);
	IS(InterlockedDecrementAcquire(&v), 4, 4);
	IS(InterlockedDecrementAcquire16(&s), 4, 4);
	IS(InterlockedDecrementAcquire64(&q), 4, 4);
	IS(InterlockedDecrementRelease(&v), 4, 4);
	IS(InterlockedDecrementRelease16(&s), 4, 4);
	IS(InterlockedDecrementRelease64(&q), 4, 4);
	IS(InterlockedDecrementNoFence(&v), 4, 4);
	IS(InterlockedDecrementNoFence16(&s), 4, 4);
	IS(InterlockedDecrementNoFence64(&q), 4, 4);
	IS(_InterlockedDecrement(&v), 4, 4);
	IS(_InterlockedDecrement16(&s), 4, 4);
	IS(_InterlockedDecrement64(&q), 4, 4);
}

static void
to_add(void)
{
	IS(InterlockedAdd(&v, 3), 8, 8);
	IS(InterlockedAdd64(&q, 3), 8, 8);
	IS(InterlockedAddAcquire(&v, 3), 8, 8);
	IS(InterlockedAddAcquire64(&q, 3), 8, 8);
	IS(InterlockedAddRelease(&v, 3), 8, 8);
	IS(InterlockedAddRelease64(&q, 3), 8, 8);
	IS(InterlockedAddNoFence(&v, 3), 8, 8);
	IS(InterlockedAddNoFence64(&q, 3), 8, 8);
	IS(_InterlockedAdd(&v, 3), 8, 8);
	IS(_InterlockedAdd64(&q, 3), 8, 8);
}

static void
to_exchange(void)
{
	IS(InterlockedExchange(&v, 9), 5, 9);
	IS(InterlockedExchange8(&b, 9), 5, 9);
	IS(InterlockedExchange16(&s, 9), 5, 9);
	IS(InterlockedExchange64(&q, 9), 5, 9);
	IS(InterlockedExchangeAcquire(&v, 9), 5, 9);
	IS(InterlockedExchangeAcquire64(&q, 9), 5, 9);
	IS(InterlockedExchangeNoFence(&v, 9), 5, 9);
	IS(InterlockedExchangeNoFence64(&q, 9), 5, 9);
	IS(_InterlockedExchange(&v, 9), 5, 9);
	IS(_InterlockedExchange8(&b, 9), 5, 9);
	IS(_InterlockedExchange16(&s, 9), 5, 9);
	IS(_InterlockedExchange64(&q, 9), 5, 9);
}

static void
to_exchange_add(void)
{
	IS(InterlockedExchangeAdd(&v, 3), 5, 8);
	IS(InterlockedExchangeAdd8(&b, 3), 5, 8);
	IS(InterlockedExchangeAdd16(&s, 3), 5, 8);
	IS(InterlockedExchangeAdd64(&q, 3), 5, 8);
	IS(InterlockedExchangeAddAcquire(&v, 3), 5, 8);
	IS(InterlockedExchangeAddAcquire64(&q, 3), 5, 8);
	IS(InterlockedExchangeAddRelease(&v, 3), 5, 8);
	IS(InterlockedExchangeAddRelease64(&q, 3), 5, 8);
	IS(InterlockedExchangeAddNoFence(&v, 3), 5, 8);
	IS(InterlockedExchangeAddNoFence64(&q, 3), 5, 8);
	IS(_InterlockedExchangeAdd(&v, 3), 5, 8);
	IS(_InterlockedExchangeAdd8(&b, 3), 5, 8);
	IS(_InterlockedExchangeAdd16(&s, 3), 5, 8);
	IS(_InterlockedExchangeAdd64(&q, 3), 5, 8);
}

static void
to_exchange_subtract(void)
{
	IS(InterlockedExchangeSubtract(&v, 3), 5, 2);
}

static void
to_and(void)
{
	IS(InterlockedAnd(&v, 4), 5, 4);
	IS(InterlockedAnd8(&b, 4), 5, 4);
	IS(InterlockedAnd16(&s, 4), 5, 4);
	IS(InterlockedAnd64(&q, 4), 5, 4);
	IS(InterlockedAndAcquire(&v, 4), 5, 4);
	IS(InterlockedAnd64Acquire(&q, 4), 5, 4);
	IS(InterlockedAndRelease(&v, 4), 5, 4);
	IS(InterlockedAnd64Release(&q, 4), 5, 4);
	IS(InterlockedAndNoFence(&v, 4), 5, 4);
	IS(InterlockedAnd64NoFence(&q, 4), 5, 4);
	IS(_InterlockedAnd(&v, 4), 5, 4);
	IS(_InterlockedAnd8(&b, 4), 5, 4);
	IS(_InterlockedAnd16(&s, 4), 5, 4);
	IS(_InterlockedAnd64(&q, 4), 5, 4);
}

static void
to_or(void)
{
	IS(InterlockedOr(&v, 2), 5, 7);
	IS(InterlockedOr8(&b, 2), 5, 7);
	IS(InterlockedOr16(&s, 2), 5, 7);
	IS(InterlockedOr64(&q, 2), 5, 7);
	IS(InterlockedOrAcquire(&v, 2), 5, 7);
	IS(InterlockedOr64Acquire(&q, 2), 5, 7);
	IS(InterlockedOrRelease(&v, 2), 5, 7);
	IS(InterlockedOr64Release(&q, 2), 5, 7);
	IS(InterlockedOrNoFence(&v, 2), 5, 7);
	IS(InterlockedOr64NoFence(&q, 2), 5, 7);
	IS(_InterlockedOr(&v, 2), 5, 7);
	IS(_InterlockedOr8(&b, 2), 5, 7);
	IS(_InterlockedOr16(&s, 2), 5, 7);
	IS(_InterlockedOr64(&q, 2), 5, 7);
}

static void
to_xor(void)
{
	IS(InterlockedXor(&v, 1), 5, 4);
	IS(InterlockedXor8(&b, 1), 5, 4);
	IS(InterlockedXor16(&s, 1), 5, 4);
	IS(InterlockedXor64(&q, 1), 5, 4);
	IS(InterlockedXorAcquire(&v, 1), 5, 4);
	IS(InterlockedXor64Acquire(&q, 1), 5, 4);
	IS(InterlockedXorRelease(&v, 1), 5, 4);
	IS(InterlockedXor64Release(&q, 1), 5, 4);
	IS(InterlockedXorNoFence(&v, 1), 5, 4);
	IS(InterlockedXor64NoFence(&q, 1), 5, 4);
	IS(_InterlockedXor(&v, 1), 5, 4);
	IS(_InterlockedXor8(&b, 1), 5, 4);
	IS(_InterlockedXor16(&s, 1), 5, 4);
	IS(_InterlockedXor64(&q, 1), 5, 4);
}

static void
to_compare_exchange(void)
{
	IS(InterlockedCompareExchange(&v, 9, 5), 5, 9);
	IS(InterlockedCompareExchange16(&s, 9, 5), 5, 9);
	IS(InterlockedCompareExchange64(&q, 9, 5), 5, 9);
	IS(InterlockedCompareExchangeAcquire(&v, 9, 5), 5, 9);
	IS(InterlockedCompareExchangeAcquire16(&s, 9, 5), 5, 9);
	IS(InterlockedCompareExchangeAcquire64(&q, 9, 5), 5, 9);
	IS(InterlockedCompareExchangeRelease(&v, 9, 5), 5, 9);
	IS(InterlockedCompareExchangeRelease16(&s, 9, 5), 5, 9);
	IS(InterlockedCompareExchangeRelease64(&q, 9, 5), 5, 9);
	IS(InterlockedCompareExchangeNoFence(&v, 9, 5), 5, 9);
	IS(InterlockedCompareExchangeNoFence16(&s, 9, 5), 5, 9);
	IS(InterlockedCompareExchangeNoFence64(&q, 9, 5), 5, 9);
	IS(_InterlockedCompareExchange(&v, 9, 5), 5, 9);
	IS(_InterlockedCompareExchange8(&b, 9, 5), 5, 9);
	IS(_InterlockedCompareExchange16(&s, 9, 5), 5, 9);
	IS(_InterlockedCompareExchange64(&q, 9, 5), 5, 9);
}

static PVOID pointer, one, two;

#define SWAPS(call)                                                            \
	(pointer = one, check(#call, (call) == one && pointer == two))

static void
pointers(void)
{
	int a, z;

	one = &a;
	two = &z;
	SWAPS(InterlockedExchangePointer(&pointer, two));
	SWAPS(InterlockedCompareExchangePointer(&pointer, two, one));
	SWAPS(InterlockedExchangePointerAcquire(&pointer, two));
	SWAPS(InterlockedExchangePointerNoFence(&pointer, two));
	SWAPS(_InterlockedExchangePointer(&pointer, two));
	SWAPS(InterlockedCompareExchangePointerAcquire(&pointer, two, one));
	SWAPS(InterlockedCompareExchangePointerRelease(&pointer, two, one));
	SWAPS(InterlockedCompareExchangePointerNoFence(&pointer, two, one));
	SWAPS(_InterlockedCompareExchangePointer(&pointer, two, one));
}

static LONG bits[2];
static LONG64 wide[2];

/* Twice: the bit changes, so the answer does. */
#define BIT(name, array, n, before, after)                                     \
	(memset(bits, (before) ? 0xff : 0, sizeof(bits)),                      \
	 memset(wide, (before) ? 0xff : 0, sizeof(wide)),                      \
	 check(#name, name(array, n) == (before)),                             \
	 check(#name " again", name(array, n) == (after)))

static void
single_bits(void)
{
	BIT(InterlockedBitTestAndSet, bits, 3, 0, 1);
	BIT(InterlockedBitTestAndReset, bits, 3, 1, 0);
	BIT(InterlockedBitTestAndComplement, bits, 3, 0, 1);
	BIT(InterlockedBitTestAndSet64, wide, 40, 0, 1);
	BIT(InterlockedBitTestAndReset64, wide, 40, 1, 0);
	BIT(InterlockedBitTestAndComplement64, wide, 40, 0, 1);
	BIT(InterlockedBitTestAndSetAcquire, bits, 3, 0, 1);
	BIT(InterlockedBitTestAndSetRelease, bits, 3, 0, 1);
	BIT(_interlockedbittestandset, bits, 3, 0, 1);
	BIT(_interlockedbittestandset64, wide, 40, 0, 1);
	BIT(InterlockedBitTestAndResetAcquire, bits, 3, 1, 0);
	BIT(InterlockedBitTestAndResetRelease, bits, 3, 1, 0);
	BIT(_interlockedbittestandreset, bits, 3, 1, 0);
	BIT(_interlockedbittestandreset64, wide, 40, 1, 0);
	bits[0] = bits[1] = 0;
	InterlockedBitTestAndSet(bits, 33);
	SAY("beyond the first", bits[1] * 10 + bits[0]);
	InterlockedBitTestAndSet64(wide, 0);
	bits[0] = 9;
	InterlockedBitTestAndReset(bits, 3);
	SAY("reset leaves", bits[0]);
}

/* The order of the others is theirs; here that they are there. */
static void
fences(void)
{
	bits[0] = 1;
	MemoryBarrier();
	_ReadWriteBarrier();
	_ReadBarrier();
	_WriteBarrier();
	YieldProcessor();
	SAY("fences", bits[0]);
}

int
main(void)
{
	to_increment();
	to_decrement();
	to_add();
	to_exchange();
	to_exchange_add();
	to_exchange_subtract();
	to_and();
	to_or();
	to_xor();
	to_compare_exchange();
	pointers();
	single_bits();
	fences();
	SAY("right", rights);
	return 0;
}
