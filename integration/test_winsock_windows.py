# SPDX-License-Identifier: MIT
"""Microsoft's C runtime, threads and locks, as far as they are carried. What the
programs say is what Microsoft's documentation says; the page is in brackets."""

import pytest
from kits.compilers import FOUND, table
from kits.sleeping import SLEEPS

STRINGS = r"""
# strcpy_s, wcscpy_s, _mbscpy_s, _mbscpy_s_l
strcpy_s 0; strcpy_s text [abcd]; strcpy_s too long 34; strcpy_s too long text []
strcpy_s to NULL 22; strcpy_s of NULL 22; strcpy_s of NULL text []
wcscpy_s 0; wcscpy_s text [abcd]; wcscpy_s too long 34; wcscpy_s too long text []
# strncpy_s, _strncpy_s_l, wcsncpy_s, ...
strncpy_s 0; strncpy_s text [abc]; strncpy_s long count 0
strncpy_s long count text [abc]; strncpy_s no room 34; strncpy_s no room text []
strncpy_s truncate 80; strncpy_s truncate text [abcd]; strncpy_s truncate fits 0
wcsncpy_s 80; wcsncpy_s text [abcd]
# strcat_s, wcscat_s, _mbscat_s; strncat_s, ...
strcat_s 0; strcat_s text [abcd]; strcat_s no room 34; strcat_s no room text []
strcat_s no end 22; wcscat_s 0; wcscat_s text [abx]; wcscat_s no room 34
strncat_s 0; strncat_s text [abc]; strncat_s truncate 80
strncat_s truncate text [abcd]
# memcpy_s, wmemcpy_s; memmove_s, wmemmove_s; strnlen, strnlen_s, ...
memcpy_s 0; memcpy_s text [abc]; memcpy_s no room 34; memcpy_s clears 0
memmove_s 0; strnlen 2
# _stricmp, _wcsicmp, ...; _strnicmp, _wcsnicmp, ...; _memicmp, _memicmp_l
_stricmp same 0; _stricmp less 1; stricmp more 1; _strnicmp 0; strnicmp 1
_wcsicmp 0; _wcsnicmp 0; _memicmp 0; _tcsicmp 0; _tcslen 3
# _strupr, ...; _strlwr, ...; _strrev, ...; _strdup, ...
_strupr [ABC-9]; _strlwr [abc-9]; _strrev [9-cba]; _strdup [9-cba]
# strtok_s, _strtok_s_l, wcstok_s, ...
one [GET]; two [/index]; three [HTTP]
# StringCchCopyA, StringCchCopyNA, StringCchCatA, StringCchCatNA (strsafe.h)
StringCchCopy 0; StringCchCopy text [abcd]; StringCchCopy cut 1
StringCchCopy cut text [abcd]; StringCchCopy no size 1; StringCchCopyN 0
StringCchCopyN text [xy]; StringCchCat 0; StringCchCat text [xyz]
StringCchCat cut 1; StringCchCat cut text [xyza]; StringCchCatN 0
StringCbCopyW 0; StringCbCopyW text [abcd]; StringCbCopyW cut 1
# StringCchPrintfA, StringCchLengthA, StringCbLengthW (strsafe.h)
StringCchPrintf 0; StringCchPrintf text [12ab]; StringCchPrintf cut 1
StringCchPrintf cut text [0001]; StringCchLength 0; StringCchLength length 3
StringCchLength no end 1; StringCchPrintfW 0; StringCchPrintfW text [ab1]
StringCbLengthW 0; StringCbLengthW length 3; constants 1; FAILED 1
# lstrlenA, lstrcatA, lstrcpynA, lstrcmpiA, ... (winbase.h); wsprintfA (winuser.h)
lstrlen NULL 0; lstrlen 3; lstrlenW 4; lstrcat [abcdef]; lstrcpyn [abc]
lstrcmpi 0; lstrcmp 1; lstrcmpW 0; wsprintf 4; wsprintf text [42-x]
wsprintfW 3; wsprintfW text [abc]
"""

