# SPDX-License-Identifier: MIT
"""The Winsock headers compile alone, in any order and beside POSIX' own."""

import itertools
import os
import pathlib
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

OURS = [
    "windows.h",
    "winerror.h",
    "winsock2.h",
    "mstcpip.h",
    "ws2ipdef.h",
    "ws2tcpip.h",
    "iphlpapi.h",
    "ws2spi.h",
    "mswsock.h",
    "iptypes.h",
    "portres_calls.h",
    "portres_crt.h",
    "portres.h",
    "Windows.h.",
    "conio.h",
    "io.h",
    "strsafe.h",
    "tchar.h",
]
# They stand on nothing and are in the others: alone is enough.
SMALL = """
basetsd consoleapi errhandlingapi handleapi heapapi ioapiset minwinbase portres_words
process processthreadsapi profileapi sal sdkddkver stringapiset synchapi sysinfoapi winbase windef
winnt winsock winuser ws2def wspiapi portres_select portres_stdio portres_stdlib
portres_string
""".split()
POSIX = [
    "sys/socket.h",
    "netinet/in.h",
    "arpa/inet.h",
    "sys/ioctl.h",
    "netdb.h",
    "stdio.h",
    "wchar.h",
]
OPENSSL = list(pathlib.Path("/usr/include").glob("openssl/ssl.h"))
CXX = ["cwchar", "cstdio", "algorithm"]

STANDARDS = {
    "c": ["c11", "gnu17"],
    "c++": ["c++11", "c++14", "c++17", "c++20"],
}
COMPILERS = {"c": ["gcc", "clang"], "c++": ["g++", "clang++"]}

# (language, compiler, standard), of the compilers that this machine has
COMBINATIONS = [
    (language, compiler, standard)
    for language in ("c", "c++")
    for compiler in COMPILERS[language]
    if shutil.which(compiler)
    for standard in STANDARDS[language]
]


def companions(language):
    return POSIX + (CXX if language == "c++" else [])


def complaint(build, combination, text, flags=()):
    """The compiler's words about the text; empty if there are none."""
    language, compiler, standard = combination
    run = subprocess.run(
        [compiler, "-x", language, f"-std={standard}", "-fsyntax-only",
         "-Wall", "-Wextra", "-Werror", f"-I{build}/include", *flags, "-"],
        input=text, capture_output=True, text=True, check=False,
    )
    if run.returncode == 0 and not run.stderr:
        return ""
    return f"{compiler} -std={standard}\n{text}\n{run.stderr}"


def assert_all_compile(build, combination, texts, flags=()):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        said = list(pool.map(lambda t: complaint(build, combination, t, flags), texts))
    assert len(said) > 0
    assert not any(said), "\n".join(s for s in said if s)


def including(*headers):
    return "".join(f"#include <{h}>\n" for h in headers)


@pytest.fixture(scope="module")
def ours(build):
    """The headers that the build must offer."""
    missing = [h for h in OURS if not (build / "include" / h).is_file()]
    assert not missing
    return OURS


@pytest.mark.parametrize("combination", COMBINATIONS, ids=" ".join)
def test_each_header_alone(build, ours, combination):
    every = ours + [f"{name}.h" for name in SMALL if combination[2] in ("c11", "c++17")]
    assert_all_compile(build, combination, [including(h) for h in every])


@pytest.mark.parametrize("combination", COMBINATIONS, ids=" ".join)
def test_all_headers_among_posix(build, ours, combination):
    others = companions(combination[0])
    lists = [ours + others, others + ours]
    lists += [list(reversed(both)) for both in lists]
    assert_all_compile(build, combination, [including(*both) for both in lists])


