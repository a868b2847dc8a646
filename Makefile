# SPDX-License-Identifier: MIT
#
# One Makefile, no recursion. Objects go to build/<mode>/, programs to build/bin/.
# "make help" lists what there is.

MODE ?= release
O ?= build
V ?= 0
.DEFAULT_GOAL := all
CC ?= gcc
AR ?= ar

# CROSS=aarch64 or armhf: objects under build/<CROSS>/, programs in build/<CROSS>/bin/.
include $(if $(CROSS),tools/cross.mk)
OUT := $(O)$(if $(CROSS),/$(CROSS))

ifeq ($(MODE),asan)
BUILD := $(OUT)/asan
# Unit tests run this way: every stray read and every undefined shift is a failure.
OPT := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN :=
else
BUILD := $(if $(CROSS),$(OUT),$(O)/native)
OPT := -O2 -g
# Fortified libc calls, guarded stacks, no lazily bound and thus writable tables.
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
endif
BIN := $(OUT)/bin

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-6s %s\n' $(1) $(2))

WARN := -Wall -Wextra -Werror -Wshadow -Wundef -Wvla -Wformat=2 -Wswitch-enum -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wwrite-strings
CFLAGS_ALL := -std=gnu11 -D_GNU_SOURCE $(OPT) $(HARDEN) $(WARN) -fPIE -Ibroker -I. -MMD -MP $(CROSS_CFLAGS) $(CFLAGS)
LDFLAGS_DYN := -pie -Wl,-z,relro,-z,now $(CROSS_LDFLAGS) $(LDFLAGS)
# The supervisor and the app's pid 1 are static: they start in half the time, and
# no library of a root that an app shaped can be loaded into them.
LDFLAGS_STATIC := -static -no-pie -Wl,-z,relro,-z,now $(CROSS_LDFLAGS) $(LDFLAGS)

pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)

# --- what each program is made of: a wrong arrow between folders fails to link

