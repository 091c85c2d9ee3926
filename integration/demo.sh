#!/bin/sh
# `make demo`: a Winsock program and an ordinary one meet over a reservation.
# usage: demo.sh BUILD-DIRECTORY. Everything printed below a "$" really ran.
set -eu

build=$1
here=$(dirname "$0")
# From here: LD_PRELOAD cannot say a path with a blank.
shim=$build/libportres.so
work=$(mktemp -d)
holder=

finish() {
	[ -z "$holder" ] || kill -KILL "$holder" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

# Shows a command and runs it with the library in front of it. PORTRES_POOL
# keeps the demonstration out of anybody's real pool.
preloaded() {
	printf '$ %sLD_PRELOAD=%s/libportres.so %s\n' \
		"${PORTRES_DEBUG:+PORTRES_DEBUG=1 }" "$build" "$*"
	LD_PRELOAD=$shim PORTRES_POOL=$work/pool "$@"
}

# The ordinary program: knows nothing of us, listens on a port, says so.
if [ -x /usr/bin/python3 ]; then
	cat >"$work/listen.py" <<-'END'
		import socket, sys
		server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
		print("listening on port", server.getsockname()[1])
	END
	ordinary() { preloaded /usr/bin/python3 "$work/listen.py" "$1"; }
else
	gcc "$here/programs/demo/listen.c" -o "$work/listen"
	ordinary() { preloaded "$work/listen" "$1"; }
fi
mkdir -m 700 "$work/pool"

say "A Winsock program, compiled with our headers, reserves ten ports:"
printf '$ g++ -I%s/include winsock_demo.cpp -L%s/lib -lws2_32\n' "$build" "$build"
g++ -I"$build/include" "$here/programs/demo/winsock_demo.cpp" -o "$work/winsock_demo" \
	-L"$build/lib" -lws2_32
mkfifo "$work/out"
LD_PRELOAD=$shim PORTRES_POOL=$work/pool "$work/winsock_demo" >"$work/out" &
holder=$!
read -r line <"$work/out"
printf '$ LD_PRELOAD=%s/libportres.so winsock_demo &\n%s\n' "$build" "$line"

first=$(printf '%s\n' "$line" | sed -n 's/.*ports \([0-9]*\)\.\..*/\1/p')
port=$((first + 5))

say "An ordinary program wants port $port, which is free but reserved:"
if (export PORTRES_DEBUG=1; ordinary "$port") 2>"$work/error"; then
	echo "demo: it got port $port, which is reserved" >&2
	exit 1
fi
grep '^portres:' "$work/error"
tail -n 1 "$work/error"

say "The Winsock program (pid $holder) is killed with SIGKILL:"
kill -KILL "$holder"
wait "$holder" 2>/dev/null || true
holder=

say "Now the ordinary program gets the port:"
ordinary "$port"
