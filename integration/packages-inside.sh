#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of packages.sh that runs in the clean root. TESTS: what is run of
# integration/.
set -eu
cd /tmp/portres

say() { printf '== %s\n' "$*"; }
fail() { echo "check-packages: $*" >&2; exit 1; }

# All that there is, and the contents of what is set up. dpkg, apt, mount and the
# linker keep books of their own, and groupadd what was before.
everything() {
	find / /dev/shm /run -xdev \( -path /packages -o -path /var/lib/dpkg \
		-o -path /var/log -o -path /var/cache -o -path /var/lib/apt \
		-o -path /run/mount -o -path /etc/ld.so.cache -o -path '/etc/*-' \) -prune -o \
		-printf '%p %y %m %u:%g %l\n' | sort
	find /etc -xdev -type f ! -name ld.so.cache ! -name '*-' \
		-exec sha256sum {} + | sort
}

quietly() {
	"$@" >/tmp/said 2>&1 || { cat /tmp/said; fail "$*"; }
}

reserved() {
	portres who --tcp 5000-5001 | tee /tmp/who | grep -q "$1" ||
		{ cat /tmp/who; fail "not $1"; }
}

# The one line of a document that has these words, as it stands there.
line() {
	grep -h -- "$2" "$1" | sed 's/  *#.*//' >/tmp/line
	[ "$(wc -l </tmp/line)" = 1 ] || fail "$1: not one line with $2"
	cat /tmp/line
}
as_it_stands() {
	quietly sh -euc "$(line "$1" "$2")"
}

names=$(for file in /packages/*.deb; do dpkg-deb -f "$file" Package; done)
everything >/tmp/before

say 'a version of before, with a block that is kept and a server in it'
quietly dpkg -i /packages/old/*.deb
quietly portres list # which makes the user's own pool
as_it_stands docs/machine-pool.md '^groupadd'
quietly portres persistent add tcp 5000 2
mkfifo /tmp/turns
portres run --tcp 5000+2 -- python3 -c '
import socket, sys
first = socket.create_server(("127.0.0.1", 5000))
print("ready", flush=True)
sys.stdin.readline()
socket.create_server(("127.0.0.1", 5001))
print("bound 5001", flush=True)' </tmp/turns >/tmp/answers &
server=$!
exec 3>/tmp/turns
tries=0
until grep -q ready /tmp/answers; do
	kill -0 $server || fail 'the server has ended'
	tries=$((tries + 1))
	[ $tries -lt 600 ] || fail 'the server does not answer'
	sleep 0.1
done

say 'upgraded under it'
mkdir -p /tmp/here/build
ln -s /packages /tmp/here/build/deb
cp README.md /tmp/here
(cd /tmp/here && as_it_stands README.md '^apt-get install -y \./build/deb')
[ "$(portres --version)" = "portres $(cat VERSION)" ] || fail "$(portres --version)"
reserved persistent
echo >&3
wait $server || fail 'the server has failed'
grep -q 'bound 5001' /tmp/answers || fail 'the server has lost its block'
exec 3>&-

say 'what it says of itself'
LD_PRELOAD=libportres.so.0 portres doctor
quietly portres persistent delete tcp 5000 2

say 'the tests, of what is installed'
quietly mkdir /tmp/build
# The sources cannot be written here: what tests make is elsewhere.
make -s installcheck B=/tmp/build prefix=/usr \
	libdir="/usr/lib/$(gcc -dumpmachine)" \
	INTEGRATION="$(printf 'integration/test_%s.py ' $TESTS)"
cat >/tmp/test_fixture.py <<'END'
import os, portres

def test_it(reserved_ports):
    assert portres.__file__.startswith("/usr/lib/python3/dist-packages/")
    assert os.path.realpath(portres.load().path).startswith("/usr/lib/")
    r = reserved_ports()
    r.popen(["python3", "-m", "http.server", "--bind", "127.0.0.1", str(r.port)])
    r.wait_listening()
END
(cd /tmp && python3 -m pytest -q -p no:cacheprovider test_fixture.py)

say 'a user of the pool of the machine'
quietly useradd alice
as_it_stands docs/machine-pool.md '^usermod'
su alice -c "$(line docs/machine-pool.md '^portres doctor')" >/tmp/said ||
	[ $? = 1 ] || fail "$(cat /tmp/said)"
grep -q '^ok .*/run/portres' /tmp/said || { cat /tmp/said; fail 'not her pool'; }
quietly userdel alice

say 'removed: what was kept is kept'
# As `systemctl enable` has it, which is not here.
for unit in portres-pool:sysinit portres-guard:basic; do
	wants=/etc/systemd/system/${unit#*:}.target.wants
	mkdir -p $wants
	ln -s "$(dpkg -L portres portres-guard | grep "/${unit%:*}.service$")" $wants
done
quietly portres persistent add tcp 5000 2
quietly dpkg -r $names
[ -s /etc/portres/persistent ] || fail 'the store has gone'
everything | diff /tmp/before - | sed -n 's/^> //p' | grep -vE \
	'^[0-9a-f]{64} |^(/etc/portres|/run/portres|/dev/shm/portres-0|/var/lib/systemd|/etc/systemd/system)[/ ]' |
	grep . && fail 'left by dpkg -r'

say 'purged: nothing is left'
quietly dpkg -P $names
everything >/tmp/after
diff /tmp/before /tmp/after || fail 'left by dpkg -P'
! ls /var/lib/dpkg/info | grep portres || fail 'left by dpkg -P'
! dpkg-query -W $names 2>/dev/null || fail 'dpkg still knows them'
! getent group portres || fail 'a group is left'
echo 'nothing'

say 'from the sources, by gcc and make alone, and away again'
tar -xf /packages/portres-*.tar.gz -C /tmp
cd /tmp/portres-*/
export PATH="/usr/local/bin:$PATH"
as_it_stands README.md '^make && make install'
(cd /tmp && LD_PRELOAD=libportres.so.0 portres doctor) >/tmp/said || [ $? = 1 ]
grep -q '^ok .*/usr/local/lib/libportres.so' /tmp/said || fail "$(cat /tmp/said)"
make -s installcheck INTEGRATION=integration/test_native.py
as_it_stands README.md '^make uninstall'
rm -rf /dev/shm/portres-0
# Directories stay, as others may have things in them.
everything | diff /tmp/before - | sed -n 's/^[<>] //p' | grep -v ' d [0-7]* root:root ' |
	grep . && fail 'left by make uninstall'
echo 'nothing'