LIB_BASE := $(wildcard broker/base/*.c broker/proto/*.c)
LIB_JSON := $(wildcard broker/varlink/*.c)
LIB_POLICY := $(wildcard policy/*.c)
LIB_STORE := $(wildcard broker/store/*.c)
LIB_PLATFORM := $(wildcard platform/arm/*.c)
LIB_BUNDLE := $(wildcard broker/bundle/*.c)
LIB_UI := $(wildcard ui-tty/*.c)

PROGRAMS := cowbelld cowbell-broker cowbell-keeper cowbell-contacts cowbell-packages cowbell-inspect \
	cowbell-supervisor cowbell-dns cowbell-init cowbell cowbell-tty

cowbelld_SRC := $(wildcard broker/cowbelld/*.c)
cowbelld_LIBS := platform policy base
cowbelld_PKG := libseccomp libnl-3.0 libnl-route-3.0 libnl-nf-3.0

cowbell-broker_SRC := $(wildcard broker/broker/*.c)
cowbell-broker_LIBS := json store bundle policy base
cowbell-broker_PKG := jansson libsodium
cowbell-broker_LD := -llmdb

cowbell-keeper_SRC := $(wildcard broker/keeper/*.c)
cowbell-keeper_LIBS := platform base
cowbell-keeper_PKG := libsodium

cowbell-contacts_SRC := $(wildcard broker/contacts/*.c)
cowbell-contacts_LIBS := policy base

cowbell-packages_SRC := $(wildcard broker/packages/*.c)
cowbell-packages_LIBS := policy base

cowbell-inspect_SRC := $(wildcard broker/inspect/*.c)
cowbell-inspect_LIBS := bundle policy base
cowbell-inspect_PKG := jansson libsodium libzstd

cowbell-supervisor_SRC := $(wildcard broker/supervise/*.c)
cowbell-supervisor_LIBS := platform policy base
cowbell-supervisor_LD := -lnl-nf-3 -lnl-route-3 -lnl-3 -lpthread
cowbell-supervisor_STATIC := 1

cowbell-dns_SRC := $(wildcard broker/dns/*.c)
cowbell-dns_LIBS := policy base
cowbell-dns_LD := -lresolv

cowbell-init_SRC := $(wildcard broker/init/*.c)
cowbell-init_LIBS := base
cowbell-init_STATIC := 1

cowbell_SRC := $(wildcard broker/ctl/*.c)
cowbell_LIBS := ui json bundle policy base
cowbell_PKG := jansson vterm libsodium
cowbell_STATIC := 1

cowbell-tty_SRC := $(wildcard ui-tty/tty/*.c)
cowbell-tty_LIBS := ui json policy base
cowbell-tty_PKG := jansson ncursesw

ALL_LIBS := json ui store platform bundle policy base
TEST_PKG := cmocka jansson ncursesw libseccomp libsodium libzstd vterm libnl-3.0 libnl-route-3.0 libnl-nf-3.0
TEST_LD := -llmdb -lresolv

.PHONY: all
all: $(addprefix $(BIN)/,$(PROGRAMS)) ## build the native programs into build/bin/

LIBNAMES := base json policy store platform ui bundle
LIB_base_SRC := $(LIB_BASE)
LIB_json_SRC := $(LIB_JSON)
LIB_policy_SRC := $(LIB_POLICY)
LIB_store_SRC := $(LIB_STORE)
LIB_platform_SRC := $(LIB_PLATFORM)
LIB_ui_SRC := $(LIB_UI)
LIB_bundle_SRC := $(LIB_BUNDLE)

objs = $(patsubst %.c,$(BUILD)/%.o,$(1))

PKG_CFLAGS := $(call pkg,--cflags,jansson ncursesw libseccomp libsodium vterm libnl-3.0 libnl-route-3.0 libnl-nf-3.0 cmocka)

$(BUILD)/%.o: %.c Makefile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(PKG_CFLAGS) -c -o $@ $<

# The interface that the public socket serves is the file itself.
$(BUILD)/gen/interface.c: broker/proto/io.cowbell.varlink Makefile
	@mkdir -p $(@D)
	$(Q)awk 'BEGIN { print "extern const char varlink_interface_text[];\nconst char varlink_interface_text[] =" } \
		{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); printf "\"%s\\n\"\n", $$0 } END { print ";" }' $< >$@

# So is the table of what kinds of programs need.
$(BUILD)/gen/kinds.c: policy/kinds Makefile
	@mkdir -p $(@D)
	$(Q)awk 'BEGIN { print "extern const char kinds_text[];\nconst char kinds_text[] =" } \
		{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); printf "\"%s\\n\"\n", $$0 } END { print ";" }' $< >$@

$(BUILD)/gen/kinds.o: $(BUILD)/gen/kinds.c
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/libpolicy.a: $(BUILD)/gen/kinds.o

$(BUILD)/gen/interface.o: $(BUILD)/gen/interface.c
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/libjson.a: $(BUILD)/gen/interface.o

define lib_rule
$(BUILD)/lib$(1).a: $(call objs,$(LIB_$(1)_SRC))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)$(AR) rcs $$@ $$^
endef
$(foreach l,$(LIBNAMES),$(eval $(call lib_rule,$(l))))

define program_rule
$(BIN)/$(1): $(call objs,$($(1)_SRC)) $(patsubst %,$(BUILD)/lib%.a,$($(1)_LIBS))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(CC) $(OPT) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) \
		$(if $($(1)_PKG),$$(shell pkg-config --libs $(if $($(1)_STATIC),--static) $($(1)_PKG))) $($(1)_LD) \
		$(if $($(1)_STATIC),$(LDFLAGS_STATIC),$(LDFLAGS_DYN))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p))))

# --- tests

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
# Modules of the programs that unit tests reach into, without their main.c.
TESTED := $(filter-out %/main.c,$(foreach p,$(filter-out cowbell-init,$(PROGRAMS)),$($(p)_SRC)))

.PHONY: check-unit check-unit-run
check-unit: ## unit tests under ASan and UBSan; TEST=name for one
	@$(MAKE) --no-print-directory MODE=asan check-unit-run

$(BUILD)/libtested.a: $(call objs,$(TESTED))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/libtested.a $(patsubst %,$(BUILD)/lib%.a,$(ALL_LIBS))
	$(call say,LD,$@)
	$(Q)$(CC) $(OPT) -o $@ $< $(filter %.a,$^) $(filter %.a,$^) $(shell pkg-config --libs $(TEST_PKG)) $(TEST_LD) $(LDFLAGS_DYN)

check-unit-run: $(addprefix $(BUILD)/tests/,$(if $(TEST),$(TEST),$(UNIT_TESTS)))
	$(Q)for t in $^; do $$t || exit 1; done

# Unit tests of other CPUs, by the emulator of programs. It lacks kernel calls that
# some modules are made of: those are tested on emulated boards.
.PHONY: check-cross check-cross-run
check-cross: ## unit tests for both ARM CPUs, under qemu-user
	@$(MAKE) --no-print-directory CROSS=aarch64 check-cross-run
	@$(MAKE) --no-print-directory CROSS=armhf check-cross-run

QEMU_USER := $(if $(filter armhf,$(CROSS)),qemu-arm,qemu-aarch64) -L $(SYSROOT)
# openat2, the new mount calls and seccomp
QEMU_USER_LACKS := test_guard test_keeper test_mask test_mask_keep test_root test_sweep
check-cross-run: $(addprefix $(BUILD)/tests/,$(filter-out $(QEMU_USER_LACKS),$(UNIT_TESTS)))
	$(Q)for t in $^; do timeout -k 5 120 $(QEMU_USER) $$t || { echo "$$t failed on $(CROSS)"; exit 1; }; done

# --- system test helpers

LAUNCH_DRIVER_SRC := $(wildcard tests/system/launch_driver.c tests/system/driver_*.c)

$(BIN)/launch-driver: $(call objs,$(LAUNCH_DRIVER_SRC)) $(patsubst %,$(BUILD)/lib%.a,platform policy base)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) -o $@ $^ $(shell pkg-config --libs libseccomp) $(LDFLAGS_DYN)

# It makes calls by number: of its own CPU, and for arm64 of the other one that its kernel serves.
ABI_PROBES := $(BIN)/abi-probe $(if $(filter aarch64,$(CROSS)),$(BIN)/abi-probe-armhf)

$(BIN)/abi-probe: tests/system/abi_probe.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -O1 $(WARN) $(CROSS_CFLAGS) -o $@ $< $(LDFLAGS_STATIC)

ifeq ($(CROSS),aarch64)
$(O)/armhf/bin/abi-probe: tests/system/abi_probe.c
	@$(MAKE) --no-print-directory CROSS=armhf $@

$(BIN)/abi-probe-armhf: $(O)/armhf/bin/abi-probe
	@mkdir -p $(@D)
	@cp $< $@
endif

$(BIN)/store-probe: $(call objs,tests/system/store_probe.c) $(patsubst %,$(BUILD)/lib%.a,store policy base)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) -o $@ $^ -llmdb $(LDFLAGS_DYN)

$(BIN)/net-bench: tests/bench/net_bench.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 $(WARN) $(CROSS_CFLAGS) -o $@ $< $(LDFLAGS_STATIC) -pthread

# What the tests run beside Cowbell itself.
TEST_PROGRAMS := $(BIN)/launch-driver $(BIN)/store-probe $(ABI_PROBES)
check-system: $(TEST_PROGRAMS)

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)

.PHONY: check check-system check-large demo bench board-input
board-input: all $(TEST_PROGRAMS) $(OUT)/flashlight.deb

# --- emulated boards (board/README.md)

.PHONY: board-check board-check-all vm-check size
board-check: ## the system tests marked "# board", on an emulated arm64 board
	$(Q)board/run-tests qemu-virt-arm64 $$(grep -l '^# board$$' tests/system/t_*.sh | sed 's,.*/t_,,; s,\.sh$$,,')

board-check-all: check-cross check-profiles ## every system test on every emulated board; writes docs/boards.md
	$(Q)board/lib/table.sh

vm-check: ## every system test on Debian's amd64 kernel, under KVM where it works
	$(Q)board/run-tests qemu-amd64

size: all ## programs, and the libraries that they bring to a device
	$(Q)tools/size.sh $(BIN) $(if $(CROSS),$(SYSROOT),/)
check: ## every test: units, the system on this kernel (as root), ARM CPUs, an emulated board, power cuts
	@tools/deps.sh
	@$(MAKE) --no-print-directory all $(O)/flashlight.deb
	@$(MAKE) --no-print-directory check-unit
	@$(MAKE) --no-print-directory check-system
	@$(MAKE) --no-print-directory check-cross
	@$(MAKE) --no-print-directory board-check
	@$(MAKE) --no-print-directory power-cut

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

check-system: all $(O)/flashlight.deb ## system tests as root; TEST=name for one
	$(Q)$(SUDO) tests/system/run $(TEST)

# Every program of the table, of which "check" takes a few, and more sessions; and
# what needs a compiler of its own.
check-large: ## at length, as root: a dozen programs on the network (node where it is, and chromium), 200 sessions, an agent in Go, twenty packages, the suites of Python and Go
	@tools/deps.sh large
	@$(MAKE) --no-print-directory all
	$(Q)$(SUDO) env LARGE=1 THINK_SECONDS=57 TEST_TIMEOUT=1500 tests/system/run net_programs net_sessions net_hold agent_go packages suites

# What pkg-config says is read when make starts: what is installed first is seen by
# a make of its own.
demo: ## a private Cowbell, two apps, and a bell; installs what building needs
	@tools/deps.sh build
	@$(MAKE) --no-print-directory all $(O)/flashlight.deb
	$(Q)tools/demo.sh

.PHONY: check-profiles board-demo board-console
check-profiles: ## board profiles against the device trees of Debian's ARM kernels
	$(Q)tools/fetch-dtbs.sh
	$(Q)board/check-profiles $(O)/dtb

board-console: deps ## the screens from an emulated board's serial console alone; BOARD=name for another
	$(Q)board/run-console $(BOARD)

board-demo: deps ## the flashlight and the bell on an emulated ARM board's serial console; BOARD=name for another
	$(Q)board/run-demo $(BOARD)

bench: all $(BIN)/net-bench ## figures, as ratios against peers in the same run; BENCH="network launch" for some
	$(Q)$(SUDO) tests/bench/run $(BENCH)

.PHONY: power-cut
BOARD ?= qemu-virt-arm64
power-cut: ## 60 power cuts of an emulated board at work; BOARD=name for another
	$(Q)tests/crash/power-cut $(BOARD) 60

# --- fuzzers: clang and its runtime (libclang-rt-14-dev); FUZZ_SECONDS each

FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 30
FUZZ_SRC := $(LIB_BASE) $(LIB_POLICY) broker/contacts/vcard.c broker/varlink/check.c $(filter-out %/main.c,$(wildcard broker/inspect/*.c)) \
	$(LIB_BUNDLE) broker/packages/records.c broker/dns/packet.c broker/dns/servers.c platform/arm/netqueue.c $(LIB_UI)
FUZZ_CC := clang -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer-no-link,address,undefined -Ibroker -I.

.PHONY: fuzz
fuzz: $(addprefix $(O)/fuzz/,$(FUZZERS)) ## fuzz the parsers of outside input
	$(Q)for f in $(FUZZERS); do mkdir -p $(O)/fuzz/corpus-$$f; \
		$(O)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=0 -artifact_prefix=$(O)/fuzz/ $(O)/fuzz/corpus-$$f tests/fuzz/corpus/$$f || exit 1; done

$(O)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/fuzz/obj/gen.o: $(O)/native/gen/kinds.c
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -c -o $@ $<

$(O)/fuzz/parsers.a: $(patsubst %.c,$(O)/fuzz/obj/%.o,$(FUZZ_SRC)) $(O)/fuzz/obj/gen.o
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(O)/fuzz/%: tests/fuzz/fuzz_%.c $(O)/fuzz/parsers.a
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer $(PKG_CFLAGS) -o $@ $^ $(shell pkg-config --libs jansson libsodium libzstd libnl-3.0 libnl-nf-3.0) -lresolv

-include $(shell find $(O)/fuzz/obj -type f -name '*.d' 2>/dev/null)

# --- the flashlight, a package that wants too much

$(OUT)/flashlight.deb: examples/flashlight/src/flashlight.c examples/flashlight/debian/control
	@rm -rf $(OUT)/flashlight && mkdir -p $(OUT)/flashlight/DEBIAN $(OUT)/flashlight/usr/bin
	$(Q)$(CC) -O2 -Wall -Wextra $(CROSS_CFLAGS) -o $(OUT)/flashlight/usr/bin/flashlight $< $(CROSS_LDFLAGS)
	$(Q)sed "s/@ARCH@/$(or $(DEB_ARCH),$$(dpkg --print-architecture))/" examples/flashlight/debian/control >$(OUT)/flashlight/DEBIAN/control
	$(Q)dpkg-deb --root-owner-group -b $(OUT)/flashlight $@ >/dev/null

# --- the manual

.PHONY: man
man: $(if $(CROSS),,all) ## the manual pages, into build/man/
	$(Q)$(if $(CROSS),$(MAKE) --no-print-directory CROSS= man,tools/man.sh $(BIN) $(O)/man)

# --- putting it in place

# Programs stand together: cowbelld starts the others from its own folder.
LIBEXEC := /usr/libexec/cowbell
VERSION := 0.1

.PHONY: install deb packages
install: all ## put everything in place below DESTDIR
	install -d $(addprefix $(DESTDIR),/usr/bin /usr/sbin $(LIBEXEC) /usr/lib/systemd/system /usr/lib/tmpfiles.d \
		/usr/lib/modules-load.d /usr/share/cowbell /etc/apt/apt.conf.d /etc/cowbell/policy.d)
	install -m 755 $(addprefix $(BIN)/,$(filter-out cowbell cowbell-tty,$(PROGRAMS))) dist/apt-hook $(DESTDIR)$(LIBEXEC)/
	install -m 755 $(addprefix $(BIN)/,$(filter cowbell cowbell-tty,$(PROGRAMS))) $(DESTDIR)/usr/bin/
	ln -sf ../libexec/cowbell/cowbelld $(DESTDIR)/usr/sbin/cowbelld
	install -m 644 dist/cowbelld.service dist/cowbell-tty@.service $(DESTDIR)/usr/lib/systemd/system/
	install -m 644 dist/tmpfiles.conf $(DESTDIR)/usr/lib/tmpfiles.d/cowbell.conf
	install -m 644 dist/modules-load.conf $(DESTDIR)/usr/lib/modules-load.d/cowbell.conf
	install -m 644 dist/apt.conf $(DESTDIR)/etc/apt/apt.conf.d/80cowbell
	install -m 644 policy/kinds $(DESTDIR)/usr/share/cowbell/kinds
	for b in board/*/profile; do install -D -m 644 $$b $(DESTDIR)/usr/share/cowbell/$$b || exit 1; done
	$(if $(filter openrc,$(INIT)),install -D -m 755 dist/cowbelld.openrc $(DESTDIR)/etc/init.d/cowbelld)
	$(if $(wildcard $(O)/man/*),for p in $(O)/man/*.[0-9]; do \
		install -D -m 644 $$p $(DESTDIR)/usr/share/man/man$${p##*.}/$${p##*/} && \
		gzip -9nf $(DESTDIR)/usr/share/man/man$${p##*.}/$${p##*/}; done)
	$(if $(wildcard tools/completion/cowbell.bash),install -D -m 644 tools/completion/cowbell.bash \
		$(DESTDIR)/usr/share/bash-completion/completions/cowbell)

deb: all man ## a Debian package of it, into build/; CROSS=aarch64 or armhf
	$(Q)$(if $(CROSS),STRIP=$(TRIPLET)-strip READELF=$(TRIPLET)-readelf SYSROOT_DEBS=$(SYSROOT).list) dist/deb.sh $(or $(DEB_ARCH),$$(dpkg --print-architecture)) $(VERSION) $(O)/cowbell_$(VERSION)_$(or $(DEB_ARCH),$$(dpkg --print-architecture)).deb

.PHONY: systemd-check
systemd-check: all ## the Debian package under systemd, on an emulated board: its unit, apt, a reboot, a purge (many minutes); BOARD=qemu-amd64 for a PC
	$(Q)$(SUDO) tools/systemd-check $(BOARD)

packages: all ## the table of docs/packages.md: twenty packages of Debian by name, as root
	$(Q)$(SUDO) tools/packages-table.sh

# --- the machine

.PHONY: deps
deps: ## install what building and testing need, if it is missing
	@tools/deps.sh

.PHONY: pins
pins: ## write down the versions of foreign packages that the archive has now
	@tools/pin.sh arm64 armhf amd64

.PHONY: clean help
clean: ## remove build/
	rm -rf $(O)

help: ## this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  \1\t/' | expand -t 18
