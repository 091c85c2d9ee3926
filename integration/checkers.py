# SPDX-License-Identifier: MIT
"""Checkers of the library and its programs: the sanitizers of a
`make SAN=` build, and valgrind, which --under names."""

import pathlib
import subprocess

import pytest

RUNTIMES = {
    "address": "libasan.so",
    "undefined": "libubsan.so",
    "thread": "libtsan.so",
}

# A finding ends the program, so that its test fails. Leaks are valgrind's: an
# interpreter has many. The command preloads the library without a runtime, and
# the pytest plugin before it.
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:check_printf=0:verify_asan_link_order=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": (
        "halt_on_error=1:die_after_fork=0:check_printf=0"),
}

EARLY = "the runtime is not ready for calls before its constructor"
NOT_FIRST = "the command preloads the library alone, the runtime comes too late"
DEEPBIND = "the runtime does not allow that library's way to libc"
ITS_OWN = "the runtime has a thread and system calls of its own"
DEADLY = "the runtime explains the signal at length"
NO_RUNTIME = "it preloads other libraries, no runtime"
UNSHARED = "unshare(1) crashes under the runtime"
SHELL = "the shell crashes under the runtime"
BETWEEN = "the second library's way to libc leads through the runtime to the first"
BUILT_PATH = "what is installed has a path of its own"
NO_OBJECTS = "what is installed has no objects"
NO_MAPS = "the runtime reads its own maps in /proc"
FORKS = "the runtime's malloc does not mind forks"
LEFT = "what the other thread had, nobody has in a child"
RUNNING = "a thread of the test's own runs at its end, and has its stack"
FILTERED = "the program's filter forbids it to valgrind, too"
UNLOCKED = "the runtime lets no program lock its memory"
ITS_FILE = "the runtime makes a file of its own"
TWO_AT_ONE = "two threads use one number of a descriptor, on purpose"
READ_ONLY = "valgrind stores what sigprocmask answers itself, and ends there"