PRINTING = r"""
# sprintf_s, _sprintf_s_l, swprintf_s, _swprintf_s_l
sprintf_s 4; sprintf_s text [1234]; sprintf_s no room 1; sprintf_s no room text []
sprintf_s 64 1; swprintf_s 4; swprintf_s text [ab12]
# snprintf, _snprintf, _snprintf_l, _snwprintf, _snwprintf_l
_snprintf 3; _snprintf text [abc]; _snprintf full 5
_snprintf full text [abcdexxxx]; _snprintf cut -1; _snprintf cut text [ABCDexxxx]
_snwprintf -1; _snwprintf text [abcd]
# _snprintf_s, _snprintf_s_l, _snwprintf_s, ...; vsnprintf_s, _vsnprintf_s, ...
_snprintf_s truncate -1; _snprintf_s truncate text [abcd]; _snprintf_s count -1
_snprintf_s count text [ab]; _snprintf_s fits 4; _vsnprintf_s 4
_vsnprintf_s cut -1; _vsnprintf_s cut text [a=12]
# _scprintf, _scprintf_l, _scwprintf, ...
_scprintf 9
# itoa, _itoa, ltoa, _ltoa, ultoa, ...; _itoa_s, _ltoa_s, ...
_itoa [-1234]; _itoa 16 [ffffffff]; _itoa 2 [1010]; _itoa 36 [z]
_itoa least [-2147483648]; itoa [8080]; _ltoa [-5]; _ultoa [4294967295]
_i64toa [-5000000000]; _ui64toa [ffffffffffffffff]; _itow [77]
_itoa_s 0; _itoa_s no room 34; _itoa_s no room text []
# _atoi64, ...; _strtoi64, ...; _strtoui64, ...; _countof; __min; __max
_atoi64 -5000000000; _strtoi64 1; _strtoui64 10; _countof 70; min max 34
# scanf_s, ...; sscanf_s, _sscanf_s_l, ...; scanf Type conversion characters
sscanf_s 2; sscanf_s port 8080; sscanf_s text 2; sscanf_s word [host]
sscanf_s number 80; sscanf_s long 0; sscanf_s long text []; sscanf_s char 1
sscanf_s char is 113; sscanf_s width 2; sscanf_s letters 25444; sscanf_s none 0
sscanf_s end -1; sscanf_s skip 1; sscanf_s skipped 2; sscanf_s 64 1
# fopen_s, _wfopen_s (ENOENT: errno Constants); strerror_s, ...
fopen_s 0; fgets 1; line [5 five]; fopen_s none 2; fopen_s none is NULL 1
strerror_s 0; strerror_s length 1
"""

TIMES = r"""
# gmtime_s, _gmtime32_s, ...; localtime_s, ...; asctime_s, ...; ctime_s, ...
gmtime_s 0; year 71; hour 1; second 1; localtime_s 0; local minute 1
localtime_s wrong 22; wrong leaves -1; asctime_s 0; asctime_s length 25
asctime_s text [Fri Jan 01 01:01:01 1971]; asctime_s small 22; ctime_s 0
ctime_s length 25; _strtime 1; _strdate 1
# FileTimeToSystemTime, SystemTimeToFileTime (timezoneapi.h); FILETIME (minwinbase.h)
FileTimeToSystemTime 1; epoch 19700101; epoch weekday 4; SystemTimeToFileTime 1
7 ms later 70000; 30 February 0; its error 87
# GetSystemTimeAsFileTime, GetSystemTime, GetLocalTime (sysinfoapi.h)
now 1; same hour or next 1; local 1
# QueryPerformanceFrequency, QueryPerformanceCounter (profileapi.h); Sleep
frequency 1; frequency is 1; slept 30 1
# GetTickCount, GetTickCount64, GetSystemInfo (sysinfoapi.h)
ticks 1; long ticks 1; both 1; processors 1; page 1
# GetComputerNameA (winbase.h); GetCurrentProcessId (processthreadsapi.h)
GetComputerName 1; its length 1; no room 0; no room error 111; pid 1
# SetConsoleOutputCP, SetConsoleCP, GetConsoleCP (consoleapi2)
SetConsoleOutputCP 1; GetConsoleCP 1; no code page 0; its error 87
"""

