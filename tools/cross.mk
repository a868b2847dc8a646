# SPDX-License-Identifier: MIT
# What building for another CPU changes: the compiler, a sysroot of Debian's
# packages, and flags that the CPU or its kernels ask for.

ifeq ($(CROSS),aarch64)
DEB_ARCH := arm64
TRIPLET := aarch64-linux-gnu
# Returns and indirect branches that an overwritten pointer cannot bend (PAC, BTI).
CROSS_CFLAGS := -mbranch-protection=standard
else ifeq ($(CROSS),armhf)
DEB_ARCH := armhf
TRIPLET := arm-linux-gnueabihf
# Files beyond 2 GiB, and times beyond 2038.
CROSS_CFLAGS := -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
else
$(error CROSS=$(CROSS) is not known: aarch64 or armhf)
endif

CC := $(TRIPLET)-gcc
AR := $(TRIPLET)-ar
SYSROOT := $(O)/sysroot/$(DEB_ARCH)
CROSS_CFLAGS += --sysroot=$(SYSROOT)
# Segments that kernels with pages of 16 and 64 KiB can map, too.
CROSS_LDFLAGS := --sysroot=$(SYSROOT) -Wl,-z,max-page-size=65536 -Wl,-rpath-link=$(SYSROOT)/usr/lib/$(TRIPLET)
export PKG_CONFIG_LIBDIR := $(abspath $(SYSROOT))/usr/lib/$(TRIPLET)/pkgconfig:$(abspath $(SYSROOT))/usr/share/pkgconfig
export PKG_CONFIG_SYSROOT_DIR := $(SYSROOT)

# Read before anything is built: make fetches the sysroot, and starts again.
include $(SYSROOT)/ready.mk
$(SYSROOT)/ready.mk: tools/sysroot.sh tools/sysroot.packages tools/pins/$(DEB_ARCH)
	$(Q)tools/sysroot.sh $(DEB_ARCH)