# By checker, what it cannot look at: names of tests, of some with the beginning of
# their parameters.
CANNOT = {
    "address": {
        "test_a_heap_in_a_child_although_a_thread_was_at_it": FORKS,
        "test_calls_before_our_constructor_and_after_the_end": EARLY,
        "test_calls_before_all_constructors": EARLY,
        "test_a_library_that_is_none[PORTRES_LIB-cut]": DEADLY,
        "test_a_library_that_is_none[beside-cut]": DEADLY,
        "test_a_malloc_that_closes_files[True]": EARLY,
        "test_cargo": NOT_FIRST,
        "test_fork_with_a_pending_request": FORKS,
        "test_go": NOT_FIRST,
        "test_node": NOT_FIRST,
        "test_postgresql": NOT_FIRST,
        "test_preloaded_by_another_name": NO_RUNTIME,
        "test_recipe[PostgreSQL]": NOT_FIRST,
        "test_the_command_of_the_other_libc": NOT_FIRST,
        "test_where_there_is_no_proc": NO_MAPS,
        "test_words_of_ld_preload": NO_RUNTIME,
    },
    "undefined": {},
    "thread": {
        "test_a_filter_before_the_first_bind[mmap]": ITS_OWN,
        "test_pending_until_the_pool_is_free": ITS_OWN,
        "test_it_is_told_that_there_is_no_memory": UNLOCKED,
        "test_it_is_told_that_there_is_no_pool": UNLOCKED,
        "test_no_extra_system_call[none]": ITS_OWN,
        "test_a_library_that_goes_to_libc_past_us": DEEPBIND,
        "test_a_library_that_is_none[PORTRES_LIB-cut]": DEADLY,
        "test_a_library_that_is_none[beside-cut]": DEADLY,
        "test_a_malloc_that_closes_files[True]": EARLY,
        "test_an_off_that_was_killed_while_it_removed[1]": ITS_OWN,
        "test_an_unreserved_bind_takes_one_more_system_call": ITS_OWN,
        "test_cargo": NOT_FIRST,
        "test_go": NOT_FIRST,
        "test_haproxy_that_executes_itself_anew": NOT_FIRST,
        "test_java": NOT_FIRST,
        "test_junit": NOT_FIRST,
        "test_memcached_drops_its_privileges": NOT_FIRST,
        "test_node": NOT_FIRST,
        "test_no_link_where_others_may_write_for_python": UNSHARED,
        "test_no_room_for_a_pool[named-limit]": ITS_FILE,
        "test_no_room_for_a_pool[own-limit]": ITS_FILE,
        "test_nor_while_a_port_is_picked": TWO_AT_ONE,
        "test_one_of_the_two_is_refused": ITS_OWN,
        "test_one_that_two_handlers_have_interrupted_is_under_way": ITS_OWN,
        "test_postgresql": NOT_FIRST,
        "test_preloaded_by_another_name": NO_RUNTIME,
        "test_python[http.server]": NOT_FIRST,
        "test_recipe[PostgreSQL]": NOT_FIRST,
        "test_sockets[tcp-copy_env]": BETWEEN,
        "test_sockets[udp-copy_env]": BETWEEN,
        "test_sockets_that_are_none": DEEPBIND,
        "test_the_plugin": SHELL,
        "test_the_table_is_true": ITS_OWN,
        "test_what_is_written_to_closed_streams_is_not_ours": TWO_AT_ONE,
        "test_with_another_library[libeatmydata.so-behind": EARLY,
        "test_with_another_library[libsocket_wrapper.so-behind": DEEPBIND,
        "test_the_environment": NO_RUNTIME,
        "test_without_a_pool_of_its_own_name": UNSHARED,
        "test_words_of_ld_preload": NO_RUNTIME,
    },
    # No checker: `make installcheck`.
    "installed": {
        "test_arguments_and_environment": BUILT_PATH,
        "test_not_preloaded_is_a_warning_with_the_line_to_type": BUILT_PATH,
        "test_installed_layout": BUILT_PATH,
        "test_the_plan": BUILT_PATH,
        "test_the_shim_comes_first": BUILT_PATH,
        "test_core_needs_nothing_that_others_stand_in_front_of": NO_OBJECTS,
        "test_hooks_ask_no_clock_of_libcs": NO_OBJECTS,
        "test_nothing_of_ours_comes_back_through_our_hooks": NO_OBJECTS,
        "test_winsock_stands_on_the_native_api_alone": NO_OBJECTS,
    },
    "valgrind": {
        "test_a_filter_after_the_first_bind[rt_sigprocmask]": FILTERED,
        "test_a_filter_before_the_first_bind[gettid]": FILTERED,
        "test_a_filter_before_the_first_bind[mmap]": FILTERED,
        "test_a_filter_before_the_first_bind[read]": FILTERED,
        "test_a_filter_before_the_first_bind[rt_sigprocmask]": FILTERED,
        "test_a_filter_before_the_pool_is_made[munmap]": FILTERED,
        "test_a_heap_in_a_child_although_a_thread_was_at_it": LEFT,
        "test_an_associated_socket_stays_in_its_block[rt_sigprocmask]": FILTERED,
        "test_only_the_thread_that_forks_is_in_the_child": RUNNING,
        "test_bad_calls[acquire, read-only output": READ_ONLY,
        "test_bad_calls[overlapped read-only": READ_ONLY,
        "test_bad_threads": READ_ONLY,
    },
}


def sanitizer(build):
    """"address", "undefined", "thread" or, for an ordinary build, ""."""
    name = build.name.partition("-")[2]
    return name if name in RUNTIMES else ""


def runtimes(build):
    """The libraries that are preloaded before ours."""
    name = sanitizer(build)
    if not name:
        return []
    return subprocess.run(["gcc", f"-print-file-name={RUNTIMES[name]}"],
                          check=True, capture_output=True,
                          text=True).stdout.split()


def flags(build):
    """The flags that programs are compiled with."""
    name = sanitizer(build)
    return [f"-fsanitize={name}", "-fno-sanitize-recover=all"] if name else []


def is_named(test, name):
    return test == name or test.startswith(name if "[" in name else f"{name}[")


def choose(items, config):
    """Leaves the tests that the checker can say something about."""
    build = pathlib.Path(config.getoption("--build-dir"))
    checker = "installed" if build.name == "installed" else sanitizer(build)
    if config.getoption("--under"):
        checker = "valgrind"
        others = [item for item in items if "under" not in item.fixturenames]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
    for item in items:
        for name, why in CANNOT.get(checker, {}).items():
            if is_named(item.name, name):
                item.add_marker(pytest.mark.skip(reason=why))
