# SPDX-License-Identifier: MIT
"""Events and waits for them, with handles that are none among the others."""


def test_events(run_c):
    said = run_c(r"""
	HANDLE e[3];
	say("before startup", WSACreateEvent() == NULL);
	say("its code", WSAGetLastError());
	say("wait before", WSAWaitForMultipleEvents(1, e, 0, 0, 0));
	started();
	e[0] = WSACreateEvent();
	e[1] = CreateEvent(NULL, FALSE, TRUE, NULL);
	e[2] = WSACreateEvent();
	say("one set", WSAWaitForMultipleEvents(3, e, FALSE, INFINITE, FALSE));
	say("reset itself", WSAWaitForMultipleEvents(3, e, FALSE, 0, FALSE));
	WSASetEvent(e[0]);
	WSASetEvent(e[2]);
	say("not all", WaitForMultipleObjects(3, e, TRUE, 1));
	say("the first", WaitForMultipleObjects(3, e, FALSE, 1));
	SetEvent(e[1]);
	say("all", WaitForMultipleObjects(3, e, TRUE, INFINITE));
	say("manual stays", WaitForSingleObject(e[0], INFINITE));
	WSAResetEvent(e[0]);
	say("until reset", WaitForSingleObjectEx(e[0], 0, TRUE));
	say("closed", CloseHandle(e[0]));
	say("wait for it", WaitForSingleObject(e[0], INFINITE));
	say("that code", WSAGetLastError());
	say("close again", WSACloseEvent(e[0]));
	say("code", WSAGetLastError());
	say("set", SetEvent(e[0]));
	say("set NULL", WSASetEvent(NULL));
	say("reset wild", WSAResetEvent((HANDLE)0x123456789abcdef0));
	say("reset -1", ResetEvent(INVALID_HANDLE_VALUE));
	say("none", WSAWaitForMultipleEvents(0, e, FALSE, 0, FALSE));
	say("none code", WSAGetLastError());
	say("many", WSAWaitForMultipleEvents(65, e, FALSE, 0, FALSE));
	say("many code", WSAGetLastError());
	say("wild", WSAWaitForMultipleEvents(2, nowhere(), FALSE, 0, FALSE));
	say("wild code", WSAGetLastError());
	say("named", CreateEventW(NULL, 0, 0, L"x") == NULL);
	say("named code", GetLastError());
	int made = 0;
	while (WSACreateEvent())
		made++;
	say("many can be made", made > 8000);
	say("then", WSAGetLastError());
	""")
    failed = 0xFFFFFFFF
    assert said == {
        "before startup": 1, "its code": 10093, "wait before": failed,
        "one set": 1, "reset itself": 258, "not all": 258, "the first": 0,
        "all": 0, "manual stays": 0, "until reset": 258, "closed": 1,
        "wait for it": failed, "that code": 6, "close again": 0, "code": 6,
        "set": 0, "set NULL": 0, "reset wild": 0, "reset -1": 0,
        "none": failed, "none code": 87, "many": failed, "many code": 87,
        "wild": failed, "wild code": 998, "named": 1, "named code": 50,
        "many can be made": 1, "then": 8,
    }
