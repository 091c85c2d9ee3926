# portres - Windows' socket port reservations for Linux
#
#   make                 build/libportres.so, build/portres, build/include/, …
#   make check           everything that can fail (unit, integration, symbols)
#   make check-long      the storms and the matrices too
#   make check-asan      unit and integration in a build with that sanitizer;
#                        so does check-ubsan, and check-tsan with integration
#   make check-elsewhere the same below a closed directory, in a chroot, as a
#                        root without rights, as an ordinary user, and where a
#                        guard refuses all; or PLACES="chroot guarded"
#   make check-valgrind  the programs that integration compiles, under valgrind
#   make check-kernel    unit, and what of integration asks the kernel most, on
#                        the kernel that Debian ships, in a virtual machine; it
#                        wants tests/packages-kernel; or KERNEL=linux-image-…;
#                        check-kernel-guard: there the guard's tests, all
#   make bench           what it costs, against bare libc; JSON=1; with
#                        OLD=libportres.so against that one, in turns
#   make bench-peers     the same of what else people use for ports; JSON=1, and
#                        PLOTS=docs draws the plots; npm and gnuplot if here
#   make trace           what a call goes through: functions and system calls
#   make demo            a Winsock program and an ordinary one meet
#   make install         prefix=/usr/local, libdir=, DESTDIR=; make uninstall
#   make installcheck    integration, against what is installed
#   make dist            build/portres-VERSION.tar.gz
#   make deb             Debian packages in build/; wants tests/packages-deb
#   make check-packages  those, in a clean Debian root; as root, downloads one
#
# V=1 shows commands. SAN=address|undefined|thread builds into build-$(SAN)/,
# CC=musl-gcc into build-musl/, CC=aarch64-linux-gnu-gcc likewise.
# config.mak, where there is one, may set any variable; it is not ours.

VERSION := $(shell cat VERSION)
SONAME := libportres.so.0

prefix ?= /usr/local
bindir ?= $(prefix)/bin
datadir ?= $(prefix)/share
# systemd looks below /usr and /usr/local.
systemddir ?= $(prefix)/lib
includedir ?= $(prefix)/include
libdir ?= $(prefix)/lib

CC ?= gcc
CXX ?= g++
PYTHON ?= /usr/bin/python3
CFLAGS ?= -O2 -g
# Of the command alone; the library's files cannot take it, see COMPILE.
CPPFLAGS ?= $(if $(SAN),,-D_FORTIFY_SOURCE=2)
MACHINE := $(shell $(CC) -dumpmachine)
HARDENING ?= -fstack-protector-strong -fstack-clash-protection \
	$(if $(filter x86_64-%,$(MACHINE)),-fcf-protection)
-include config.mak

# A compiler for another libc or processor has its name in front, and its tools.
TARGET := $(filter-out gcc,$(patsubst %-gcc,%,$(filter %-gcc,$(lastword $(CC)))))
B := build$(if $(TARGET),-$(notdir $(TARGET)))$(if $(SAN),-$(SAN))
tool = $(if $(TARGET),$(or $(shell command -v $(TARGET)-$(1)),$(1)),$(1))
ifeq ($(origin AR),default)
AR := $(call tool,ar)
endif
NM ?= $(call tool,nm)
OBJCOPY ?= $(call tool,objcopy)
READELF ?= $(call tool,readelf)