@pytest.mark.parametrize(
    "combination", [("c", "gcc", "c11"), ("c++", "g++", "c++17")], ids=" ".join
)
def test_pairs(build, ours, combination):
    """One order of each pair of ours: whatever the second header assumes of
    the first shows when it comes first itself, as it does alone."""
    pairs = list(itertools.combinations(reversed(ours), 2))
    for other in companions(combination[0]):
        pairs += [("winsock2.h", other), (other, "winsock2.h")]
    assert_all_compile(build, combination, [including(*p) for p in pairs])


@pytest.mark.parametrize(
    "combination", [c for c in COMBINATIONS if c[0] == "c++"], ids=" ".join
)
def test_inside_extern_c(build, ours, combination):
    text = f'extern "C" {{\n{including("winsock2.h", "mstcpip.h")}}}\n'
    assert_all_compile(build, combination, [text])


LAYOUT = r"""
#include <stddef.h>
#include <iphlpapi.h>
#include <mstcpip.h>
#include <winsock2.h>
#include <ws2tcpip.h>
#ifndef __cplusplus
#define static_assert _Static_assert
#define STARTPORT StartPort
#else
#define STARTPORT Reservation.StartPort
#endif
#define CHECK(what) static_assert(what, #what)

CHECK(SIO_ACQUIRE_PORT_RESERVATION == 0x98000064);
CHECK(SIO_RELEASE_PORT_RESERVATION == 0x98000065);
CHECK(SIO_ASSOCIATE_PORT_RESERVATION == 0x98000066);
CHECK(SIO_ACQUIRE_PORT_RESERVATION > 0);
CHECK(sizeof(SIO_ACQUIRE_PORT_RESERVATION) == 4);
CHECK(INVALID_PORT_RESERVATION_TOKEN == 0);
CHECK(IOC_IN == 0x80000000 && IOC_OUT == 0x40000000);

CHECK(sizeof(INET_PORT_RANGE) == 4);
CHECK(sizeof(INET_PORT_RESERVATION) == 4);
CHECK(offsetof(INET_PORT_RANGE, NumberOfPorts) == 2);
CHECK(sizeof(INET_PORT_RESERVATION_TOKEN) == 8);
CHECK(sizeof(INET_PORT_RESERVATION_INSTANCE) == 16);
CHECK(offsetof(INET_PORT_RESERVATION_INSTANCE, STARTPORT) == 0);
CHECK(offsetof(INET_PORT_RESERVATION_INSTANCE, Token) == 8);

CHECK(sizeof(BYTE) == 1 && sizeof(WORD) == 2 && sizeof(USHORT) == 2);
CHECK(sizeof(DWORD) == 4 && sizeof(LONG) == 4 && sizeof(ULONG) == 4);
CHECK(sizeof(INT) == 4 && sizeof(UINT) == 4 && sizeof(BOOL) == 4);
CHECK(sizeof(ULONG64) == 8 && sizeof(UINT64) == 8 && sizeof(LONGLONG) == 8);
CHECK(sizeof(SOCKET) == sizeof(void *) && sizeof(HANDLE) == sizeof(void *));
CHECK(sizeof(WCHAR) == sizeof(wchar_t) && sizeof(ADDRESS_FAMILY) == 2);
CHECK((DWORD)-1 > 0 && (LONG)-1 < 0 && (SOCKET)-1 > 0);
CHECK(INVALID_SOCKET == (SOCKET)-1 && SOCKET_ERROR == -1);

CHECK(sizeof(WSADATA) == 408);
CHECK(offsetof(WSADATA, lpVendorInfo) == 8);
CHECK(offsetof(WSADATA, szDescription) == 16);
CHECK(sizeof(WSAOVERLAPPED) == 32);
CHECK(offsetof(WSAOVERLAPPED, InternalHigh) == 8);
CHECK(offsetof(WSAOVERLAPPED, OffsetHigh) == 20);
CHECK(offsetof(WSAOVERLAPPED, hEvent) == 24);

CHECK(sizeof(WSAPROTOCOL_INFOA) == 372);
CHECK(offsetof(WSAPROTOCOL_INFOA, iAddressFamily) == 76);
CHECK(offsetof(WSAPROTOCOL_INFOW, szProtocol) == 116);

CHECK(SIO_KEEPALIVE_VALS == 0x98000004 && sizeof(struct tcp_keepalive) == 12);
CHECK(SIO_GET_EXTENSION_FUNCTION_POINTER == 0xc8000006);
CHECK(SD_RECEIVE == 0 && SD_SEND == 1 && SD_BOTH == 2);
CHECK(WSA_FLAG_OVERLAPPED == 1 && WSA_FLAG_NO_HANDLE_INHERIT == 0x80);
CHECK(WSA_MAXIMUM_WAIT_EVENTS == 64 && WSA_WAIT_FAILED == 0xffffffff);
CHECK(WSA_WAIT_EVENT_0 == 0 && WSA_WAIT_IO_COMPLETION == 0xc0);
CHECK(WSA_WAIT_TIMEOUT == 258 && WSA_INFINITE == 0xffffffff);

CHECK(MAKEWORD(2, 1) == 0x102 && LOBYTE(0x102) == 2 && HIBYTE(0x102) == 1);
CHECK(MAKELONG(2, 1) == 0x10002 && HIWORD(0x10002) == 1);
CHECK(LOWORD(0x10002) == 2 && sizeof(MAKEWORD(2, 2)) == 2);
"""

