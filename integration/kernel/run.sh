#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs commands on the kernel that this machine's Debian ships, whatever kernel
# runs here, each in a virtual machine of its own and all at once:
#
#   sh integration/kernel/run.sh BUILD COMMAND...
#
# KERNEL names another one: a package that apt knows, such as linux-image-6.12-amd64,
# or the .deb files of one, whole (from Linux 7 on linux-binary, linux-modules and
# linux-base, but not linux-image, which is empty).
#
# A guest sees this machine's root directory, and keeps its changes to it in its
# memory; a command begins in the directory where this one does. Its output is
# printed, and it must end well. So a guest that panics has failed, and one that
# has not reported after 15 minutes, or MINUTES. What is downloaded and made is below
# BUILD/kernel.
set -eu

minutes=${MINUTES:-15}
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

for program in apt-get busybox cpio dpkg-deb qemu-system-x86_64; do
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
	find drivers sound -mindepth 1 -maxdepth 1 ! -name virtio -exec rm -r {} +
	find . -name '*.ko.xz' -exec busybox unxz {} +
	cd "$sources"
	busybox depmod -b "$new" "$(ls "$new/lib/modules")"
	rm -rf "$new/root" "$new"/*.deb "$kernel"
	mv "$new" "$kernel"
fi
version=$(ls "$kernel/lib/modules")
modules=lib/modules/$version

# What a guest needs until it has this machine's root directory.
drivers='virtio_pci 9pnet_virtio 9p overlay'
first=$work/first
rm -rf "$first"
for directory in bin sbin proc sys dev "$modules"; do
	mkdir -p "$first/$directory"
done
cp "$(command -v busybox)" "$first/bin"
install "$here/init" "$first/init"
cp "$kernel/$modules/modules.dep" "$kernel/$modules/modules.builtin" \
	"$first/$modules"
for driver in $drivers; do
	grep "/$driver\.ko:" "$kernel/$modules/modules.dep"
done | tr -d : | tr ' ' '\n' | sort -u |
	(cd "$kernel/$modules" && cpio --quiet -pdm "$first/$modules")

# start NUMBER COMMAND: a guest whose first serial line is the kernel's, whose
# second is what the command prints, whose third how it ended.
start() {
	guest=$work/guest-$1
	rm -rf "$guest"
	mkdir "$guest"
	cat >"$first/settings" <<END
drivers='$drivers'
modules='$kernel/lib/modules'
sources='$sources'
END
	echo "$2" >"$first/command"
	(cd "$first" && find . | cpio --quiet -H newc -o) >"$guest/first"
	: >"$guest/report"
	timeout $((minutes * 60)) qemu-system-x86_64 \
		-accel tcg -smp 2 -m 2048 -nodefaults -display none -no-reboot \
		-kernel "$kernel/$modules/vmlinuz" \
		-initrd "$guest/first" \
		-append "console=ttyS0 quiet panic=-1" \
		-serial "file:$guest/console" \
		-serial "file:$guest/report" \
		-serial "file:$guest/status" \
		-virtfs local,path=/,mount_tag=machine,security_model=none,readonly=on,multidevs=remap \
		</dev/null >"$guest/qemu" 2>&1 &
	running="$running$!:$1 "
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
