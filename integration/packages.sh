#!/bin/sh
# SPDX-License-Identifier: MIT
# `make check-packages`: the Debian packages in a clean root of the Debian that
# apt is set up for here. They are looked over (lintian), installed in a version
# of before, upgraded under a running server, tested as installed (the commands
# of the README among that), removed and purged; then nothing is left. As root.
#
#   sh integration/packages.sh BUILD
#
# They are built once more, in another place, and are the same bytes then. The
# sources are installed and uninstalled there too, as the README says it.
# The root is made once, in BUILD/root.tar; in it there is no network but a
# loopback of its own.
set -eu

build=$(cd "$1" && pwd -P)
sources=$(pwd -P)
# What the packages' users have, and what the tests of integration want.
wanted=gcc,g++,make,libc6-dev,binutils,pkgconf,iproute2,libcap2-bin,python3-pytest
# Those of the command and its library; the others are of this tree, not of what
# is installed, or want more of Debian. TESTS= names others.
tests=${TESTS:-"cli cli_answers cli_doctor cli_run cli_who cli_persistent native headers
winsock winsock_programs plugin_use readme"}

fail() {
	echo "check-packages: $*" >&2
	exit 1
}

in_root() {
	# Its changes end with the shell that has mounted it.
	root=$1
	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount -t devpts -o newinstance,ptmxmode=0666 none "$root/dev/pts"
	for place in tmp run dev/shm; do
		mount -t tmpfs -o mode=1777 none "$root/$place"
	done
	chmod 755 "$root/run"
	mkdir "$root/tmp/portres"
	mount --bind "$sources" "$root/tmp/portres"
	mount -o remount,bind,ro "$root/tmp/portres"
	ip link set lo up
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive PYTHONDONTWRITEBYTECODE=1 \
		TESTS="$tests" chroot "$root" \
		sh /tmp/portres/integration/packages-inside.sh
}

if [ "${INSIDE:-}" ]; then
	in_root "$INSIDE"
fi

for program in debootstrap lintian; do
	command -v $program >/dev/null || fail "no $program here; as root: apt-get" \
		"install --no-install-recommends \$(cat tests/packages-deb)"
done
[ "$(id -u)" = 0 ] || fail "must be root, to make a root directory"

# Nothing of this was ever in Debian, so no wish for it can be closed.
lintian --allow-root --fail-on error,warning \
	--suppress-tags initial-upload-closes-no-bugs "$build"/deb/*.changes
echo 'lintian: no error, no warning'

top=$(mktemp -d)
trap 'rm -rf --one-file-system "$top"' EXIT
trap 'exit 1' INT TERM
chmod 755 "$top"

version=$(cat VERSION)
sources_of_it=$build/portres-$version.tar.gz
mkdir "$top/again"
tar -xf "$sources_of_it" -C "$top/again"
make -s -C "$top/again/portres-$version" deb >"$top/said" 2>&1 ||
	{ tail -n 20 "$top/said" >&2; fail "no second build"; }
for package in "$build"/deb/*.deb; do
	cmp "$package" "$top/again/portres-$version/build/deb/${package##*/}" ||
		fail "another build makes other bytes"
done
rm -rf "$top/again"
echo 'built again: the same bytes'

if ! [ -e "$build/root.tar" ]; then
	set -- $(apt-get indextargets --format '$(CODENAME) $(SITE)' \
		'Created-By: Packages' 'Label: Debian' 'Component: main' |
		awk '$1 !~ /-/ { print; exit }')
	[ $# = 2 ] || fail "apt has no Debian: apt-get update"
	new=$(mktemp -d)
	if ! debootstrap --variant=minbase --include="$wanted" "$1" "$new/root" "$2" \
			>"$new/said" 2>&1; then
		tail -n 20 "$new/said" >&2
		rm -rf --one-file-system "$new"
		fail "no clean root"
	fi
	rm -rf "$new"/root/var/cache/apt/archives/*.deb
	tar -C "$new/root" -cf "$build/root.tar.new" .
	mv "$build/root.tar.new" "$build/root.tar"
	rm -rf --one-file-system "$new"
fi

mkdir "$top/root"
tar -C "$top/root" -xf "$build/root.tar"

# A version of before is this one under another number.
mkdir "$top/old" "$top/root/packages" "$top/root/packages/old"
cp "$sources_of_it" "$top/root/packages"
for package in "$build"/deb/*.deb; do
	case $package in *-dbgsym_*) continue ;; esac
	cp "$package" "$top/root/packages"
	dpkg-deb -R "$package" "$top/old/one"
	number=$(dpkg-deb -f "$package" Version)
	sed -i "s/$number/0.9-1/; s/(>= [0-9.-]*)\(, \)*/\1/" "$top/old/one/DEBIAN/control"
	dpkg-deb -b "$top/old/one" "$top/root/packages/old/$(basename "$package")" >/dev/null
	rm -rf "$top/old/one"
done

INSIDE=$top/root unshare -mnp --fork sh "$0" "$build"