# Windows' numbers, from Microsoft's list of Winsock error codes
ERRORS = {
    10000: "EINTR=4 EBADF=9 EACCES=13 EFAULT=14 EINVAL=22 EMFILE=24 "
    "EWOULDBLOCK=35 EINPROGRESS=36 EALREADY=37 ENOTSOCK=38 EDESTADDRREQ=39 "
    "EMSGSIZE=40 EPROTOTYPE=41 ENOPROTOOPT=42 EPROTONOSUPPORT=43 "
    "ESOCKTNOSUPPORT=44 EOPNOTSUPP=45 EPFNOSUPPORT=46 EAFNOSUPPORT=47 "
    "EADDRINUSE=48 EADDRNOTAVAIL=49 ENETDOWN=50 ENETUNREACH=51 ENETRESET=52 "
    "ECONNABORTED=53 ECONNRESET=54 ENOBUFS=55 EISCONN=56 ENOTCONN=57 "
    "ESHUTDOWN=58 ETOOMANYREFS=59 ETIMEDOUT=60 ECONNREFUSED=61 ELOOP=62 "
    "ENAMETOOLONG=63 EHOSTDOWN=64 EHOSTUNREACH=65 ENOTEMPTY=66 EPROCLIM=67 "
    "EUSERS=68 EDQUOT=69 ESTALE=70 EREMOTE=71 SYSNOTREADY=91 "
    "VERNOTSUPPORTED=92 NOTINITIALISED=93 EDISCON=101 ENOMORE=102 "
    "ECANCELLED=103 EINVALIDPROCTABLE=104 EINVALIDPROVIDER=105 "
    "EPROVIDERFAILEDINIT=106 SYSCALLFAILURE=107 SERVICE_NOT_FOUND=108 "
    "TYPE_NOT_FOUND=109 _E_NO_MORE=110 _E_CANCELLED=111 EREFUSED=112 "
    "HOST_NOT_FOUND=1001 TRY_AGAIN=1002 NO_RECOVERY=1003 NO_DATA=1004",
    0: "_INVALID_HANDLE=6 _NOT_ENOUGH_MEMORY=8 _INVALID_PARAMETER=87 "
    "_OPERATION_ABORTED=995 _IO_INCOMPLETE=996 _IO_PENDING=997",
}


