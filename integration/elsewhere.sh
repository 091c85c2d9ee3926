#!/bin/sh
# usage: elsewhere.sh BUILD-DIRECTORY [PLACE]...
#
# Runs the tests where people stand who have cloned this: below a directory that
# others cannot enter (/root), in a plain chroot, as a root without rights (a
# container's), as an ordinary user, and where a guard refuses all (in a cgroup
# of its own). Prints each runner's closing lines. What cannot be tested
# somewhere is skipped there, with its reason. As root.
#
# Each place has a network namespace of its own: connections of another would be
# in TIME_WAIT at the ports that all of them use. It has processes of its own,
# too: a guard looks at all that there are, and as many places as the machine has
# processors are tried at a time. Most tests wait for one process.
set -eu
build=$1
shift
[ $# -gt 0 ] || set -- closed chroot container nobody guarded

# A copy of the tree and what was built, below a directory of the given mode.
copy() {
	mkdir -m "$2" "$top/$1"
	cp -a . "$top/$1/portres"
	cd "$top/$1/portres"
}

# The tests alone: everything is built.
tests() {
	exec make -s check-unit check-integration
}

closed() {
	copy closed 700
	tests
}

# The machine's own root, but one that is not the root of its mounts.
in_chroot() {
	mkdir "$top/root"
	here=$PWD
	unshare -m sh -euc 'mount --rbind / "$1"; cd /; exec chroot "$1" \
		make -s -C "$2" check-integration' sh "$top/root" "$here"
}

container() {
	exec capsh --drop=cap_sys_admin,cap_sys_ptrace,cap_net_admin -- \
		-c 'exec make -s check-unit check-integration'
}

nobody() {
	copy nobody 755
	chown -R 65534:65534 "$top/nobody"
	export HOME="$top/nobody" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin
	exec setpriv --reuid=65534 --regid=65534 --clear-groups \
		make -s check-unit check-integration
}

# Up to ten seconds: what was killed is still about to end.
eventually() {
	for i in $(seq 100); do
		"$@" && return
		sleep 0.1
	done
	echo "E   still not so: $*"
	return 1
}

nothing_is_held() {
	"$build/portres" guard status --json --cgroup "$1" | grep -q '"blocks": 0,'
}

say_what_is_held() {
	"$build/portres" guard status --cgroup "$1" || :
	for pid in $(cat "$1/cgroup.procs"); do
		ps -o pid=,etime=,args= -p "$pid" || :
	done
	return 1
}

# Process numbers are no names: they are the same in each place.
cgroup_of_its_own() {
	echo "$(awk '$3 == "cgroup2" {print $2; exit}' /proc/self/mounts)/portres-check-${top##*.}"
}

guard_off() {
	"$build/portres" guard off --cgroup "$1" --force
	eventually rmdir "$1"
}

guarded() {
	cgroup=$(cgroup_of_its_own)
	if ! said=$(mkdir "$cgroup" 2>&1 &&
		"$build/portres" guard on --cgroup "$cgroup" 2>&1); then
		echo "SKIPPED guarded: $said"
		rmdir "$cgroup" 2>/dev/null || true
		return
	fi
	status=0
	sh -euc 'echo 0 >"$1/cgroup.procs"
		exec make -s check-unit check-integration' sh "$cgroup" ||
		status=$?
	eventually nothing_is_held "$cgroup" || say_what_is_held "$cgroup" ||
		status=1
	guard_off "$cgroup" || status=1
	return $status
}

# Where this script is run again, in the place's own namespaces.
if [ "${INSIDE:-}" ]; then
	top=$INSIDE
	unset INSIDE # the tests' own scripts know one, too
	case $1 in
	chroot) in_chroot ;;
	*) ($1) ;; # so that process 1 stays a shell, which waits for orphans too
	esac
	exit
fi

top=$(mktemp -d)
chmod 755 "$top"

# Criterion makes a socket in /tmp by its process number, which is to be no other
# place's, nor one of another run; the kernel's least limit of them is 32768.
try() {
	INSIDE=$top exec unshare -n -m -p -f --kill-child --mount-proc \
		sh -euc 'ip link set lo up
			echo "$1" >/proc/sys/kernel/ns_last_pid || :
			shift
			exec sh "$@"' sh \
		$first "$0" "$build" "$1" >"$top/$1.said" 2>&1
}

# judge PID:PLACE: waits for its end, and prints what is to be known of it.
judge() {
	where=${1#*:}
	said=$top/$where.said
	printf '== %s\n' "$where"
	if wait "${1%:*}"; then
		grep -E '^SKIPPED|passed' "$said" || true
	else
		grep -E '^(FAILED|ERROR|\[FAIL\]|E   )' "$said" || true
		tail -n 60 "$said"
		failed="$failed $where"
	fi
}

first=$(($$ % 5000))
failed=
running=
idle=$(nproc)
# Other signals wait there for the place's end.
end() {
	for place in $running; do
		kill -KILL "${place%:*}"
		wait "${place%:*}" || :
	done
	cgroup=$(cgroup_of_its_own)
	[ ! -d "$cgroup" ] || guard_off "$cgroup" || :
	rm -rf "$top"
}
trap end EXIT
trap 'exit 1' HUP INT TERM
for place; do
	if [ "$idle" -gt 0 ]; then
		idle=$((idle - 1))
	else
		judge "${running%% *}"
		running=${running#* }
	fi
	first=$(((first + 5000) % 30000))
	try "$place" &
	running="$running$!:$place "
done
while [ "$running" ]; do
	judge "${running%% *}"
	running=${running#* }
done
[ -z "$failed" ] || { printf 'failed in:%s\n' "$failed"; exit 1; }