MEMORY = r"""
# HeapAlloc, HeapReAlloc, HeapSize, HeapFree, HeapCreate, HeapDestroy (heapapi.h)
zeros 0; HeapSize 100; HeapReAlloc [kept]; more zeros 0; HeapSize more 5000
HeapFree 1; HeapFree NULL 1; HeapDestroy 1
# LocalAlloc, LocalFree, GlobalAlloc, GlobalFree (winbase.h)
LPTR 0; LocalFree 1; GPTR 0; GlobalFree 1
# FormatMessage (winbase.h); System Error Codes: 122, 317
FormatMessage 1; ends its line 1; allocated 1; wide 1; without a line 1
message room 0; message room error 122; no message 0; no message error 317
no source 0; no source error 87
# FormatMessage: FORMAT_MESSAGE_FROM_STRING, insert sequences, its own example
two 3; two text [b a]; Microsoft's own [  Bi Bob   Bill]
numbers [ 200|00C8|4000000000|c]; wide insert [wide wide]; escapes [%.! ]
lines 10; are Windows' 0; but for a width 0; ignored [%1 %2!*.*s!%99]
no arguments 0; no arguments error 87; no string 0; no string error 87
string room 0; string room error 122; made 4; made text [abab]
W 15; W text 0
# MultiByteToWideChar, WideCharToMultiByte (stringapiset.h)
room needed 4; to wide 4; e acute 233; euro 8364; some bytes 2; back 4
back is 57986; no room 0; no room error 122; invalid 0; invalid error 1113
replaced 2; replaced by 65533; nothing 0; nothing error 87; ANSI 4
# TlsAlloc, TlsSetValue, TlsGetValue, TlsFree (processthreadsapi.h)
TlsAlloc 1; TlsSetValue 1; nothing there 1; kept here 1; no error 0; TlsFree 1
"""

THREADS = r"""
# CreateThread, GetExitCodeThread, ExitThread, GetThreadId (processthreadsapi.h)
CreateThread 1; id 1; wait 0; stays 0; GetExitCodeThread 1; code 42; close 1
still active 259; not yet 258; then 77; ExitThread 9
# _beginthread, _beginthreadex; _endthread, _endthreadex
_beginthreadex 1; _endthreadex 5; its id 1; _beginthread 1; it ran 0
# ResumeThread (processthreadsapi.h)
suspended 258; did not run 0; ResumeThread 1; resumed 0; ran 1; no thread 1
no thread error 6
# CreateMutexA, ReleaseMutex, WaitForSingleObject (synchapi.h); Mutex Objects
again 0; blocked 258; ReleaseMutex 1; still blocked 258; ReleaseMutex 2 1
goes on 0; got it 0; abandoned 128; ReleaseMutex 3 1; not owner 0
not owner error 288; free 0; abandoned, of all 128; owned then 1
# CreateSemaphoreA, ReleaseSemaphore (winbase.h, synchapi.h); System Error Codes: 298
one 0; none left 258; ReleaseSemaphore 1; count before 0; too many 0
too many error 298; of zero 0; of zero error 87; wrong 1; wrong error 87
# WaitForMultipleObjects (synchapi.h): no handle twice
the third 2; the fourth 3; the second 1; not all 258; all 0; taken 258
twice 4294967295; twice error 87; crowd 0; counted 4000
# QueueUserAPC (processthreadsapi.h); SleepEx (synchapi.h)
QueueUserAPC 1; SleepEx 192; the routine ran 99; SleepEx again 0
"""

LOCKS = r"""
# EnterCriticalSection, TryEnterCriticalSection, ... (synchapi.h)
section 8000; another's try 0; own try 1; with a count 1
# Slim Reader/Writer (SRW) Locks; TryAcquireSRWLockExclusive, ... (synchapi.h)
srw 8000; srw shared 8000; try exclusive 0; try shared 1; try exclusive then 1
# Condition Variables; SleepConditionVariableCS, ...SRW (synchapi.h)
taken 200; nobody wakes it 0; its error 1460; nor this one 0
# InitOnceExecuteOnce (synchapi.h)
made once 1; seen by all 4
# InterlockedIncrement, ...Decrement, ...Exchange, ...CompareExchange, ... (winnt.h)
Increment 6; Decrement 5; Exchange 5; ExchangeAdd 9; CompareExchange no 12
CompareExchange yes 12; Or 1; And 7; Xor 3; value 2; Increment64 5000000001
Exchange64 5000000001; ExchangePointer 1; CompareExchangePointer 1; pointer 1
"""