# As the shell, sed (behind s|...|), pkg-config and systemd want them: paths may
# have any characters but a newline, $, # and ", which make or pkg-config reads;
# systemd starts nothing with a ' or \ in its name.
blank := $() $()
in_shell = '$(subst ','\'',$(1))'
in_sed = $(subst |,\|,$(subst &,\&,$(subst \,\\,$(1))))
in_pc = $(subst $(blank),\ ,$(subst ',\',$(subst \,\\,$(1))))
in_unit = $(if $(findstring $(blank),$(1)),"$(subst %,%%,$(1))",$(subst %,%%,$(1)))
# What is said for what is in a template.
fill = -e $(call in_shell,s|$(1)|$(call in_sed,$(2))|)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' "$(1)" "$(2)")

# Debian's musl-gcc sees the kernel's headers only where musl's own are.
ifneq ($(TARGET),)
ifneq ($(shell $(CC) -E -include linux/futex.h -x c /dev/null 2>&1 >/dev/null),)
KERNEL_HEADERS := $B/kernel-headers
endif
endif

# A finding ends the program, or nobody would see it.
SANITIZE = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wvla
# No TLS that allocates: it is touched inside bind(). musl's never does, and its
# dlopen() refuses this kind.
TLS := $(if $(shell $(CC) -E -dM -include features.h -x c /dev/null | \
	grep -w __GLIBC__),-ftls-model=initial-exec)
# Off: FORTIFY's inlines and 64-bit-offset names collide with names that we
# define. The place of the sources is in no object, so that two builds are the same
# bytes.
COMPILE = $(CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(HARDENING) $(WARNINGS) \
	-fPIC $(call in_shell,-ffile-prefix-map=$(CURDIR)=.) \
	-fvisibility=hidden $(TLS) -U_FORTIFY_SOURCE \
	-U_FILE_OFFSET_BITS -U_TIME_BITS -DPORTRES_ITSELF -I. -Iinclude -MMD -MP \
	$(KERNEL_HEADERS:%=-idirafter %) $(SANITIZE)
# Sanitizers need undefined symbols. Headers, code and constants are one segment,
# because each mapping is paid by every program's start.
LINK := $(CC) -shared $(CFLAGS) $(LDFLAGS) -Wl,-soname,$(SONAME) \
	-Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete -Wl,-z,noseparate-code \
	$(if $(SAN),$(SANITIZE),-Wl,-z,defs)

CORE := $(patsubst %.c,$B/obj/%.o,$(sort $(wildcard core/*/*.c)))
SHIM := $(patsubst %.c,$B/obj/%.o,$(sort $(wildcard shim/*.c)))
WINSOCK := $(patsubst %.c,$B/obj/%.o,$(sort $(wildcard winsock/*.c)))
CRT := $(patsubst %.c,$B/obj/%.o,$(sort $(wildcard winsock/crt/*.c)))
WIN32 := $(patsubst %.c,$B/obj/%.o,$(sort $(wildcard winsock/win32/*.c)))
HEADERS := $(notdir $(wildcard include/*.h))

all: $B/libportres.so $B/portres headers links

$B/kernel-headers: machine = $(shell gcc -print-multiarch)
$B/kernel-headers:
	@mkdir -p $@
	$Qln -sfn /usr/include/linux /usr/include/asm-generic \
		$(or $(wildcard /usr/include/$(machine)/asm),/usr/include/asm) $@

# The library

$B/obj/%.o: %.c Makefile | $(KERNEL_HEADERS)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$Q$(COMPILE) -c $< -o $@

# What runs once a process, for administrators, or beside a dozen system calls:
# small rather than fast.
$(patsubst %,$B/obj/core/pool/%.o,persistent pool store user_pool) \
	$(patsubst %,$B/obj/shim/%.o,config hidden_fds in_block refusal request): \
	COMPILE += -Os

$B/libportres_core.a: $(CORE)
	$(call say,AR,$@)
	$Qrm -f $@
	$Q$(AR) rcs $@ $^

# The names that this libc has, and ours.
$B/hooks.txt: shim/hooks.def
	@mkdir -p $(@D)
	$Q$(CC) -E -P -include features.h -x c $< >$@

$B/exports.map: $B/hooks.txt shim/exports.awk
	$(call say,GEN,$@)
	$Qawk -f shim/exports.awk $< >$@

$B/libportres.so: $(SHIM) $B/libportres_core.a $B/exports.map
	$(call say,LD,$@)
	$Q$(LINK) -Wl,--version-script=$B/exports.map -o $@ $(SHIM) \
		$B/libportres_core.a -ldl # of glibc before 2.34

# The command

CLI := $(patsubst %.c,$B/obj/%.o,$(sort $(wildcard cli/*.c)))
$(CLI): COMPILE += -DPORTRES_VERSION='"$(VERSION)"' \
	-DPORTRES_SONAME='"$(SONAME)"' $(CPPFLAGS)
$(CLI): VERSION

# The guard: programs for the kernel, as a part of the command. What makes them
# need not be there.

CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
# That of this machine: to the kernel's programs all processors are one.
MULTIARCH := $(shell $(if $(TARGET),gcc,$(CC)) -print-multiarch 2>/dev/null)
GUARD_LACKS := $(strip \
	$(if $(shell command -v $(CLANG)),,clang) \
	$(if $(shell command -v $(BPFTOOL)),,bpftool) \
	$(if $(wildcard /usr/include/bpf/skel_internal.h),,libbpf-dev))
GUARD := $(if $(GUARD_LACKS),,$B/obj/guard/load.o)

$B/guard/guard.bpf.o: guard/guard.bpf.c $(wildcard guard/*.h) \
		include/portres.h Makefile
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$Q$(CLANG) -target bpf -mcpu=v3 -O2 -g -ffreestanding -Wall -Wextra \
		$(call in_shell,-ffile-prefix-map=$(CURDIR)=.) \
		-Wno-unused-parameter -I. -idirafter /usr/include/$(MULTIARCH) \
		-c $< -o $@

$B/guard/guard.lskel.h: $B/guard/guard.bpf.o
	$(call say,GEN,$@)
	$Q$(BPFTOOL) gen skeleton -L $< name guard >$@

# A compiler for another libc or processor does not look in /usr/include.
$B/guard/include/bpf:
	@mkdir -p $(@D)
	$Qln -sfn /usr/include/bpf $@

$B/obj/guard/load.o: $B/guard/guard.lskel.h | $B/guard/include/bpf
# Of their headers not all is used.
$B/obj/guard/load.o: COMPILE += -I$B/guard -idirafter $B/guard/include -w \
	-DGUARD_BUILD=0x$$(sha256sum \
	<$B/guard/guard.lskel.h | cut -c1-16)
# Somebody may install what was lacking, or take it away.
ifneq ($(strip $(file <$B/guard/lacks)),$(GUARD_LACKS))
.PHONY: $B/guard/lacks
endif
$B/guard/lacks:
	@mkdir -p $(@D)
	@echo '$(GUARD_LACKS)' >$@
$B/obj/cli/guard_lacking.o: $B/guard/lacks
$B/obj/cli/guard_lacking.o: COMPILE += $(if $(GUARD_LACKS),\
	-DGUARD_LACKING='"$(GUARD_LACKS)"')

$B/portres: $(CLI) $(GUARD) $B/obj/shim/config.o $B/obj/shim/robust_list.o \
		$B/libportres_core.a
	$(call say,LD,$@)
	$Q$(CC) $(CFLAGS) -pie $(LDFLAGS) -Wl,-z,now -Wl,-z,relro $(SANITIZE) \
		-o $@ $^ -ldl

# What programs compile and link with. Names of headers have no case on
# Windows: include/spellings.txt. One of Microsoft's samples has a dot at the end
# of one.

headers: $(HEADERS:%=$B/include/%) $B/spellings.stamp

$B/include/%.h: include/%.h
	@mkdir -p $(@D)
	$Qcp $< $@

# Each is a line, not a link: clang finds a link's own name non-portable.
$B/spellings.stamp: include/spellings.awk include/spellings.txt Makefile
	$(call say,GEN,$B/include)
	@mkdir -p $B/include
	$Qawk -f include/spellings.awk include/spellings.txt | \
	while read -r as header; do \
		[ "\"$$as\"" = "$$header" ] || [ "<$$as>" = "$$header" ] || \
		printf '#include %s\n' "$$header" >"$B/include/$$as"; \
	done
	$Qcp $B/include/Windows.h $B/include/Windows.h.
	@touch $@

# Winsock is an archive, so that nothing of it is in programs that were not
# written for it. One object, whose state is all there or not at all (see
# docs/winsock.md, "Shared objects"), and whose inner names are no other file's.
# Weak, because a function of the program's own wins, as beside an import library.

# A program must not need the compiler that this was made with.
$(WINSOCK) $(CRT) $(WIN32): COMPILE += -fno-lto

define one_object
	$(call say,LD,$@)
	$Q$(CC) -r -nostdlib -o $@ $^
	$Q$(OBJCOPY) --localize-hidden $@
	$Q$(NM) -g --defined-only $@ | awk '{ print $$3 }' >$@.names
	$Q$(OBJCOPY) --weaken-symbols=$@.names $@
endef

$B/obj/winsock.o: $(WINSOCK)
	$(one_object)

PRINTF := $(filter %/format.o %/printf.o,$(CRT))
TEXT := $(filter %/text.o %/print_s.o %/scan_s.o %/stdio_s.o %/string_s.o \
	%/strsafe.o %/time_s.o,$(CRT))
WMAIN := $(filter %/wmain.o,$(CRT))

$B/obj/printf.o: $(PRINTF)
	$(one_object)

$B/obj/text.o: $(TEXT)
	$(one_object)

# The rest of the C runtime and of Windows: each a member that only programs
# which call it have.
ALONE := $(patsubst $B/obj/winsock/%,$B/obj/alone/%,\
	$(filter-out $(PRINTF) $(TEXT) $(WMAIN),$(CRT)) $(WIN32))

$B/obj/alone/%.o: $B/obj/winsock/%.o
	@mkdir -p $(@D)
	$Q$(OBJCOPY) --weaken $< $@

# It becomes part of programs that are not built with our sanitizers.
$B/obj/winsock/crt/wmain.o: override SAN :=

$B/lib/libportres_winsock.a: $B/obj/winsock.o $B/obj/printf.o $B/obj/text.o \
		$(ALONE) $(WMAIN)
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$Qrm -f $@
	$Qrm -f $@
	$Q$(AR) rcs $@ $^

# What programs ask for. lld finds "#pragma comment(lib, ...)" under the name
# that it says. A shared library of that name would be found first: those that
# an older tree has left go.
SCRIPTS := $(addprefix $B/lib/,libws2_32.a libiphlpapi.a libmswsock.a \
	Ws2_32.lib ws2_32.lib WS2_32.lib Iphlpapi.lib iphlpapi.lib IPHLPAPI.lib \
	Mswsock.lib mswsock.lib MSWSOCK.lib)
STALE := libws2_32.so libiphlpapi.so libportres_main.a

links: $B/lib/libportres.so $B/lib/libportres_winsock.a $(SCRIPTS)

$B/lib/libportres.so: $B/libportres.so
	@mkdir -p $(@D)
	$Qln -sf ../libportres.so $@

$(SCRIPTS): Makefile
	@mkdir -p $(@D)
	@rm -f $(STALE:%=$B/lib/%)
	$Qprintf '/* portres stands in for it */\nINPUT(%s)\n' \
		'-lportres_winsock -lportres -lpthread -ldl' >$@

# Tests

ALL_TESTS := $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/test_*.c))
# Thousands of simulated or real lists: `make check-long` runs them too.
LONG_TESTS := $(filter %/test_proc_locks_gaps %/test_proc_locks_swing %/test_proc_locks_real \
	%/test_proc_locks_waiters %/test_proc_locks_long %/test_proc_locks_crowd,$(ALL_TESTS))
TESTS := $(if $(LONG),$(ALL_TESTS),$(filter-out $(LONG_TESTS),$(ALL_TESTS)))
TEST_SHIM := $(patsubst %,$(B)/obj/shim/%.o,\
	autobind fork hidden_fds pick pools config real refusal robust_list \
	sockets usermem)

$B/tests/%: tests/%.c $(wildcard tests/*.h) $B/libportres_core.a $(TEST_SHIM)
	$(call say,TEST,$@)
	@mkdir -p $(@D)
	$Q$(COMPILE) $< $(TEST_SHIM) $B/libportres_core.a \
		-lcriterion -pthread -ldl -o $@

check: check-symbols check-unit check-integration

# No path from the root: this directory's name may have a blank.
PYTEST = $(PYTHON) -m pytest -q -rfEs -p no:cacheprovider --build-dir=$B \
	$(if $(LONG),--long)

# One at a time: all processes share the list of file locks.
check-unit: $(TESTS)
	$Qfailed=; for t in $(TESTS); do $$t -j1 || failed="$$failed $$t"; done; \
		[ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

INTEGRATION ?= integration
check-integration: all
	$Q$(PYTEST) $(INTEGRATION)

check-long:
	$Q$(MAKE) check LONG=1

# Where people stand who have cloned this, or in some of these places; as root.
check-elsewhere: all $(TESTS)
	$Qsh integration/elsewhere.sh $B $(PLACES)

# What a checker cannot look at is listed in integration/checkers.py. Criterion
# wants memory at addresses that the thread sanitizer has for itself.
check-asan:
	$Q$(MAKE) check-unit check-integration SAN=address

check-ubsan:
	$Q$(MAKE) check-unit check-integration SAN=undefined

check-tsan:
	$Q$(MAKE) check-integration SAN=thread

VALGRIND := valgrind -q --error-exitcode=99 --exit-on-first-error=yes \
	--leak-check=full --errors-for-leak-kinds=definite \
	--suppressions={root}/integration/valgrind.supp

check-valgrind: all
	$Q$(PYTEST) --under='$(VALGRIND)' integration

# The kernel here may be another than the one that Debian has. Three hundred
# pools take a minute to make there.
KERNEL_FILES := $(patsubst %,integration/test_%.py,reserve restart enforce chosen \
	chosen_edges chosen_race lifetime kill cli_run)
KERNEL_LESS := integration/test_kill.py::test_kills_while_the_pool_is_made

check-kernel: all $(TESTS)
	$QKERNEL='$(KERNEL)' sh integration/kernel/run.sh $B 'make check-unit' \
		'make check-integration LONG=1 INTEGRATION="$(KERNEL_FILES) \
		--deselect $(KERNEL_LESS)"'

# Apart: an emulated processor takes seconds to verify the guard's programs, and each
# test loads them. In two halves; what compiles the command asks the kernel nothing.
GUARD_FILES := $(patsubst %,integration/test_%.py,guard guard_adopt guard_hostile \
	guard_library guard_native)
GUARD_OTHERS := $(patsubst %,integration/test_%.py,cli_guard guard_lifetime \
	guard_requests)
GUARD_LESS := integration/test_cli_guard.py::test_made_without_the_tools

check-kernel-guard: all
	$QKERNEL='$(KERNEL)' MINUTES=$(or $(MINUTES),60) \
		sh integration/kernel/run.sh $B \
		'make check-integration INTEGRATION="$(GUARD_FILES)"' \
		'make check-integration INTEGRATION="$(GUARD_OTHERS) \
		--deselect $(GUARD_LESS)"'

check-symbols: $B/libportres.so $B/hooks.txt
	$Qawk -v list=1 -f shim/exports.awk $B/hooks.txt | sort >$B/wanted.txt
	$Q$(NM) -D --defined-only $< | awk '$$2 != "A" { print $$3 }' | sort \
		>$B/exported.txt
	$Qdiff -u $B/wanted.txt $B/exported.txt
	$Q$(READELF) -d $< | grep -q BIND_NOW

# Measurements

BENCH_FLAGS := -O2 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -I. -Iinclude

$B/bench/bench $B/bench/guard: bench/paths.c bench/paths.h
$B/bench/%: bench/%.c bench/kit.c bench/bench.h
	$(call say,BENCH,$@)
	@mkdir -p $(@D)
	$Q$(CC) $(BENCH_FLAGS) $(filter %.c %.a,$^) -o $@

$B/bench/crowd $B/bench/kernel: bench/locks.c bench/locks.h \
	$B/libportres_core.a
$B/bench/startup $B/bench/stopped: bench/starts.c bench/starts.h

$B/bench/passthrough: bench/passthrough.c
	@mkdir -p $(@D)
	$Q$(CC) $(BENCH_FLAGS) $< -o $@

$B/bench/echo_ports: bench/echo_ports.c links headers
	@mkdir -p $(@D)
	$Q$(CC) -O2 -g -std=gnu11 -Wall -Wextra -I$B/include $< -o $@ -L$B/lib \
		-lws2_32 -lmswsock

$B/bench/empty.so:
	@mkdir -p $(@D)
	$Q$(CC) -shared -fPIC -x c /dev/null -o $@

BENCHES := bench blocks guard many startup stopped crowd kernel echo \
	echo_ports passthrough empty.so

bench: all $(BENCHES:%=$B/bench/%)
	$Q$(PYTHON) bench/run.py $(if $(JSON),--json) $(if $(OLD),--old $(OLD)) $B

bench-peers: all $B/bench/peers
	$Q$(PYTHON) bench/peers.py $(if $(JSON),--json) \
		$(if $(PLOTS),--plots "$(PLOTS)") $B

trace:
	$Q$(PYTHON) bench/trace.py $B/trace

demo: all
	$Qsh integration/demo.sh $B

# Where a list of the linker's is kept, a new name is known after ldconfig only.
install: install-files
	[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

# From another version that stays ldconfig would make the soname anew. A library of
# another soname is another library.
remove_versions = for other in "$(1)"/libportres.so.*.*; do \
	[ ! -f "$$other" ] || [ -L "$$other" ] || \
	[ "$$other" = "$(1)/libportres.so.$(2)" ] || \
	! grep -qF $(SONAME) "$$other" || rm -fv "$$other"; done

# Headers by Windows' names are apart: programs of Linux ask by these whether they
# are on Windows.
install-files: to = $(DESTDIR)$(libdir)
install-files: all
	install -d "$(to)/pkgconfig" "$(DESTDIR)$(includedir)/portres"
	$(call remove_versions,$(to),$(VERSION))
	install -m 755 $B/libportres.so "$(to)/libportres.so.$(VERSION)"
	ln -sf libportres.so.$(VERSION) "$(to)/$(SONAME)"
	ln -sf $(SONAME) "$(to)/libportres.so"
	cd "$(to)" && rm -f $(STALE)
	install -m 644 $B/lib/libportres_winsock.a $(SCRIPTS) "$(to)"
	install -m 644 $B/include/* "$(DESTDIR)$(includedir)/portres"
	mv "$(DESTDIR)$(includedir)/portres/portres.h" "$(DESTDIR)$(includedir)"
	for name in portres portres-winsock; do \
		sed $(call fill,@prefix@,$(call in_pc,$(prefix))) \
			$(call fill,@libdir@,$(call in_pc,$(libdir))) \
			$(call fill,@includedir@,$(call in_pc,$(includedir))) \
			$(call fill,@version@,$(VERSION)) \
			include/$$name.pc.in >"$(to)/pkgconfig/$$name.pc" && \
		chmod 644 "$(to)/pkgconfig/$$name.pc" || exit 1; done
	install -D -m 755 $B/portres "$(DESTDIR)$(bindir)/portres"
	install -D -m 644 docs/portres.1 "$(DESTDIR)$(datadir)/man/man1/portres.1"
	install -D -m 644 docs/portres.3 "$(DESTDIR)$(datadir)/man/man3/portres.3"
	install -D -m 644 docs/portres.7 "$(DESTDIR)$(datadir)/man/man7/portres.7"
	install -D -m 644 docs/portres-guard.8 \
		"$(DESTDIR)$(datadir)/man/man8/portres-guard.8"
	install -D -m 644 cli/portres.bash \
		"$(DESTDIR)$(datadir)/bash-completion/completions/portres"
	install -D -m 644 cli/portres.zsh \
		"$(DESTDIR)$(datadir)/zsh/site-functions/_portres"
	install -D -m 644 cli/portres.fish \
		"$(DESTDIR)$(datadir)/fish/vendor_completions.d/portres.fish"
	install -D -m 644 cli/portres-pool.conf \
		"$(DESTDIR)$(datadir)/portres/portres-pool.conf"
	install -d "$(DESTDIR)$(systemddir)/systemd/system"
	sed $(call fill,@pool@,$(call in_unit,$(datadir)/portres/portres-pool.conf)) \
		cli/portres-pool.service.in \
		>"$(DESTDIR)$(systemddir)/systemd/system/portres-pool.service"
	sed $(call fill,=portres ,=$(call in_unit,$(bindir)/portres) ) \
		cli/portres-guard.service \
		>"$(DESTDIR)$(systemddir)/systemd/system/portres-guard.service"
	install -D -m 644 cli/portres.sysusers \
		"$(DESTDIR)$(systemddir)/sysusers.d/portres.conf"

# All that `install` puts there, as it is found by installing once more, beside.
uninstall: all
	@beside=$$(mktemp -d) && trap 'rm -rf "$$beside"' EXIT && \
	$(MAKE) -s -o all install-files DESTDIR="$$beside" && \
	(cd "$$beside" && find . ! -type d) | while IFS= read -r file; do \
		rm -fv "$(DESTDIR)/$$file"; done
	$(call remove_versions,$(DESTDIR)$(libdir))
	for ours in "$(includedir)" "$(datadir)"; do \
		[ ! -d "$(DESTDIR)$$ours/portres" ] || \
		rmdir "$(DESTDIR)$$ours/portres" || :; done
	[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

# The integration tests against what is installed, as if it had been built there.
installcheck:
	$Qrm -rf $B/installed && mkdir -p $B/installed/lib $B/installed/include
	$Qln -s "$(DESTDIR)$(libdir)/$(SONAME)" $B/installed/libportres.so
	$Qln -s "$(DESTDIR)$(bindir)/portres" $B/installed/portres
	$Qln -s "$(DESTDIR)$(includedir)/portres.h" \
		"$(DESTDIR)$(includedir)/portres/"* $B/installed/include
	$Qfor name in libportres.so libportres_winsock.a $(notdir $(SCRIPTS)); do \
		ln -s "$(DESTDIR)$(libdir)/$$name" $B/installed/lib || exit 1; done
	$Q$(PYTEST) --build-dir=$B/installed $(INTEGRATION)

# Packages

# A checkout is what git knows of it; elsewhere all that is here and not made.
NAME := portres-$(VERSION)
LISTED = if [ -e .git ] && git ls-files -z 2>/dev/null; then :; else \
	find . \( -name .git -o -path './build' -o -path './build-*' \
	-o -path ./integration/plugin/build -o -path ./config.mak \
	-o -name __pycache__ -o -name .pytest_cache -o -name '*.egg-info' \) \
	-prune -o ! -type d -printf '%P\0'; fi
# The day of the version.
DATE = $$(sed -n 's/^\#\# $(VERSION) - //p' CHANGELOG.md)

dist:
	@mkdir -p $B
	$Q$(LISTED) | LC_ALL=C sort -z >$B/dist.list
	$Qtar -c --no-recursion --null -T $B/dist.list \
		--transform='flags=r;s|^|$(NAME)/|' --owner=0 --group=0 \
		--numeric-owner --mode=u=rwX,go=rX --mtime="$(DATE)T00:00:00Z" \
		--format=gnu -f $B/$(NAME).tar
	$Qgzip -9nf $B/$(NAME).tar
	$(call say,DIST,$B/$(NAME).tar.gz)

# Debian's tools take no blank in a directory's name.
deb: dist
	$Qcommand -v dh >/dev/null || { echo "make deb: no debhelper; as root:" \
		"apt-get install --no-install-recommends" \
		"\$$(cat tests/packages-deb)" >&2; exit 1; }
	$Qrm -rf $B/deb && mkdir -p $B/deb
	$Qset -e; place=$B/deb; case $(call in_shell,$(CURDIR)) in \
	*[!a-zA-Z0-9/._+~-]*) place=$$(mktemp -d); trap 'rm -rf "$$place"' EXIT;; \
	esac; \
	cp $B/$(NAME).tar.gz "$$place/portres_$(VERSION).orig.tar.gz"; \
	tar -xf $B/$(NAME).tar.gz -C "$$place"; \
	sh debian/changelog.sh $(VERSION) "$(DATE)" \
		>"$$place/$(NAME)/debian/changelog"; \
	(cd "$$place/$(NAME)" && PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		env -u MAKEFLAGS -u MAKEOVERRIDES -u CFLAGS -u LDFLAGS -u CPPFLAGS \
		dpkg-buildpackage -b -us -uc); \
	[ "$$place" = $B/deb ] || \
		find "$$place" -maxdepth 1 -type f -exec cp -t $B/deb {} +
	$Qls $B/deb/*.deb

check-packages: deb
	$Qsh integration/packages.sh $B

clean:
	rm -rf build build-*

.PHONY: all headers links install-files uninstall installcheck dist deb \
	check-packages check check-long check-elsewhere check-unit \
	check-integration check-asan check-ubsan check-tsan check-valgrind \
	check-kernel check-kernel-guard check-symbols bench bench-peers trace \
	demo install clean
.SECONDARY:
.DELETE_ON_ERROR:

-include $(shell find $B/obj $B/tests -type f -name '*.d' 2>/dev/null)