def error_checks():
    for base, names in ERRORS.items():
        for item in names.split():
            name, number = item.split("=")
            yield f"CHECK(WSA{name} == {base + int(number)});\n"
    for item in ("SUCCESS=0 ACCESS_DENIED=5 SHARING_VIOLATION=32 "
                 "NOT_SUPPORTED=50 INVALID_PARAMETER=87 NOT_FOUND=1168").split():
        name, number = item.split("=")
        yield f"CHECK(ERROR_{name} == {number});\n"


@pytest.mark.parametrize("combination", COMBINATIONS, ids=" ".join)
def test_layouts_and_numbers(build, combination):
    assert_all_compile(build, combination, [LAYOUT + "".join(error_checks())])


USE = r"""
#define UNICODE
#define WIN32_LEAN_AND_MEAN
#include <Windows.h.>
#include <winsock2.h>
#include <mstcpip.h>
#include <ws2ipdef.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __cplusplus
#include <cwchar>
#endif

int both_kinds_of_length(SOCKET s, int fd);
int both_kinds_of_length(SOCKET s, int fd)
{
	struct sockaddr_in name;
	SOCKADDR *generic = (SOCKADDR *)&name;
	int windows = sizeof(name);
	socklen_t posix = sizeof(name);
	int value;
	char byte;
	SOCKET peer = accept(s, NULL, NULL);

	if (peer == INVALID_SOCKET)
		peer = accept(s, generic, &windows);
	return getsockname(s, generic, &windows) |
	       getsockname(fd, generic, &posix) |
	       getpeername(s, generic, &windows) |
	       getpeername(fd, generic, &posix) |
	       accept(fd, generic, &posix) |
	       getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &windows) |
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &posix) |
	       (int)recvfrom(s, &byte, 1, 0, generic, &windows) |
	       (int)recvfrom(fd, &byte, 1, 0, generic, &posix) |
	       (int)recvfrom(s, &byte, 1, 0, NULL, NULL) |
	       (int)closesocket(peer);
}

int wmain(int argc, WCHAR **argv);
int wmain(int argc, WCHAR **argv)
{
	INET_PORT_RANGE portRange = { 0 };
	INET_PORT_RESERVATION_INSTANCE portRes = { 0 };
	WSADATA wsaData = { 0 };
	DWORD bytesReturned = 0;
	u_short port = 0;
	ADDRESS_FAMILY family = AF_INET;
	int (*print)(const wchar_t *, ...) = wprintf;
	SOCKET sock = socket(family, SOCK_DGRAM, IPPROTO_UDP);

	if (sock == INVALID_SOCKET || argc != 2)
		return print(L"usage: %s\n", argv[0]);
	port = htons((u_short)_wtoi(argv[1]));
	portRange.StartPort = port;
#ifdef __cplusplus
	sockaddr_in service;
	service.sin_family = family;
	portRes.Reservation.StartPort = 0;
	portRes.Token.Token = 0;
	std::wprintf(L"%u\n", service.sin_family);
#else
	portRes.StartPort = 0;
	portRes.Token = 0;
#endif
	if (WSAStartup(MAKEWORD(2, 2), &wsaData) ||
	    WSAIoctl(sock, SIO_ACQUIRE_PORT_RESERVATION, (LPVOID) & portRange,
		     sizeof (INET_PORT_RANGE), (LPVOID) & portRes,
		     sizeof (INET_PORT_RESERVATION_INSTANCE), &bytesReturned,
		     NULL, NULL) == SOCKET_ERROR)
		goto fail;
	wprintf(L"Token=%I64d\n", portRes.Token);
	return both_kinds_of_length(sock, 0);
fail:
	fwprintf(stderr, L"%d\n", WSAGetLastError());
	WSACleanup();
	return 1;
}
"""


@pytest.mark.parametrize("combination", COMBINATIONS, ids=" ".join)
def test_windows_code_without_a_warning(build, combination):
    assert_all_compile(build, combination, [USE])


