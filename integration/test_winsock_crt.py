# SPDX-License-Identifier: MIT
"""The two C-runtime differences: wide formats and wmain; and _wtoi."""

import subprocess

import pytest

# Microsoft's wprintf: a format, its arguments, and what it prints. Characters
# that are not ASCII are UTF-8 here.
WPRINTF = [
    ("%s", 'L"abc"', "abc"),
    ("%ws", 'L"abc"', "abc"),
    ("%ls", 'L"abc"', "abc"),
    ("%hs", '"abc"', "abc"),
    ("%S", '"abc"', "abc"),
    ("%hS", '"abc"', "abc"),
    ("%lS", 'L"abc"', "abc"),
    ("%wS", 'L"abc"', "abc"),
    ("[%5s]", 'L"abc"', "[  abc]"),
    ("[%-5s]", 'L"abc"', "[abc  ]"),
    ("[%.2s]", 'L"abc"', "[ab]"),
    ("[%*.*s]", '5, 2, L"abc"', "[   ab]"),
    ("[%-*hs]", '5, "abc"', "[abc  ]"),
    ("%s", "(wchar_t *)0", "(null)"),
    ("%c%c", "L'x', 0xe9", "xé"),
    ("%hc%C", "'x', 'y'", "xy"),
    ("%lc%wc%lC", "0xe9, 0xe9, 0xe9", "ééé"),
    ("%c", "0xd800", "?"),
    ("%d %i %u", "-1, -2, -1", "-1 -2 4294967295"),
    ("%x %X %o", "255, 255, 8", "ff FF 10"),
    ("%ld", "0xfffffffffl", "-1"),
    ("%lu", "-1l", "4294967295"),
    ("%lx %li %lo", "-1l, -2l, -1l", "ffffffff -2 37777777777"),
    ("%I64d", "-1ll", "-1"),
    ("%I64d", "5000000000ll", "5000000000"),
    ("%I64u", "-1ll", "18446744073709551615"),
    ("%I64x %I64X", "-1ll, 255ll", "ffffffffffffffff FF"),
    ("%lld %llu", "-1ll, -1ll", "-1 18446744073709551615"),
    ("%I32d %I32u", "-1, -1", "-1 4294967295"),
    ("%Id %Iu %Ix", "-1l, -1l, 31l", "-1 18446744073709551615 1f"),
    ("%hd %hu %hhd", "65535, 65537, 255", "-1 1 -1"),
    ("%zu %td %jd", "(size_t)5, 6l, 7l", "5 6 7"),
    ("%+d % d %03d %#x", "7, 7, 7, 7", "+7  7 007 0x7"),
    ("[%*d] [%-6d] [%.4d]", "6, 7, 7, 7", "[     7] [7     ] [0007]"),
    ("%f %.2lf %e %Lg", "1.5, 1.5, 1.5, 1.5l", "1.500000 1.50 1.500000e+00 1.5"),
    ("%p", "(void *)0xdeadbeef", "00000000DEADBEEF"),
    ("[%20p]", "(void *)0xdeadbeef", "[    00000000DEADBEEF]"),
    ("[%-*p] %d", "20, (void *)0xdeadbeef, 3", "[00000000DEADBEEF    ] 3"),
    ("100%% %d", "7", "100% 7"),
    # The specification ends with the format: nothing.
    ("a%", "0", "a"),
    ("a%-5.3l", "0", "a"),
    # Unknown types stand for themselves and take no argument.
    ("%y %d", "7", "y 7"),
    ("%m%'d", "7", "m'd"),
    ("%1$d", "7", "$d"),
    # n takes its pointer and no more: this one would crash.
    ("a%n b %d", "(void *)1, 7", "a b 7"),
    ("%I64n%*.*n %d", "(void *)1, 3, 9, (void *)1, 7", " 7"),
]

# The same of Microsoft's printf, where it differs from glibc's.
PRINTF = [
    ("%s", '"abc"', "abc"),
    ("%hs", '"abc"', "abc"),
    ("%ls %ws", 'L"é", L"é"', "é é"),
    ("%S", 'L"abc"', "abc"),
    ("%hS %lS", '"abc", L"x"', "abc x"),
    ("%c%hc%C%lc", "'x', 'y', 0xe9, 0xe9", "xyéé"),
    ("%ld", "0xfffffffffl", "-1"),
    ("%lu %lx", "-1l, -1l", "4294967295 ffffffff"),
    ("%I64d %I64u", "5000000000ll, -1ll", "5000000000 18446744073709551615"),
    ("%I32u %Iu", "-1, 5000000000l", "4294967295 5000000000"),
    ("%08I64X|%-6ld|", "255ll, 7l", "000000FF|7     |"),
    ("%lld %zu %hd", "-1ll, (size_t)5, 65537", "-1 5 1"),
    ("%5.1f %g", "1.25, 0.5", "  1.2 0.5"),
    ("%p", "(void *)0xdeadbeef", "00000000DEADBEEF"),
    ("é%% %d", "7", "é% 7"),
    ("a%n b %d", "(void *)1, 7", "a b 7"),
]