REST = r"""
# _strupr_s, ...; _strlwr_s, ...; _strset, ...; strncat_s, ...; _strdup, ...
_strupr_s 0; _strupr_s text [ABC]; _strlwr_s 0; _strlwr_s text [abc]
_strlwr_s no end 22; _wcsupr [ABC]; _wcslwr [abc]; _strset [---]; wcsncat_s 0
_wcsdup [abcde]; wcstok_s [b]; strnlen_s 2; _NLSCMPERROR 1
# getenv_s, _wgetenv_s; _dupenv_s, _wdupenv_s; rand_s
getenv_s 0; getenv_s text [five5]; getenv_s size 6; getenv_s no room 34
getenv_s none 0; getenv_s none size 0; _dupenv_s 0; _dupenv_s text [five5]
rand_s 0; rand_s differs 1
# HeapReAlloc (heapapi.h); LocalReAlloc, LocalSize, GlobalSize (winbase.h)
in place 1; size 10; not larger 1; HeapAlloc too much 1; LocalSize 500
LocalLock 1; GlobalSize 0
# FileTimeToLocalFileTime (fileapi.h); MultiByteToWideChar (stringapiset.h)
FileTimeToLocalFileTime 1; ERROR_INVALID_FLAGS 1004; no code page 87
# freopen_s, _wfreopen_s; gets_s, _getws_s; StringCchGetsA (strsafe.h)
freopen_s 0; gets_s 1; gets_s text [first]; gets_s no room 1; StringCchGets 0
StringCchGets text [safe]; StringCbGets 0; StringCbGets text [bytes]; last line 1
end 1; end of file 1; _filelength 47
# scanf_s, ...; fscanf_s, ...; vsscanf_s, vswscanf_s; vsprintf_s, ...; _vscprintf, ...
scanf_s 1; fscanf_s 1; scanned [word]; number 12; vsscanf_s 2; vsprintf_s 404
vscanf_s 13; vfscanf_s 14
"""

# Each of these looks at what it is told and says what was wrong; the answers are
# in the programs, as the pages have them.
SAFE = """
# StringCchCopy, ...; StringCbCopy, ...; StringCbVPrintf (strsafe.h)
right 33
"""

GENERIC = """
# Generic-Text Mappings, and each function's own page
right 57; _tprintf [a]; _tprintf_s [b]; _ftprintf [c]; _ftprintf_s [d]
_vtprintf [e]; _vftprintf [f]; _puttchar [z]
"""

KIN = """
# _i64toa_s, ...; _vsnprintf, ...; _vsnwprintf_s, ...; _strdate_s; _mkgmtime, ...
# _dup, _dup2; _lseek, _lseeki64; _read; _write; _isatty; _access, ...; _popen, ...
right 52; printf_s [1]; fprintf_s [2]; vprintf_s [3]; vfprintf_s [4]
wprintf_s [wide]; fwprintf_s [wide]
"""

MACHINE = """
# Rules for Using Pointers (64-bit); HRESULT_FROM_WIN32 (winerror.h); MoveMemory
# GlobalLock, GlobalReAlloc (winbase.h); WaitForMultipleObjectsEx (synchapi.h)
# lstrcpynW, lstrcatW (winbase.h); wvsprintfW (winuser.h); GetComputerNameW
right 42
"""

LOOKUPS = """
# WSAAddressToStringW, WSAStringToAddressW, WSAEnumProtocolsW, WSADuplicateSocketW
# getservbyname, getprotobynumber, gethostbyaddr: WSANO_DATA, WSAEFAULT
# GetAcceptExSockaddrs, WSARecvEx (mswsock.h); htond, htonf (winsock2.h)
right 36
"""

INTERLOCKED = """
# Interlocked Variable Access, each function; Compiler intrinsics, _Interlocked...
right 162
# InterlockedBitTestAndSet, ...Reset (winnt.h): the bit is LONGs away from the first
beyond the first 20; reset leaves 1; fences 1
"""

TABLES = {
    "strings": STRINGS, "printing": PRINTING, "times": TIMES, "memory": MEMORY,
    "threads": THREADS, "locks": LOCKS, "rest": REST, "interlocked": INTERLOCKED,
    "safe": SAFE, "generic": GENERIC, "kin": KIN, "machine": MACHINE, "lookups": LOOKUPS,
}
# Its headers have not all of these.
NOT_FOR_MINGW = {"interlocked", "lookups"}
STATUS = {"times": 7}  # ExitProcess (processthreadsapi.h)


def documented(name):
    lines = [line for line in TABLES[name].strip().splitlines() if line[0] != "#"]
    return table("\n".join(lines))


@pytest.mark.parametrize("language, compiler", FOUND, ids=lambda word: word)
@pytest.mark.parametrize("name", TABLES)
def test_as_documented(by_compiler, run, tmp_path, name, language, compiler):
    ended = run(by_compiler(name, language, compiler), tmp_path / "file")
    assert ended.returncode == STATUS.get(name, 0), ended.stderr
    assert table(ended.stdout) == documented(name)


@pytest.mark.parametrize("language, compiler", FOUND, ids=lambda word: word)
def test_the_same_for_wide_characters(by_compiler, run, tmp_path, language, compiler):
    ended = run(by_compiler("generic", language, compiler, "-DUNICODE", "-D_UNICODE"),
                tmp_path / "file")
    assert table(ended.stdout) == documented("generic")