# As programs write them, and what is read then.
SPELT = {
    "windows": "Windows.h WINDOWS.H WinDows.h",
    "winsock": "WinSock.h Winsock.h WINSOCK.H",
    "winsock2": "WinSock2.h Winsock2.h WINSOCK2.H winSock2.h",
    "ws2tcpip": "Ws2tcpip.h WS2tcpip.h WS2TCPIP.H Ws2TcpIp.h ws2TcpIp.h",
    "ws2ipdef": "Ws2ipdef.h WS2ipdef.h",
    "ws2spi": "WS2spi.h Ws2spi.h",
    "mstcpip": "Mstcpip.h MSTcpIP.h MSTcpip.h",
    "iphlpapi": "Iphlpapi.h IPHlpApi.h IPHLPAPI.H",
    "wspiapi": "WSPiApi.h Wspiapi.h",
    "winerror": "WinError.h",
    "windef": "WinDef.h Windef.h",
    "process": "Process.h PROCESS.H",
    "conio": "Conio.h CONIO.H",
    "strsafe": "StrSafe.h Strsafe.h",
    "tchar": "TChar.h TCHAR.H Tchar.h",
}


def test_the_case_of_names(build):
    """Every header of ours has the spellings of which one word is written
    otherwise; and the C library's have a capital or capitals."""
    folder = build / "include"
    for name, spellings in SPELT.items():
        for spelling in [*spellings.split(), name.upper() + ".H",
                         name.capitalize() + ".h"]:
            assert (folder / spelling).read_text() == f'#include "{name}.h"\n'
    names = {path.name for path in folder.iterdir()}
    for path in folder.glob("[a-z]*.h"):
        if path.stat().st_size > 100 and not path.name.startswith("portres"):
            assert path.name.upper() in names
            assert path.name.capitalize() in names
    text = (including("Stdio.h", "STDLIB.H", "String.h", "WinSock2.h", "Ws2tcpip.h")
            + 'int f(void);\nint f(void) { return printf("%d", atoi("1")); }\n')
    for combination in COMBINATIONS:
        if combination[2] == "c11":
            assert_all_compile(build, combination, [text])


WORDS = r"""
#include <windows.h>
#include <process.h>
#define FROM_HERE(x) x

typedef int(__cdecl *callback)(_In_ void *argument, _Out_opt_ int *answer);
typedef unsigned __int64 number;
__declspec(dllexport) int __cdecl exported(void);
__declspec(dllimport) int imported(void);
__declspec(noreturn) void away(void);
static __declspec(thread) int own;
static __declspec(align(16)) char aligned[16];
static __forceinline int inlined(int FAR *p) { return *p; }

static int WINAPI one(_In_ void *argument, _Out_opt_ int *answer)
{
	(void)argument;
	return inlined(answer);
}

int __cdecl exported(void)
{
	TCHAR text[MAX_PATH] = TEXT("abc");
	callback call = one;
	__int64 wide = 1;
	__int32 four = 4;
	__int16 two = 2;
	__int8 small = 1;
	number n = 5;
	LARGE_INTEGER large;
	BYTE bytes[4];
	int answer = 7;

	UNREFERENCED_PARAMETER(bytes);
	large.QuadPart = wide + four + two + small + (__int64)n;
	large.u.HighPart = large.HighPart;
	ZeroMemory(bytes, sizeof(bytes));
	FillMemory(bytes, 2, 1);
	CopyMemory(bytes, bytes + 2, 2);
	SecureZeroMemory(bytes, sizeof(bytes));
	own = call(NULL, &answer);
	answer = min(answer, bytes[0]) + (int)max(4u, ARRAYSIZE(bytes));
	return own + (int)large.LowPart + (int)ARRAYSIZE(text) + aligned[0] +
	       isalpha('a') + atoi("1") + (int)strlen("abc");
}
"""


@pytest.mark.parametrize("combination", COMBINATIONS, ids=" ".join)
@pytest.mark.parametrize("flags", ["", "-D_WIN32"])
def test_the_words(build, combination, flags):
    """MSVC's <windows.h> drags in stdlib, string and ctype."""
    assert_all_compile(build, combination, [WORDS], flags.split())


