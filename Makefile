# SPDX-License-Identifier: Apache-2.0
#
# One Makefile for everything; `make help` lists the targets. What is built follows from what lies
# where, so a new source file, program folder or test needs no line here:
#
#   base/ units/ and the program folders    -> build/lib/lib<folder>.a   (every .c but main.c)
#   <program folder>/main.c                 -> build/bin/<program>       (static)
#   tests/unit/<folder>/test_*.c            -> build/tests/unit/<folder>/test_*
#   tests/sim/<folder>/test_*.c             -> build/tests/sim/<folder>/test_*
#   tests/fuzz/<folder>/fuzz_*.c            -> build/fuzz/tests/<folder>/fuzz_*  (clang, libFuzzer)
#   tests/{ns,qemu,bench}/*.c               -> build/tests/{ns,qemu,bench}/*  (static helpers)
#   tests/{ns,qemu}/test_*.py               -> run by pytest
#
# A folder is written with a dash where its path has a slash: rootfs/images -> rootfs-images.
# A folder that does not exist is not built.

.SUFFIXES:
.DELETE_ON_ERROR:
SHELL := /bin/bash
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang

PREFIX  ?= /usr
MANDIR  ?= $(PREFIX)/share/man
UNITS   ?= examples/hello
OUT     ?= build/image
FUZZ_SECONDS ?= 10
PYTEST  := /usr/bin/python3 -B -m pytest -p no:cacheprovider

Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' $(1) '$(2)')

# --- the rooms --------------------------------------------------------------------------------

PROGRAM_init          := orlop-init
PROGRAM_runtime       := orlop-run
PROGRAM_netcfg        := orlop-net
PROGRAM_rootfs/images := orlop-image
PROGRAM_rootfs/disk   := orlop-disk
PROGRAM_logs          := orlop-log
PROGRAM_filter        := orlop-filter
PROGRAM_cli           := orlop

# Libraries are named by hand: `pkg-config --static libarchive` would drag in libxml2 and ICU,
# which the tar reader never calls.
LIBS_units         := -linih
LIBS_init          := -linih
LIBS_runtime       := -lcap -lnl-route-3 -lnl-3 -lpthread
LIBS_netcfg        := -lnl-route-3 -lnl-3 -lpthread
LIBS_rootfs/images := -larchive -ljansson -lnettle -lseccomp -lacl -lzstd -llzma -llz4 -lbz2 -lz -lpthread
LIBS_filter        := -lseccomp -ljansson -lcap
LIBS_logs          := -lseccomp
LIBS_cli           := -linih -ljansson
# Paths in debug information, and so build ids, do not depend on where the tree lies.
CPPFLAGS_all       := -ffile-prefix-map=$(CURDIR)=. -I. -D_GNU_SOURCE -I/usr/include/libnl3

# Own archives that a folder's programs and tests are linked with, besides units and base.
USES_runtime       := netcfg

