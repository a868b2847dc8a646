#!/bin/sh
# SPDX-License-Identifier: MIT
# pin.sh ARCH...: writes down in tools/pins/ARCH the versions that the archive has
# now, of all packages that building and boards need for ARCH.
set -eu
cd "$(dirname "$0")/.."
words() { sed 's/#.*//' "$@" | tr '\n' ' '; }
for arch in "$@"; do
	: >"tools/pins/$arch"
	rm -rf "build/apt/$arch/lists"
	PIN=$PWD/build/pin.$arch
	export PIN
	: >"$PIN"
	kernels=$(awk -v a="$arch" '$1 == "arch" { use = $2 == a } $1 == "kernel" && use { print $2 }' board/*/machine)
	# shellcheck disable=SC2046
	for group in "$(words tools/sysroot.packages)" "$(words board/lib/packages)" "$kernels busybox-static" \
		$(words tests/system/packages); do
		# shellcheck disable=SC2086
		tools/debs.sh "$arch" $group >/dev/null
	done
	sort -u "$PIN" >"tools/pins/$arch"
	rm "$PIN"
done
