/* SPDX-License-Identifier: MIT */
/*
 * Windows' heaps on malloc(). In front of each block stands what free() and
 * malloc() do not tell: how much was asked for, and of which heap.
 */
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "windows.h"

struct block {
	alignas(max_align_t) struct block *next;
	struct block *before;
	struct heap *heap;
	size_t size;
};

/* A ring of its blocks, to free them all with it; that of the process, which
 * nobody frees, has none. */
struct heap {
	struct block ring;
};

static struct heap process_heap;

/* It guards all rings, and a fork waits for it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
take_lock(void)
{
	pthread_mutex_lock(&lock);
}

static void
give_lock(void)
{
	pthread_mutex_unlock(&lock);
}

static void
mind_forks(void)
{
	pthread_atfork(take_lock, give_lock, give_lock);
}

static struct block *
block_of(const void *memory)
{
	return (struct block *)(uintptr_t)memory - 1;
}

static void
join(struct heap *heap, struct block *block)
{
	block->heap = heap;
	if (heap == &process_heap)
		return;
	take_lock();
	block->next = heap->ring.next;
	block->before = &heap->ring;
	block->next->before = block;
	heap->ring.next = block;
	give_lock();
}

static void
leave(struct block *block)
{
	if (block->heap == &process_heap)
		return;
	take_lock();
	block->next->before = block->before;
	block->before->next = block->next;
	give_lock();
}

static void *
no_memory(void)
{
	SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	return NULL;
}

static void *
allocate(struct heap *heap, size_t size, bool zero)
{
	struct block *block = NULL;

	if (size <= SIZE_MAX - sizeof(*block))
		block = malloc(sizeof(*block) + size);
	if (!block)
		return no_memory();
	block->size = size;
	join(heap, block);
	return zero ? memset(block + 1, 0, size) : block + 1;
}

/* On failure the block is as it was. */
static void *
resize(void *memory, size_t size, bool zero, bool in_place)
{
	struct block *old = block_of(memory);
	void *new;

	if (in_place && size > old->size)
		return no_memory();
	if (in_place) {
		old->size = size;
		return memory;
	}
	new = allocate(old->heap, size, zero);
	if (!new)
		return NULL;
	memcpy(new, memory, size < old->size ? size : old->size);
	leave(old);
	free(old);
	return new;
}

static void
release(void *memory)
{
	leave(block_of(memory));
	free(block_of(memory));
}

HANDLE WINAPI
GetProcessHeap(void)
{
	return &process_heap;
}

HANDLE WINAPI
HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct heap *heap = malloc(sizeof(*heap));

	(void)flOptions;
	(void)dwInitialSize;
	(void)dwMaximumSize;
	pthread_once(&once, mind_forks);
	if (!heap)
		return no_memory();
	heap->ring.next = heap->ring.before = &heap->ring;
	return heap;
}

BOOL WINAPI
HeapDestroy(HANDLE hHeap)
{
	struct heap *heap = hHeap;

	if (!heap || heap == &process_heap) {
		SetLastError(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	while (heap->ring.next != &heap->ring)
		release(heap->ring.next + 1);
	free(heap);
	return TRUE;
}

LPVOID WINAPI
HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
{
	return allocate(hHeap, dwBytes, dwFlags & HEAP_ZERO_MEMORY);
}

LPVOID WINAPI
HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes)
{
	(void)hHeap;
	if (!lpMem) {
		SetLastError(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	return resize(lpMem, dwBytes, dwFlags & HEAP_ZERO_MEMORY,
		      dwFlags & HEAP_REALLOC_IN_PLACE_ONLY);
}

BOOL WINAPI
HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
{
	(void)hHeap;
	(void)dwFlags;
	if (lpMem)
		release(lpMem);
	return TRUE;
}

SIZE_T WINAPI
HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
	(void)hHeap;
	(void)dwFlags;
	return block_of(lpMem)->size;
}

HLOCAL WINAPI
LocalAlloc(UINT uFlags, SIZE_T uBytes)
{
	return allocate(&process_heap, uBytes, uFlags & LMEM_ZEROINIT);
}

HLOCAL WINAPI
LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags)
{
	return HeapReAlloc(&process_heap,
			   uFlags & LMEM_ZEROINIT ? HEAP_ZERO_MEMORY : 0, hMem,
			   uBytes);
}

SIZE_T WINAPI
LocalSize(HLOCAL hMem)
{
	return hMem ? block_of(hMem)->size : 0;
}

HLOCAL WINAPI
LocalFree(HLOCAL hMem)
{
	if (hMem)
		release(hMem);
	return NULL;
}

LPVOID WINAPI
LocalLock(HLOCAL hMem)
{
	return hMem;
}

/* FALSE and NO_ERROR: it is not locked any more. */
BOOL WINAPI
LocalUnlock(HLOCAL hMem)
{
	(void)hMem;
	SetLastError(NO_ERROR);
	return FALSE;
}