TEXT = r"""
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

int main(void)
{
	setlocale(LC_ALL, "C.UTF-8");
"""


@pytest.mark.parametrize("language", ["c", "c++"])
def test_wprintf(compile_program, run, language):
    text = TEXT + "".join(
        f'\twprintf(L"{format}", {args}); wprintf(L"\\n");\n'
        for format, args, _ in WPRINTF) + "\treturn 0;\n}\n"
    program = compile_program(text, "table", language)
    lines = run(program).stdout.splitlines()
    assert len(lines) == len(WPRINTF)
    got = [(row[0], row[1], line) for row, line in zip(WPRINTF, lines)]
    assert got == WPRINTF


@pytest.mark.parametrize("flags", [[], ["-O2", "-D_FORTIFY_SOURCE=2"]],
                         ids=["plain", "fortified"])
@pytest.mark.parametrize("language", ["c", "c++"])
def test_printf(compile_program, run, language, flags):
    text = TEXT + "".join(
        f'\tprintf("{format}", {args}); printf("\\n");\n'
        for format, args, _ in PRINTF) + "\treturn 0;\n}\n"
    program = compile_program(text, "table", language, [
        *flags, "-Wall", "-Wextra", "-Werror"])
    lines = run(program).stdout.splitlines()
    got = [(row[0], row[1], line) for row, line in zip(PRINTF, lines)]
    assert got == PRINTF


@pytest.mark.parametrize("flags", [[], ["-O2", "-D_FORTIFY_SOURCE=2"]],
                         ids=["plain", "fortified"])
@pytest.mark.parametrize("language", ["c", "c++"])
def test_the_narrow_family(compile_program, run, language, flags):
    """A format that is NULL is an error here; to compilers it cannot be."""
    program = compile_program("winsock_crt/narrow.c", "narrow", language, [
        *flags, "-fno-sanitize=nonnull-attribute"])
    ended = run(program)
    assert ended.stdout == ("5000000000;5000000000;5000000000;50044 10 "
                            "4294967295 4 920 18446744073709551615\n")
    assert ended.returncode == 42


def test_the_family_and_what_it_returns(compile_program, run):
    """One length for each function, errors too, and stdout takes bytes and
    wide characters in turn, which glibc alone would refuse."""
    program = compile_program(TEXT + r"""
	const wchar_t *none = NULL;
	int a = wprintf(L"%s ", L"één");
	int b = printf("%s ", "bytes");
	int c = fwprintf(stdout, L"%hs\n", "wide");
	int (*pointer)(const wchar_t *, ...) = wprintf;
	int d = (wprintf)(L"%d%s", 1, L"");
	int e = pointer(L"%s\n", L"23");

	fwprintf(stderr, L"%d %d %d %d %d %d\n", a, b, c, d, e, wprintf(none));
	return 0;
}
""", "family")
    ended = run(program)
    assert ended.stdout == "één bytes wide\n123\n"
    assert ended.stderr == "4 6 5 1 3 -1\n"


def test_the_v_functions(compile_program, run):
    program = compile_program(r"""
#include <windows.h>
#include <stdarg.h>

static int both(const wchar_t *format, ...)
{
	va_list args, again;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vwprintf(format, args) + vfwprintf(stdout, format, again);
	va_end(again);
	va_end(args);
	return n;
}

int main(void)
{
	return both(L"%s %ld;", L"x", 0x100000007);
}
""", "v")
    ended = run(program)
    assert (ended.stdout, ended.returncode) == ("x 7;x 7;", 8)


def test_a_format_of_any_length(compile_program, run):
    """Around the size of the buffer on the stack, with the conversion that
    grows most, and far beyond. (make check SAN=address is for this.)"""
    program = compile_program(TEXT + r"""
	static wchar_t format[100001];
	static char want[200001];

	for (int count = 1; count <= 90; count++) {
		wcscat(format, L"%p");
		strcat(want, "0000000000000000");
		wprintf(format, ZEROS);
		printf("\n%s\n", want);
		wcscat(format, L"x");
		strcat(want, "x");
		wprintf(format, ZEROS);
		printf("\n%s\n", want);
	}
	for (int i = 0; i < 100000; i++)
		format[i] = '%';
	return wprintf(format) == 50000 ? 42 : 1;
}
""".replace("ZEROS", ", ".join(["(void *)0"] * 90)), "long")
    ended = run(program)
    lines = ended.stdout.splitlines()
    assert len(lines) == 361
    assert lines[0:-1:2] == lines[1:-1:2]
    assert lines[-1] == "%" * 50000
    assert ended.returncode == 42