@pytest.mark.parametrize("name", sorted(TABLES.keys() - NOT_FOR_MINGW))
def test_the_same_source_for_windows(mingw, name):
    assert mingw(name).exists()


# Once the thread sleeps it has come to its wait.
ASLEEP = SLEEPS + r"""
#include <windows.h>
#include <sched.h>

static void until_asleep(HANDLE thread)
{
	unsigned int id = GetThreadId(thread);

	while (!sleeps(id))
		sched_yield();
}

static HANDLE event, order[3];
static LONG arrived;

static DWORD WINAPI wait_for_it(LPVOID argument)
{
	DWORD answer = WaitForSingleObject(event, INFINITE);

	(void)argument;
	order[InterlockedIncrement(&arrived) - 1] = (HANDLE)argument;
	return answer;
}

static HANDLE threads[3];

static void start(BOOL manual)
{
	event = CreateEvent(NULL, manual, FALSE, NULL);
	for (ULONG_PTR i = 0; i < 3; i++) {
		threads[i] = CreateThread(NULL, 0, wait_for_it, (LPVOID)i, 0, NULL);
		until_asleep(threads[i]);
	}
}
"""


def test_threads_that_have_ended_leave_nothing(compile_program, run):
    """Five hundred stacks of 8 MiB, one after the other, where twenty have room. CreateThread
    (processthreadsapi.h): a thread is removed with its last handle."""
    program = compile_program(r"""
#include <windows.h>
#include <stdio.h>

static DWORD WINAPI nothing(LPVOID argument)
{
	return argument != NULL;
}

static long pages(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long n = 0;

	if (fscanf(file, "%ld", &n) != 1)
		n = 0;
	fclose(file);
	return n;
}

int main(void)
{
	long before = pages();
	int good = 0;

	for (int i = 0; i < 500; i++) {
		HANDLE thread = CreateThread(NULL, 8 << 20, nothing, NULL, 0, NULL);

		good += WaitForSingleObject(thread, 10000) == WAIT_OBJECT_0;
		CloseHandle(thread);
	}
	printf("%d %d\n", good, pages() - before < 20 * 2048);
	return 0;
}
""", "ended", flags=["-Wall", "-Wextra", "-Werror"])
    assert run(program).stdout == "500 1\n"


def test_each_set_lets_one_thread_go(compile_program, run):
    """And a thread that has come first goes first: no set is lost, although the
    thread that it was for has not run yet. SetEvent (synchapi.h)."""
    program = compile_program(ASLEEP + r"""
int main(void)
{
	start(FALSE);
	SetEvent(event);
	WaitForSingleObject(threads[0], INFINITE);
	printf("%d\n", WaitForSingleObject(threads[1], 0) == WAIT_TIMEOUT);
	SetEvent(event);
	SetEvent(event);
	printf("%u\n", WaitForMultipleObjects(3, threads, TRUE, 10000));
	return 0;
}
""", "each", flags=["-Wall", "-Wextra", "-Werror"])
    assert run(program).stdout == "1\n0\n"


def test_a_manual_event_lets_all_go_that_wait(compile_program, run):
    """Even when it is reset before one of them has run."""
    program = compile_program(ASLEEP + r"""
int main(void)
{
	start(TRUE);
	SetEvent(event);
	ResetEvent(event);
	printf("%u\n", WaitForMultipleObjects(3, threads, TRUE, 10000));
	return 0;
}
""", "manual", flags=["-Wall", "-Wextra", "-Werror"])
    assert run(program).stdout == "0\n"


PORT = ASLEEP + r"""
static HANDLE port;
static LONG ran;

static VOID CALLBACK routine(ULONG_PTR argument)
{
	ran = (LONG)argument;
}

/* One of two leads the port's epoll, the other waits for a packet. */
static DWORD WINAPI take(LPVOID argument)
{
	OVERLAPPED_ENTRY entries[4];
	LPOVERLAPPED overlapped;
	ULONG_PTR key;
	ULONG n;
	DWORD bytes;
	BOOL got = argument ? GetQueuedCompletionStatusEx(port, entries, 4, &n, INFINITE,
							  TRUE)
			    : GetQueuedCompletionStatus(port, &bytes, &key, &overlapped,
							INFINITE);

	return got ? 0 : GetLastError();
}

static void start_two(LPVOID alertable)
{
	port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
	for (int i = 0; i < 2; i++) {
		threads[i] = CreateThread(NULL, 0, take, alertable, 0, NULL);
		until_asleep(threads[i]);
	}
}

static DWORD code_of(HANDLE thread)
{
	DWORD code;

	if (WaitForSingleObject(thread, 10000) != WAIT_OBJECT_0)
		return 12345;
	GetExitCodeThread(thread, &code);
	return code;
}
"""


