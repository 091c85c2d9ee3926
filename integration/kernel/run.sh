#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs commands on the kernel that this machine's Debian ships, whatever kernel
# runs here, each in a virtual machine of its own and all at once:
#
#   sh integration/kernel/run.sh BUILD COMMAND...
#
# KERNEL names another one: a package that apt knows, such as linux-image-6.12-amd64,
# or the .deb files of one (since Linux 7 these are linux-binary, linux-modules and
# linux-base). One for arm64 is run with ROOT, a root directory of that machine's with
# busybox-static, in which these sources stand, built for it: docs/platforms.md.
#
# A guest sees this machine's root directory, and keeps its changes to it in its
# memory; a command begins in the directory where this one does. Its output is
# printed, and it must end well. So a guest that panics has failed, and one that
# has not reported after 40 minutes, or MINUTES. What is downloaded and made is below
# BUILD/kernel.
set -eu

minutes=${MINUTES:-40}
mkdir -p "$1/kernel"
work=$(cd "$1/kernel" && pwd -P)
sources=$(pwd -P)
here=$(dirname "$0")
shift

say() {
	echo "check-kernel: $*" >&2
}

fail() {
	say "$@"
	exit 1
}

root=${ROOT:-}
case ${KERNEL:-} in
*arm64*) qemu=qemu-system-aarch64 ;;
*) qemu=qemu-system-x86_64 ;;
esac
for program in apt-get busybox cpio dpkg-deb $qemu; do
	command -v $program >/dev/null || fail "no $program here; as root:" \
		"apt-get install --no-install-recommends \$(cat tests/packages-kernel)"
done

# What a machine that is set up today boots, unless told otherwise.
dependencies() {
	apt-cache depends "$1" | awk '$1 == "Depends:" {print $2}'
}

# An empty package leads to another, and a kernel may be in several.
packages() {
	package=${KERNEL:-linux-image-amd64}
	while next=$(dependencies "$package" | grep '^linux-image-'); do
		package=${next%%[[:space:]]*}
	done
	apt-cache show "$package" >/dev/null 2>&1 ||
		fail "apt knows no $package: apt-get update, or KERNEL=…"
	echo "$package"
	dependencies "$package" | grep -- "^linux-[a-z]*-${package#linux-image-}\$" || :
}

case ${KERNEL:-} in
*.deb) debs=$KERNEL; wanted=$(basename "${KERNEL##* }" .deb) ;;
*) debs=; wanted=$(packages); wanted=${wanted%%[[:space:]]*} ;;
esac
kernel=$work/$wanted

if ! ls "$kernel"/lib/modules/*/vmlinuz >/dev/null 2>&1; then
	new=$work/new
	rm -rf "$new"
	mkdir -p "$new/root" "$new/lib"
	[ "$debs" ] || (cd "$new" &&
		apt-get -q -o APT::Sandbox::User=root download $(packages))
	for deb in ${debs:-"$new"/*.deb}; do
		dpkg-deb -x "$deb" "$new/root"
	done
	# Debian has moved the modules, and then the kernel to them.
	mv "$new"/root/lib/modules "$new"/root/usr/lib/modules "$new/lib" \
		2>/dev/null || :
	cd "$new"/lib/modules/*/kernel || fail "no modules in $wanted"
	[ -e ../vmlinuz ] || mv "$new"/root/boot/vmlinuz-* ../vmlinuz
	# Three quarters are for devices that no guest has.
	find drivers sound -mindepth 1 -maxdepth 1 ! -name virtio \
		! -name char -exec rm -r {} +
	find . -name '*.ko.xz' -exec busybox unxz {} +
	cd "$sources"
	busybox depmod -b "$new" "$(ls "$new/lib/modules")"
	rm -rf "$new/root" "$new"/*.deb "$kernel"
	mv "$new" "$kernel"
fi
version=$(ls "$kernel/lib/modules")
modules=lib/modules/$version

# What a guest needs until it has this machine's root directory.
drivers='virtio_pci virtio_console 9pnet_virtio 9p overlay'
first=$work/first
rm -rf "$first"
for directory in bin sbin proc sys dev "$modules"; do
	mkdir -p "$first/$directory"
done
cp "$root/bin/busybox" "$first/bin"
install "$here/init" "$first/init"
cp "$kernel/$modules/modules.dep" "$kernel/$modules/modules.builtin" \
	"$first/$modules"
for driver in $drivers; do
	# Or it is built in.
	grep "/$driver\.ko:" "$kernel/$modules/modules.dep" || :
done | tr -d : | tr ' ' '\n' | sort -u |
	(cd "$kernel/$modules" && cpio --quiet -pdm "$first/$modules")

# start NUMBER COMMAND: a guest whose serial line is the kernel's, and that has a
# port for what the command prints, and one for how it ended.
start() {
	number=$1
	quiet='quiet panic=-1'
	guest=$work/guest-$number
	rm -rf "$guest"
	mkdir "$guest"
	cat >"$first/settings" <<END
drivers='$drivers'
modules='${kernel#"$root"}/lib/modules'
sources='${sources#"$root"}'
END
	echo "$2" >"$first/command"
	(cd "$first" && find . | cpio --quiet -H newc -o) >"$guest/first"
	: >"$guest/report" >"$guest/status"
	case $qemu in
	*aarch64) set -- -M virt -cpu neoverse-n1 -append "console=ttyAMA0 $quiet" ;;
	*) set -- -append "console=ttyS0 $quiet" ;;
	esac
	timeout $((minutes * 60)) $qemu "$@" \
		-accel tcg -smp 2 -m 2048 -nodefaults -display none -no-reboot \
		-kernel "$kernel/$modules/vmlinuz" \
		-initrd "$guest/first" \
		-serial "file:$guest/console" \
		-device virtio-serial \
		-chardev "file,id=report,path=$guest/report" \
		-device virtserialport,chardev=report,nr=1 \
		-chardev "file,id=status,path=$guest/status" \
		-device virtserialport,chardev=status,nr=2 \
		-virtfs local,path="${root:-/}",mount_tag=machine,security_model=none,readonly=on,multidevs=remap \
		</dev/null >"$guest/qemu" 2>&1 &
	running="$running$!:$number "
}

# judge PID:NUMBER: prints a guest's report as it comes. Is it a good one?
judge() {
	guest=$work/guest-${1#*:}
	# Behind, or a signal would have to wait for its end.
	tail -n +1 -s 1 -f --pid="${1%:*}" "$guest/report" &
	wait $! || :
	ended=0
	wait "${1%:*}" || ended=$?
	status=$(cat "$guest/status")
	if ! [ "$status" ]; then
		tail -n 30 "$guest/qemu" "$guest/console" >&2
		say "the guest has not reported (qemu, or its time: $ended)"
	fi
	[ "$status" = 0 ]
}

running=
trap 'for guest in $running; do kill "${guest%:*}" || :; done' EXIT
trap 'exit 1' HUP INT TERM
number=0
for command; do
	number=$((number + 1))
	start $number "$command"
done

good=true
while [ "$running" ]; do
	judge "${running%% *}" || good=false
	running=${running#* }
done
$good