# What a project of Visual Studio begins with, and what <windows.h> drags in there.
LESS_COMMON = r"""
#include <SDKDDKVer.h>
#include <winsock2.h>
#include <ws2tcpip.h>
#if _WIN32_WINNT < _WIN32_WINNT_WIN8
#error
#endif

boolean one(const IN6_ADDR *six);

boolean
one(const IN6_ADDR *six)
{
	const unsigned long long host = htonll(1);
	const IN6_ADDR any = IN6ADDR_ANY_INIT, loopback = IN6ADDR_LOOPBACK_INIT;

	return six->u.Byte[15] == 1 && six->u.Word[7] == htons(1) &&
	       six->s6_addr[15] == any.s6_addr[0] && host != USHRT_MAX &&
	       IN6_IS_ADDR_LOOPBACK(six) && loopback.u.Word[0] == 0 &&
	       IN6_ARE_ADDR_EQUAL(six, &any) && CHAR_BIT == 8;
}
"""


@pytest.mark.parametrize("combination", COMBINATIONS, ids=" ".join)
def test_the_less_common_words(build, combination):
    assert_all_compile(build, combination, [LESS_COMMON])


PACKED = r"""
#include <mstcpip.h>
#include <PshPack1.h>
struct packed { char c; int i; };
#include <poppack.h>
#include <pshpack2.h>
struct half { char c; int i; };
#include <poppack.h>
struct loose { char c; int i; };

int sizes(void);
int sizes(void)
{
	SOCKADDR_STORAGE at;
	SOCKADDR_IN6 six;
	IN_ADDR four;
	SCOPE_ID scope = SCOPEID_UNSPECIFIED_INIT;
	IN6_PKTINFO to;
	IN_PKTINFO from;

	at.ss_family = AF_INET6;
	INETADDR_SETLOOPBACK((PSOCKADDR)&at);
	SS_PORT(&at) = htons(80);
	four.s_addr = htonl(INADDR_LOOPBACK);
	IN6ADDR_SETV4MAPPED(&six, &four, scope, 0);
	to.ipi6_addr = six.sin6_addr;
	from.ipi_addr = four;
	return (sizeof(struct packed) == 5) + (sizeof(struct half) == 6) +
	       (sizeof(struct loose) == 8) + INETADDR_ISLOOPBACK((PSOCKADDR)&at) +
	       IN6ADDR_ISV4MAPPED(&six) + IN4_ADDR_EQUAL(&four, &from.ipi_addr) +
	       IN6_ADDR_EQUAL(&to.ipi6_addr, &six.sin6_addr);
}
"""


@pytest.mark.parametrize("combination", COMBINATIONS, ids=" ".join)
def test_packing_and_addresses(build, combination):
    """clang warns of what pshpack1.h is for, of Windows' as well."""
    assert_all_compile(build, combination, [PACKED], ["-Wno-pragma-pack"])


def test_sizes_and_addresses(compile_program, run):
    program = compile_program(PACKED + "int main(void)\n{\n\treturn sizes();\n}\n", "sizes")
    assert run(program).returncode == 7


# (what stands before, how many places): the program's own number stays.
PLACES = [
    ("", "winsock2.h", 64), ("", "windows.h", 64), ("", "winsock.h", 64),
    ("#define FD_SETSIZE 200\n", "winsock2.h", 200),
    ("#define FD_SETSIZE 200\n", "windows.h", 200),
    ("#include <sys/select.h>\n", "winsock2.h", 1024),
]


@pytest.mark.parametrize("combination", COMBINATIONS, ids=" ".join)
def test_places_of_an_fd_set(build, combination):
    word = "static_assert" if combination[0] == "c++" else "_Static_assert"
    texts = [f"{before}{including(header)}{word}(sizeof(((fd_set *)0)->fd_array) == "
             f'{places} * sizeof(SOCKET) && FD_SETSIZE == {places}, "");\n'
             for before, header, places in PLACES]
    assert_all_compile(build, combination, texts)