def test_a_closed_port_ends_its_waits(compile_program, run):
    """GetQueuedCompletionStatus (ioapiset.h): ERROR_ABANDONED_WAIT_0."""
    program = compile_program(PORT + r"""
int main(void)
{
	start_two(NULL);
	CloseHandle(port);
	printf("%lu %lu\n", code_of(threads[0]), code_of(threads[1]));
	return 0;
}
""", "closed", flags=["-Wall", "-Wextra", "-Werror", "-Wno-unused-function"])
    assert run(program).stdout == "735 735\n"


def test_a_routine_ends_an_alertable_wait_for_packets(compile_program, run):
    """GetQueuedCompletionStatusEx (ioapiset.h): WAIT_IO_COMPLETION."""
    program = compile_program(PORT + r"""
int main(void)
{
	DWORD code;

	start_two(&port);
	QueueUserAPC(routine, threads[1], 7);
	code = code_of(threads[1]);
	printf("%lu %ld\n", code, (long)ran);
	PostQueuedCompletionStatus(port, 1, 2, NULL);
	printf("%lu\n", code_of(threads[0]));
	return 0;
}
""", "routine", flags=["-Wall", "-Wextra", "-Werror", "-Wno-unused-function"])
    assert run(program).stdout == "192 7\n0\n"


def test_a_closed_handle_ends_the_wait_of_all(compile_program, run):
    program = compile_program(ASLEEP + r"""
int main(void)
{
	DWORD code, failed = 0;

	start(TRUE);
	CloseHandle(event);
	WaitForMultipleObjects(3, threads, TRUE, 10000);
	for (int i = 0; i < 3; i++)
		if (GetExitCodeThread(threads[i], &code))
			failed += code == WAIT_FAILED;
	printf("%u\n", failed);
	return 0;
}
""", "closed", flags=["-Wall", "-Wextra", "-Werror"])
    assert run(program).stdout == "3\n"


def test_threads_whose_handles_nobody_closes(compile_program, run):
    """More than there were handles once: a server of that kind lives for long."""
    program = compile_program(r"""
#include <windows.h>

static DWORD WINAPI nothing(LPVOID argument)
{
	return *(DWORD *)argument;
}

int main(void)
{
	DWORD code = 5;

	for (int i = 0; i < 8500; i++) {
		HANDLE thread = CreateThread(NULL, 0, nothing, &code, 0, NULL);

		if (WaitForSingleObject(thread, INFINITE) != WAIT_OBJECT_0)
			return 1;
	}
	return 0;
}
""", "many")
    assert run(program).returncode == 0


def test_exit_thread_leaves_no_trace_in_cxx(compile_program, run):
    """No destructor runs and no catch (...) sees it, as on Windows: ExitThread
    (processthreadsapi.h)."""
    program = compile_program(r"""
#include <windows.h>
#include <cstdio>

static int destroyed;

struct Guard {
	~Guard() { destroyed++; }
};

static void leave() noexcept
{
	Guard guard;
	ExitThread(7);
}

static DWORD WINAPI run(LPVOID)
{
	try {
		leave();
	} catch (...) {
		destroyed += 10;
	}
	return 1;
}

int main()
{
	DWORD code = 0;
	HANDLE thread = CreateThread(nullptr, 0, run, nullptr, 0, nullptr);

	WaitForSingleObject(thread, INFINITE);
	GetExitCodeThread(thread, &code);
	std::printf("%u %d\n", code, destroyed);
	return 0;
}
""", "leave", "c++", ["-Wall", "-Wextra", "-Werror"])
    assert run(program).stdout == "7 0\n"


def test_arrays_know_their_size_in_cxx(compile_program, run):
    """Secure Template Overloads."""
    program = compile_program(r"""
#include <windows.h>
#include <ctime>

int main()
{
	char five[5], text[64];
	wchar_t wide[5];
	time_t now = 0;

	printf("%d ", strcpy_s(five, "abcde"));
	printf("%d %s ", strncpy_s(five, "abcdef", _TRUNCATE), five);
	printf("%d ", strcat_s(five, "x"));
	printf("%d %s ", sprintf_s(five, "%d", 12), five);
	printf("%d %S ", swprintf_s(wide, L"%s", L"wide"), wide);
	printf("%d %s ", _snprintf_s(five, _TRUNCATE, "%s", "longer"), five);
	printf("%d %s ", _itoa_s(77, five, 10), five);
	printf("%d ", ctime_s(text, &now));
	printf("%d\n", (int)strlen(text));
	return 0;
}
""", "sized", "c++", ["-Wall", "-Wextra", "-Werror"])
    assert run(program).stdout == "34 80 abcd 34 2 12 4 wide -1 long 0 77 0 25\n"


