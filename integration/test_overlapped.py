# SPDX-License-Identifier: MIT
"""Requests that are done at once: events, routines, results."""

from kits.overlapped import OVERLAPPED, ROUTINE


def test_immediate_success_sets_the_event(run_c):
    said = run_c(OVERLAPPED + r"""
	o.hEvent = WSACreateEvent();
	o.Internal = 5;
	WSASetEvent(o.hEvent);
	/* A mark in the lowest bit is not part of the handle. */
	HANDLE event = o.hEvent;
	o.hEvent = (HANDLE)((ULONG_PTR)event | 1);
	errno = 4321;
	say("acquire", over_buffers(s, &o, &r, &i, &n));
	say("errno", errno);
	say("bytes", n);
	say("token", i.Token != 0);
	say("Internal", o.Internal);
	say("InternalHigh", o.InternalHigh);
	say("completed", HasOverlappedIoCompleted(&o));
	say("event", WSAWaitForMultipleEvents(1, &event, TRUE, 0, FALSE));
	n = 0;
	say("result", WSAGetOverlappedResult(s, &o, &n, FALSE, &flags));
	say("its bytes", n);
	say("its flags", flags);
	say("fails at once", over_buffers(s, &o, &r, &i, &n));
	say("and does not set it", WSAWaitForMultipleEvents(1, &event, TRUE, 0, 0));
	say("close", WSACloseEvent(event));
	""")
    assert said == {
        "acquire": 0, "errno": 4321, "bytes": 16, "token": 1, "Internal": 0,
        "InternalHigh": 16, "completed": 1, "event": 0, "result": 1,
        "its bytes": 16, "its flags": 0, "fails at once": 10048,
        "and does not set it": 258, "close": 1,
    }


def test_a_routine_runs_in_an_alertable_wait_only(run_c):
    said = run_c(OVERLAPPED + r"""
	/* It makes the event ignored, even one that is none. */
	o.hEvent = (HANDLE)0x1234;
	inner = tcp();
	say("acquire", WSAIoctl(s, ACQUIRE, &r, 4, &i, 16, &n, &o, routine));
	say("bytes", n);
	say("not inside", called);
	say("plain wait", SleepEx(1, FALSE));
	say("still not", called);
	say("alertable", SleepEx(INFINITE, TRUE));
	say("called", called);
	say("error", routine_error);
	say("its bytes", routine_bytes);
	say("blocking inside", inside);
	say("overlapped inside", overlapped_inside);
	say("once", SleepEx(0, TRUE));
	""", before=ROUTINE)
    assert said == {
        "acquire": 0, "bytes": 16, "not inside": 0, "plain wait": 0,
        "still not": 0, "alertable": 0xC0, "called": 1, "error": 0,
        "its bytes": 16, "blocking inside": 10036, "overlapped inside": 0,
        "once": 0,
    }


def test_which_sockets_are_overlapped(run_c):
    said = run_c(OVERLAPPED + r"""
	SOCKET plain = WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, 0);
	SOCKET flagged = WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0,
				    WSA_FLAG_OVERLAPPED |
				    WSA_FLAG_NO_HANDLE_INHERIT);
	o.Internal = 5;
	say("plain", over_buffers(plain, &o, &r, &i, &n));
	say("untouched", o.Internal);
	say("not looked at", over_buffers(plain, nowhere(), &r, &i, &n));
	r = ports(27166, 1);
	say("flagged", over_buffers(flagged, &o, &r, &i, &n));
	say("filled in", o.InternalHigh);
	say("not inherited", fcntl(flagged, F_GETFD));
	closesocket(plain);
	say("same number", tcp() == plain);
	say("is overlapped", over_buffers(plain, nowhere(), &r, &i, &n));
	WSAPROTOCOL_INFOA info = {.iAddressFamily = AF_INET,
		.iSocketType = SOCK_DGRAM, .iProtocol = IPPROTO_UDP};
	flagged = WSASocketA(-1, -1, -1, &info, 0, 0);
	int type, size = sizeof type;
	getsockopt(flagged, SOL_SOCKET, SO_TYPE, &type, &size);
	say("of the structure", type == SOCK_DGRAM);
	say("bad flags", WSASocketA(AF_INET, SOCK_STREAM, 0, 0, 0, 2) == ~0ul);
	say("their code", WSAGetLastError());
	say("bad info", WSASocketA(-1, -1, -1, nowhere(), 0, 0) == ~0ul);
	say("its code", WSAGetLastError());
	WSACleanup();
	say("not started", WSASocketW(2, 1, 0, 0, 0, 1) == INVALID_SOCKET);
	say("that code", WSAGetLastError());
	""")
    assert said == {
        "plain": 0, "untouched": 5, "not looked at": 10048, "flagged": 0,
        "filled in": 16, "not inherited": 1, "same number": 1,
        "is overlapped": 10014, "of the structure": 1,
        "bad flags": 1, "their code": 10022, "bad info": 1, "its code": 10014,
        "not started": 1, "that code": 10093,
    }


def test_results_of_bad_calls(run_c):
    said = run_c(OVERLAPPED + r"""
#define RESULT(s, o, n, f) \
	(WSAGetOverlappedResult(s, o, n, FALSE, f) ? 0 : WSAGetLastError())
	say("good", RESULT(s, &o, &n, &flags));
	say("no structure", RESULT(s, NULL, &n, &flags));
	say("no bytes", RESULT(s, &o, NULL, &flags));
	say("no flags", RESULT(s, &o, &n, NULL));
	say("wild structure", RESULT(s, nowhere(), &n, &flags));
	say("wild bytes", RESULT(s, &o, nowhere(), &flags));
	say("wild flags", RESULT(s, &o, &n, read_only()));
	say("no socket", RESULT(~0, &o, &n, &flags));
	o.Internal = STATUS_PENDING;
	say("pending", RESULT(s, &o, &n, &flags));
	o.Internal = 995;
	say("failed", RESULT(s, &o, &n, &flags));
	WSACleanup();
	say("not started", RESULT(s, NULL, &n, &flags));
	""")
    assert said == {
        "good": 0, "no structure": 87, "no bytes": 87, "no flags": 87,
        "wild structure": 10014, "wild bytes": 10014, "wild flags": 10014,
        "no socket": 10038, "pending": 996, "failed": 995, "not started": 10093,
    }


def test_no_thread_without_need(run_c):
    """Success at once needs no worker."""
    said = run_c(OVERLAPPED + r"""
	say("acquire", over_buffers(s, &o, &r, &i, &n));
	say("threads", system("test $(ls /proc/$PPID/task | wc -l) = 1"));
	""")
    assert said == {"acquire": 0, "threads": 0}