def test_std_wprintf_and_wcout(compile_program, run):
    program = compile_program(r"""
#include <windows.h>
#include <cwchar>
#include <iostream>

int main()
{
	std::wcout << L"first ";
	std::wprintf(L"%s ", L"second");
	std::wcout << L"third" << std::endl;
}
""", "std", "c++")
    assert run(program).stdout == "first second third\n"


def test_wprintf_keeps_the_last_error(compile_program, run):
    """Even when a character cannot be printed."""
    program = compile_program(r"""
#include <winsock2.h>

int main(void)
{
	WSASetLastError(WSAEADDRINUSE);
	wprintf(L"\xd800 error %d\n", WSAGetLastError());
	return WSAGetLastError() == WSAEADDRINUSE ? 0 : 1;
}
""", "kept")
    assert run(program).returncode == 0


WTOI = [
    ("_wtoi", '" \\t-12x"', -12),
    ("_wtoi", '"+7"', 7),
    ("_wtoi", '"x1"', 0),
    ("_wtoi", '""', 0),
    ("_wtoi", '"0x10"', 0),
    ("_wtoi", '"010"', 10),
    ("_wtoi", '"2147483648"', 2147483647),
    ("_wtoi", '"-99999999999999999999"', -2147483648),
    ("_wtol", '"-2147483649"', -2147483648),
    ("_wtoi64", '"-5000000000"', -5000000000),
    ("_wtoi64", '"9999999999999999999"', 9223372036854775807),
]


def test_wtoi(compile_program, run):
    text = TEXT + "".join(
        f'\twprintf(L"%I64d\\n", (long long){name}(L{argument}));\n'
        for name, argument, _ in WTOI)
    text += '\twprintf(L"%d\\n", _wtoi(NULL));\n\treturn 0;\n}\n'
    program = compile_program(text, "wtoi")
    lines = run(program).stdout.split()
    assert lines == [str(value) for _, _, value in WTOI] + ["0"]


WMAIN = {
    "c": ("c", "int wmain(int argc, wchar_t **argv)", "wcslen(argv[1])"),
    "c env": ("c", "int wmain(int argc, wchar_t **argv, wchar_t **envp)",
              "envp[0] ? wcslen(argv[1]) : 99"),
    "c++": ("c++", "int wmain(int argc, wchar_t *argv[])", "wcslen(argv[1])"),
    "c++ const": ("c++", "int wmain(int argc, const wchar_t **argv)",
                  "wcslen(argv[1])"),
    "c++ env": ("c++", "int wmain(int argc, wchar_t **argv, wchar_t **envp)",
                "envp[0] ? wcslen(argv[1]) : 99"),
    "c++ extern C": ("c++", 'extern "C" int wmain(int argc, wchar_t **argv)',
                     "wcslen(argv[1])"),
}


@pytest.mark.parametrize("name", WMAIN)
def test_wmain(compile_program, run, name):
    language, head, value = WMAIN[name]
    program = compile_program(
        f"#include <windows.h>\n{head}\n{{\n"
        f"\treturn argv[argc] ? 98 : (int)({value});\n}}\n", "w", language)
    assert run(program, "fünf!").returncode == 5


def test_wmain_without_parameters(compile_program, run):
    program = compile_program("int wmain() { return 5; }\n", "w", "c++")
    assert run(program).returncode == 5


def test_main_wins_and_no_wmain_is_an_error(compile_program, run):
    both = compile_program(
        "int main(void) { return 3; }\nint wmain(void) { return 4; }\n", "both")
    assert run(both).returncode == 3
    names = subprocess.run(["nm", both], capture_output=True, text=True,
                           check=True).stdout
    assert " main\n" in names and "widen" not in names

    neither = compile_program("int nothing;\n", "neither")
    ended = run(neither)
    assert ended.returncode == 127
    assert ended.stderr.count("\n") == 1 and "wmain" in ended.stderr


# None of them may be lost or shortened, whatever the locale is able to read.
ARGUMENTS = [b"plain", "één".encode(), b"\xff\xe9x", b"", b"a\xc3"]
LOCALES = [{"LC_ALL": "C.UTF-8"}, {"LC_ALL": "C"}, {"LC_ALL": "no_SUCH.locale"}]


@pytest.mark.parametrize("locale", LOCALES, ids=str)
def test_arguments_in_any_locale(compile_program, run, shim_env, locale):
    program = compile_program(
        "#include <windows.h>\nint wmain(int argc, wchar_t **argv)\n{\n"
        "\tfor (int i = 1; i < argc; i++)\n\t\twprintf(L\"%s|\", argv[i]);\n"
        "\treturn argc;\n}\n", "arguments")
    env = {k: v for k, v in shim_env.items()
           if k != "LANG" and not k.startswith("LC_")} | locale
    ended = run(program, *ARGUMENTS, env=env)
    assert ended.returncode == len(ARGUMENTS) + 1
    # Bytes that are no UTF-8 come as the characters of their numbers.
    assert ended.stdout == "plain|één|ÿéx||aÃ|"