@pytest.mark.parametrize("language", ["c", "c++"])
def test_interlocked_takes_long_too(compile_program, run, language):
    """Which is LONG there. All of a long counts."""
    program = compile_program(r"""
#include <windows.h>
#include <stdio.h>

int main(void)
{
	volatile long count = 0xffffffffL;
	unsigned int flags = 1;
	SHORT small = 1;

	InterlockedIncrement(&count);
	InterlockedOr(&flags, 2);
	printf("%I64d %u ", (long long)count, flags);
	printf("%d %d\n", InterlockedIncrement16(&small),
	       InterlockedExchangeSubtract(&flags, 1u) == 3);
	return 0;
}
""", "long", language, ["-Wall", "-Wextra", "-Werror"])
    assert run(program).stdout == "4294967296 3 2 1\n"


def test_success_leaves_the_last_error_alone(compile_program, run, tmp_path):
    """It is errno, which libc's own functions may change underneath."""
    calls = r"""
CloseHandle(CreateThread(NULL, 0, nothing, NULL, 0, NULL))
CloseHandle((HANDLE)_beginthreadex(NULL, 0, other, NULL, 0, NULL))
WaitForSingleObject(CreateEvent(NULL, TRUE, TRUE, NULL), 5)
ReleaseMutex(CreateMutex(NULL, TRUE, NULL))
ReleaseSemaphore(CreateSemaphore(NULL, 0, 1, NULL), 1, NULL)
Sleep(1)
SleepEx(1, TRUE)
EnterCriticalSection(&section), LeaveCriticalSection(&section)
AcquireSRWLockShared(&lock), ReleaseSRWLockShared(&lock)
WakeAllConditionVariable(&variable)
SetConsoleCtrlHandler(handler, TRUE)
GetLocalTime(&time)
GetTickCount64()
QueryPerformanceCounter(&large)
HeapFree(GetProcessHeap(), 0, HeapAlloc(GetProcessHeap(), 0, 100))
FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 10061, 0, text, 200, NULL)
MultiByteToWideChar(CP_ACP, 0, "abc", -1, wide, 100)
strcpy_s(text, 200, "abc")
sprintf_s(text, 200, "%s", "abc")
swprintf_s(wide, 100, L"%s", L"abc")
sscanf_s("1", "%d", &number)
localtime_s(&tm, &moment)
fopen_s(&file, argv[1], "w")
_kbhit()
getenv_s(&size, text, 200, "HOME")
rand_s(&random)
""".strip().splitlines()
    program = compile_program(r"""
#include <conio.h>
#include <process.h>
#include <time.h>
#include <windows.h>

static DWORD WINAPI nothing(LPVOID argument)
{
	return argument != NULL;
}

static unsigned int __stdcall other(void *argument)
{
	return argument != NULL;
}

static BOOL WINAPI handler(DWORD event)
{
	return event == 99;
}

int main(int argc, char **argv)
{
	CRITICAL_SECTION section;
	CONDITION_VARIABLE variable = CONDITION_VARIABLE_INIT;
	SRWLOCK lock = SRWLOCK_INIT;
	LARGE_INTEGER large;
	SYSTEMTIME time;
	char text[200];
	wchar_t wide[100];
	unsigned int random;
	time_t moment = 0;
	struct tm tm;
	size_t size;
	int number = argc;
	FILE *file;

	InitializeCriticalSection(&section);
""" + "".join(rf"""
	SetLastError(ERROR_TOO_MANY_POSTS);
	{call};
	printf("%u\n", GetLastError());
""" for call in calls) + "\treturn 0;\n}\n", "kept")
    said = run(program, tmp_path / "file").stdout.split()
    assert dict(zip(calls, said)) == dict.fromkeys(calls, "298")
    assert len(said) == len(calls)


def test_functions_of_the_programs_own_win(compile_program, run):
    """Beside others of the same part of the archive."""
    program = compile_program(r"""
#include <windows.h>
#include <conio.h>

int _kbhit(void)
{
	return 40;
}

errno_t strcpy_s(char *dest, rsize_t size, const char *src)
{
	return (errno_t)(dest != NULL && src != NULL) + (errno_t)size;
}

int main(void)
{
	char text[5] = "";

	strcat_s(text, 5, "");
	_cputs("");
	return _kbhit() + strcpy_s(text, 1, "");
}
""", "own", flags=["-Wall", "-Wextra", "-Werror"])
    assert run(program).returncode == 42


