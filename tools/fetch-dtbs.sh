#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch-dtbs.sh: the device trees of Debian's ARM kernels, in build/dtb/PACKAGE.
set -eu
cd "$(dirname "$0")/.."
for p in arm64:linux-image-arm64 arm64:linux-image-6.12-arm64-16k armhf:linux-image-armmp; do
	arch=${p%%:*} name=${p#*:}
	dest=build/dtb/$name
	[ ! -e "$dest.done" ] || continue
	rm -rf "$dest"
	mkdir -p "$dest"
	# The package without a version depends on the one that holds the files.
	deb=$(tools/debs.sh "$arch" "$name" | grep '/linux-image-[^/]*[0-9][^/]*_' | grep -v "/${name}_" | head -n 1)
	[ -n "$deb" ] || { echo "fetch-dtbs: $name leads to no kernel" >&2; exit 1; }
	dpkg-deb --fsys-tarfile "$deb" | tar -C "$dest" -xf - --wildcards '*.dtb'
	echo "${deb##*/}" >"$dest.done"
done