SMALLEST = r"""
#include <windows.h>
#include <algorithm>
using namespace std;

DWORD smallest(DWORD size, const long *numbers);
DWORD smallest(DWORD size, const long *numbers)
{
	static_assert(min(3, 2l) == 2 && max(1u, 2ul) == 2, "constants");
	return min(size, 16) + (DWORD)std::min(numbers[0], numbers[1]) +
	       (DWORD)min(numbers[0], numbers[1]);
}
"""


@pytest.mark.parametrize(
    "combination", [c for c in COMBINATIONS if c[0] == "c++"], ids=" ".join
)
def test_min_and_max_beside_the_standard_librarys(build, combination):
    assert_all_compile(build, combination, [SMALLEST])


def test_an_unknown_declspec_is_named(build):
    said = complaint(build, ("c", "gcc", "c11"),
                     "#include <windows.h>\n__declspec(naked) void f(void);\n")
    assert "naked" in said


SSL = ["openssl/ssl.h", "openssl/err.h", "openssl/bio.h", "openssl/rand.h"]


@pytest.mark.parametrize("combination", [("c", "gcc", "gnu17"), ("c++", "g++", "c++17")],
                         ids=" ".join)
@pytest.mark.parametrize("headers, flags", [
    (["winsock2.h", "ws2tcpip.h", *SSL], ["-D_WIN32"]),
    (["windows.h", *SSL], ["-D_WIN32", "-D_WIN64"]),
    # Before any of ours.
    ([*SSL, "winsock2.h"], ["-D_WIN32", "-include", "portres_words.h"]),
], ids=["behind", "64", "before"])
def test_openssl_in_a_program_that_says_win32(build, combination, headers, flags):
    if not OPENSSL:
        pytest.skip("no libssl-dev")
    text = including(*headers) + """
int connected(SOCKET s);
int connected(SOCKET s)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);

	return SSL_set_fd(ssl, (int)s) && SSL_connect(ssl);
}
"""
    assert_all_compile(build, combination, [text], flags)


def version(compiler):
    run = subprocess.run([compiler, "-dumpversion"], capture_output=True,
                         text=True, check=True)
    return int(run.stdout.split(".")[0])


@pytest.mark.parametrize(
    "combination",
    # g++ listens to a header's wish to be silent from version 13 on.
    [c for c in COMBINATIONS if c[1] != "g++" or version("g++") >= 13],
    ids=" ".join,
)
def test_pragma_comment_is_harmless(build, combination):
    text = including("winsock2.h") + '#pragma comment(lib, "Ws2_32.lib")\n'
    assert_all_compile(build, combination, [text])


# As docs/winsock.md lists it
NOT_CARRIED = """
WSAAsyncSelect WSALookupServiceBeginW WSAGetQOSByName WSANSPIoctl GetAddrInfoExW
WSAProviderConfigChange WSAIsBlocking TransmitFile TransmitPackets RIOSend ReadFile
WriteFile CreateFileA TerminateThread SuspendThread OpenEventA CreateWaitableTimerA
DuplicateHandle GetStdHandle LoadLibraryA MessageBoxA StringCchCopyExA
InitializeSecurityDescriptor
"""


def test_what_is_not_carried_is_an_error(build):
    """It does not compile, rather than do nothing."""
    for name in NOT_CARRIED.split():
        text = including(*OURS) + f"void *p = (void *)&{name};\n"
        assert name in complaint(build, ("c", "gcc", "c11"), text)
    text = including(*OURS) + "void f(void) { WSPPROC_TABLE t; int i = sizeof(t.lpWSPSend); }\n"
    assert "no member named" in complaint(build, ("c", "gcc", "c11"), text)