def test_close_handle_closes_a_socket_too(compile_program, run):
    """Microsoft wants closesocket(), and programs get away with this."""
    program = compile_program(r"""
#include <winsock2.h>
#include <stdio.h>

int main(void)
{
	WSADATA data;
	SOCKET s;

	WSAStartup(MAKEWORD(2, 2), &data);
	s = socket(AF_INET, SOCK_STREAM, 0);
	printf("%d ", CloseHandle((HANDLE)s));
	printf("%d ", closesocket(s));
	printf("%d ", WSAGetLastError());
	printf("%d ", CloseHandle((HANDLE)s));
	printf("%u ", GetLastError());
	/* A descriptor that is no socket is not ours to close. */
	printf("%d\n", CloseHandle((HANDLE)(ULONG_PTR)1));
	return 0;
}
""", "close", flags=["-Wall", "-Wextra", "-Werror"])
    assert run(program).stdout == "1 -1 10038 0 6 0\n"


def test_only_the_thread_that_forks_is_in_the_child(run_c):
    """All others have ended there, and left their mutexes behind: what a thread
    leaves by ending, sync/mutex-objects has it. What it waited for is nobody's."""
    said = run_c(r"""
	HANDLE thread;
	alarm(60);
	mutex = CreateMutex(NULL, FALSE, NULL);
	taken = CreateEvent(NULL, FALSE, FALSE, NULL);
	thread = CreateThread(NULL, 0, hold, NULL, 0, NULL);
	WaitForSingleObject(taken, INFINITE);
	say("its own", GetThreadId(GetCurrentThread()) == (DWORD)gettid());
	if (fork() == 0) {
		alarm(60);
		say("the child's", GetThreadId(GetCurrentThread()) == (DWORD)gettid());
		say("ended", WaitForSingleObject(thread, INFINITE));
		say("abandoned", WaitForSingleObject(mutex, INFINITE));
		say("released", ReleaseMutex(mutex));
		fflush(stdout);
		_exit(0);
	}
	fflush(stdout);
	wait(NULL);
	say("here", WaitForSingleObject(mutex, 0));
	""", before=r"""
#include <sys/wait.h>
#include <windows.h>

static HANDLE mutex, taken;

static DWORD WINAPI hold(void *unused)
{
	WaitForSingleObject(mutex, INFINITE);
	SetEvent(taken);
	Sleep(INFINITE);
	return 0;
}
""")
    assert said == {"its own": 1, "the child's": 1, "ended": 0, "abandoned": 128,
                    "released": 1, "here": 258}


def test_what_is_queued_to_a_thread_before_it_runs(run_c):
    """processthreadsapi/nf-processthreadsapi-queueuserapc: the thread begins by it."""
    said = run_c(r"""
	HANDLE thread = CreateThread(NULL, 0, run, NULL, CREATE_SUSPENDED, NULL);
	say("queued", QueueUserAPC(queued, thread, 1));
	QueueUserAPC(queued, thread, 2);
	ResumeThread(thread);
	WaitForSingleObject(thread, INFINITE);
	say("first", order[0]);
	say("second", order[1]);
	say("third", order[2]);
	""", before=r"""
#include <windows.h>

static int order[3], n;

static void WINAPI queued(ULONG_PTR which)
{
	order[n++] = which;
}

static DWORD WINAPI run(void *unused)
{
	order[n++] = 3;
	return 0;
}
""")
    assert said == {"queued": 1, "first": 1, "second": 2, "third": 3}


def test_a_heap_in_a_child_although_a_thread_was_at_it(run_c):
    """Windows forks nobody; malloc() minds forks, and so do heaps."""
    said = run_c(r"""
	pthread_t thread;
	int status, stuck = 0;
	heap = HeapCreate(0, 0, 0);
	pthread_create(&thread, NULL, use, NULL);
	for (int i = 0; i < 50; i++) {
		if (fork() == 0) {
			alarm(60);
			HeapFree(heap, 0, HeapAlloc(heap, 0, 8));
			_exit(0);
		}
		wait(&status);
		stuck += status != 0;
	}
	say("stuck", stuck);
	""", before=r"""
#include <sys/wait.h>
#include <windows.h>

static HANDLE heap;

static void *use(void *unused)
{
	for (;;)
		HeapFree(heap, 0, HeapAlloc(heap, 0, 8));
	return unused;
}
""")
    assert said == {"stuck": 0}