FLOOR3 := init runtime filter netcfg rootfs/images rootfs/disk logs cli
ROOMS  := $(foreach d,base units $(FLOOR3),$(if $(wildcard $(d)/*.c),$(d)))
comma  := ,
dash    = $(subst /,-,$(1))
undash  = $(subst rootfs-,rootfs/,$(1))

# --- compiling --------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla
ifeq ($(CI),true)
WARN += -Werror
endif
HARD := -O2 -fPIE -fstack-protector-strong -fno-plt -fno-delete-null-pointer-checks
CFLAGS ?= -g
# --no-warnings: libnl could look up names through NSS, which a static program cannot; we never do.
LDHARD := -Wl,--no-warnings -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--as-needed
STATIC := -static-pie
# orlop-run is exec'ed at every start of a container and every health check: a fixed address spares it
# 4,900 relocations, a third of what its exec costs. Stack, heap and mappings are at random addresses all the same.
STATIC_runtime := -static -no-pie

ifeq ($(SAN),1)
B    := build/san
HARD := -O1 -fPIE -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -Wno-format-truncation
else
B    := build
HARD += -D_FORTIFY_SOURCE=2
endif
FB   := build/fuzz
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

ALL_CFLAGS = -std=gnu17 $(WARN) -ffunction-sections -fdata-sections $(CPPFLAGS_all) $(CPPFLAGS) $(HARD) $(CFLAGS)

srcs    = $(filter-out $(1)/main.c,$(wildcard $(1)/*.c))
libs_of = $(foreach d,$(1) $(USES_$(1)) units base,$(if $(filter $(d),$(ROOMS)),$(2)/lib/lib$(call dash,$(d)).a))
ext_of  = $(foreach d,$(1) $(USES_$(1)),$(LIBS_$(d))) $(if $(filter units,$(ROOMS)),$(LIBS_units))

PROGRAMS := $(foreach d,$(FLOOR3),$(if $(wildcard $(d)/main.c),build/bin/$(PROGRAM_$(d))))

# Objects built for a goal that promised to install what is missing wait for that.
SETUP_GOALS := run test image
DEPS_FIRST  := $(if $(filter $(SETUP_GOALS),$(MAKECMDGOALS)),deps)

.PHONY: all deps image run test check fuzz bench install format lint clean help FORCE
.PHONY: sim test-unit test-sim test-fuzz test-ns test-qemu

all: $(PROGRAMS) ## build the programs into build/bin/

# A change of compiler or flags rebuilds; $(1) is the build directory.
define flags_stamp
$(1)/.flags: FORCE | $(DEPS_FIRST)
	@mkdir -p $(1); printf '%s\n' '$(2)' | cmp -s - $$@ || printf '%s\n' '$(2)' > $$@
endef
$(eval $(call flags_stamp,$(B),$(CC) $(ALL_CFLAGS)))
$(eval $(call flags_stamp,$(FB),$(CLANG) $(FUZZ_FLAGS)))

$(B)/obj/%.o: %.c $(B)/.flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(FB)/obj/%.o: %.c $(FB)/.flags
	$(call say,CLANG,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) -std=gnu17 $(WARN) $(CPPFLAGS_all) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

# Process 1 of containers with RunInit=: without libc, carried inside orlop-run. Its one segment is mapped r-x.
build/tiny/%: runtime/tiny/%.c $(B)/.flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu17 $(WARN) $(CPPFLAGS_all) -Os -ffreestanding -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-pie -no-pie -static -nostdlib -Wl,-s,-z,noexecstack,-z,noseparate-code,--build-id=none -o $@ $<
$(B)/obj/runtime/steps_init.o $(FB)/obj/runtime/steps_init.o: build/tiny/init

define archive
$(2)/lib/lib$(call dash,$(1)).a: $(patsubst %.c,$(2)/obj/%.o,$(call srcs,$(1)))
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && ar rcsD $$@ $$^
endef
$(foreach d,$(ROOMS),$(eval $(call archive,$(d),$(B))) $(eval $(call archive,$(d),$(FB))))

define program
build/bin/$(PROGRAM_$(1)): build/obj/$(1)/main.o $(call libs_of,$(1),build)
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D) && $(CC) $(or $(STATIC_$(1)),$(STATIC)) $(CFLAGS) $(LDHARD) -o $$@ $$< -Wl,--start-group $(call libs_of,$(1),build) -Wl,--end-group $(call ext_of,$(1))
endef
ifneq ($(SAN),1)
$(foreach d,$(FLOOR3),$(if $(wildcard $(d)/main.c),$(eval $(call program,$(d)))))
endif

# --- tests ------------------------------------------------------------------------------------

UNIT_SRCS := $(wildcard tests/unit/*/test_*.c)
SIM_SRCS  := $(wildcard tests/sim/*/test_*.c)
FUZZ_SRCS := $(wildcard tests/fuzz/*/fuzz_*.c)
AIDE_SRCS := $(wildcard tests/ns/*.c tests/qemu/*.c tests/bench/*.c)
UNIT_BINS := $(patsubst %.c,$(B)/%,$(UNIT_SRCS))
SIM_BINS  := $(patsubst %.c,$(B)/%,$(SIM_SRCS))
FUZZ_BINS := $(patsubst %.c,$(FB)/%,$(FUZZ_SRCS))
AIDE_BINS := $(patsubst %.c,build/%,$(AIDE_SRCS))

# Linker options of single tests: allocators that fail on demand.
WRAP_tests/unit/init/test_load.c := -Wl,--wrap=malloc,--wrap=calloc,--wrap=reallocarray,--wrap=strdup

# A test that stands in for functions of libc.
WRAP_tests/unit/units/test_memory.c := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# $(1) a test source, $(2) its room. Other .c files in the test's folder are helpers of its tests.
define host_test
$(B)/$(1:.c=): $(B)/obj/$(1:.c=.o) $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(dir $(1))test_%,$(wildcard $(dir $(1))*.c))) $(call libs_of,$(2),$(B))
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D) && $(CC) $(HARD) $(CFLAGS) -pie -o $$@ $$(filter %.o,$$^) -Wl,--start-group $(call libs_of,$(2),$(B)) -Wl,--end-group $$(WRAP_$(1)) $(call ext_of,$(2)) -lcmocka
endef
$(foreach s,$(UNIT_SRCS) $(SIM_SRCS),$(eval $(call host_test,$(s),$(call undash,$(notdir $(patsubst %/,%,$(dir $(s))))))))

define fuzz_test
$(FB)/$(1:.c=): $(FB)/obj/$(1:.c=.o) $(call libs_of,$(2),$(FB))
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D) && $(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $$@ $$< -Wl,--start-group $(call libs_of,$(2),$(FB)) -Wl,--end-group $(call ext_of,$(2))
endef
$(foreach s,$(FUZZ_SRCS),$(eval $(call fuzz_test,$(s),$(call undash,$(notdir $(patsubst %/,%,$(dir $(s))))))))

# Helpers of the ns, qemu and bench tests: one file each, static, so that they run anywhere.
$(AIDE_BINS): build/%: build/obj/%.o $(call libs_of,base,build)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) -static $(CFLAGS) -o $@ $< $(filter %.a,$^)

# PID 1 in which the k-th call of a function fails (tests/ns/wraps/faults.c).
WRAPPED := $(shell awk -F', *' '/^WRAP/ { print $$2 }' tests/ns/wraps/faults.c)
AIDE_BINS += build/tests/ns/faulty-init
build/tests/ns/faulty-init: build/obj/init/main.o build/obj/tests/ns/wraps/faults.o $(call libs_of,init,build)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(STATIC) $(CFLAGS) $(LDHARD) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(addprefix -Wl$(comma)--wrap=,$(WRAPPED)) $(call ext_of,init)

test-unit: $(UNIT_BINS) ## unit tests (SAN=1: under ASan and UBSan)
	@tools/run-tests unit $(UNIT_BINS)

test-sim: $(SIM_BINS) ## the supervisor in a simulated world (SAN=1 too)
	@tools/run-tests sim $(SIM_BINS)

SEEDS ?= 1000000
sim: build/tests/sim/init/test_random ## a million random worlds around the supervisor (SEEDS=N)
	@SIM_ALL=1 SIM_SEEDS=$(SEEDS) $<

test-fuzz: $(FUZZ_BINS) ## every fuzzer for FUZZ_SECONDS (10) seconds
	@tools/run-fuzz $(FUZZ_SECONDS) $(FUZZ_BINS)

test-ns: $(PROGRAMS) $(AIDE_BINS) build/images/hello.tar ## runtime, network and PID 1 in namespaces (root or sudo)
	@tools/run-pytest --root tests/ns $(PYTEST) $(TESTARGS)

test-qemu: $(PROGRAMS) $(AIDE_BINS) build/host/system.cpio.zst build/host/orlop.cpio.zst build/images/hello.tar ## the host image booted in QEMU
	@tools/run-pytest tests/qemu $(PYTEST) $(TESTARGS)

# In this order, one after the other: a cheap test that fails saves the dear ones.
ifeq ($(SAN),1)
test: test-unit test-sim
else
test: test-unit test-sim test-fuzz test-ns test-qemu ## install what is missing, then all tests
.NOTPARALLEL: test
endif

# FULL=1 makes tests that take samples by default take everything.
check: all sim $(AIDE_BINS) build/images/hello.tar build/host/system.cpio.zst ## what takes hours: a million worlds, every broken rule, every failing call, 500 containers, other kernels' networks, fuzzers (FUZZ_SECONDS)
	@tests/sim/init/bite.py
	@FULL=1 tools/run-pytest --root tests/ns $(PYTEST) $(TESTARGS)
	@FULL=1 tools/run-pytest --root tests/qemu $(PYTEST) -k net_guest
	@$$([ "$$(id -u)" = 0 ] || echo sudo) env CYCLES=1000 CONTAINERS=500 CHECK=1 /usr/bin/python3 -B tests/bench/bench_net.py
	@$(MAKE) --no-print-directory fuzz

fuzz: $(FUZZ_BINS) ## fuzz for long: FUZZ_SECONDS=600 each
	@tools/run-fuzz $(if $(filter command% env%,$(origin FUZZ_SECONDS)),$(FUZZ_SECONDS),600) $(FUZZ_BINS)

bench: $(PROGRAMS) $(AIDE_BINS) ## speed beside peers, as ratios
	@tools/run-bench $(sort $(wildcard tests/bench/bench_*.sh tests/bench/bench_*.py))

# --- set-up, image, boot ----------------------------------------------------------------------

deps: ## install the Debian packages that deps.txt names and that are missing
	@tools/deps deps.txt

# Images that the chosen units name and examples/images/ can make come along by themselves.
NAMED   := $(shell sed -n 's,^Image=localhost/\([a-z0-9-]*\).*,\1,p' $(UNITS)/*.container 2>/dev/null)
OWN     := $(foreach n,$(sort $(NAMED)),$(if $(wildcard examples/images/$(n)/build),build/images/$(n).tar))

image: build/host/system.cpio.zst build/host/orlop.cpio.zst $(OWN) ## build a host image: UNITS=DIR IMAGES="a.tar ..." OUT=DIR CMDLINE="..."
	@UNITS='$(UNITS)' IMAGES='$(OWN) $(IMAGES)' OUT='$(OUT)' CMDLINE='$(CMDLINE)' rootfs/host/mkimage

build/kernel/release: | $(DEPS_FIRST)
	$(call say,KERNEL,build/kernel)
	$(Q)rootfs/host/kernel build/kernel

build/host/system.cpio.zst: build/kernel/release $(addprefix rootfs/host/,mksystem lib.sh modules.txt)
	$(call say,PACK,$@)
	$(Q)mkdir -p $(@D) && rootfs/host/mksystem build/kernel $@

build/host/orlop.cpio.zst: $(PROGRAMS) build/seccomp/.made netcfg/base.nft $(addprefix rootfs/host/,mkorlop lib.sh) $(shell find rootfs/host/files -type f -o -type d)
	$(call say,PACK,$@)
	$(Q)mkdir -p $(@D) && rootfs/host/mkorlop $@ $(PROGRAMS)

# The default system call filters: compiled once here instead of at a start on the host.
build/seccomp/.made: build/bin/orlop-filter
	$(call say,FILTER,$(@D))
	$(Q)rm -rf $(@D) && mkdir -p $(@D) && for caps in 800405fb 0; do build/bin/orlop-filter default $$caps $(@D) || exit 1; done && touch $@

.SECONDEXPANSION:
build/images/%.tar: examples/images/%/build $$(shell find examples/images/$$* -type f) | $(DEPS_FIRST)
	$(call say,IMAGE,$@)
	$(Q)mkdir -p $(@D) && $< $@

run: image ## boot the image in QEMU with the units of UNITS (examples/hello); Ctrl-A X ends it
	@UNITS='$(UNITS)' OUT='$(OUT)' rootfs/host/run

# --- the rest ---------------------------------------------------------------------------------

install: all ## install programs and manual pages: DESTDIR, PREFIX (/usr)
	@install -d $(DESTDIR)$(PREFIX)/lib/orlop $(DESTDIR)$(PREFIX)/bin
	@for p in $(filter-out %/orlop,$(PROGRAMS)); do install -m 755 $$p $(DESTDIR)$(PREFIX)/lib/orlop/; done
	@for p in $(filter %/orlop,$(PROGRAMS)); do install -m 755 $$p $(DESTDIR)$(PREFIX)/bin/; done
	@install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	@build/bin/orlop help completion > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/orlop
	@for m in $(wildcard docs/man/*.[1-8]); do install -D -m 644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done

CODE := $(wildcard $(foreach d,base units $(FLOOR3) runtime/tiny tests/unit/* tests/sim/* tests/fuzz/* tests/ns tests/ns/wraps tests/qemu tests/bench,$(d)/*.c $(d)/*.h))

format: ## lay out all C files by .clang-format
	$(Q)clang-format -i $(CODE)

lint: $(patsubst %.c,build/obj/%.o,$(foreach d,$(ROOMS),$(call srcs,$(d)))) ## floors, purity, layout, shell scripts, texts
	@CLANG='$(CLANG) -std=gnu17 $(WARN) $(CPPFLAGS_all)' tools/lint $(CODE)

clean: ## remove build/
	$(Q)rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  V=1 shows every command; CC=clang uses the other compiler; SAN=1 for sanitized tests.'

-include $(shell find $(B)/obj $(FB)/obj -name '*.d' 2>/dev/null)
