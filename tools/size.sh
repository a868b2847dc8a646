#!/bin/sh
# SPDX-License-Identifier: MIT
# size.sh FOLDER SYSROOT: bytes of each program without what debuggers read, and
# of the libraries that all of them together need on a device.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
needs() { readelf -d "$1" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
library() { find "$2/lib" "$2/usr/lib" -maxdepth 2 -name "$1" 2>/dev/null | head -n 1; }
: >"$tmp/seen"
follow() { # follow FILE SYSROOT: what it needs, and what that needs
	for l in $(needs "$1"); do
		grep -qx "$l" "$tmp/seen" && continue
		echo "$l" >>"$tmp/seen"
		f=$(library "$l" "$2")
		[ -z "$f" ] || follow "$f" "$2"
	done
}
total=0
for p in "$1"/cowbell*; do
	machine=$(readelf -h "$p" | sed -n 's/.*Machine: *//p')
	case $machine in
	AArch64) strip=aarch64-linux-gnu-strip ;;
	ARM) strip=arm-linux-gnueabihf-strip ;;
	*) strip=strip ;;
	esac
	$strip -o "$tmp/stripped" "$p"
	n=$(stat -c %s "$tmp/stripped")
	total=$((total + n))
	how=$(needs "$p" | tr '\n' ' ')
	printf '%9d  %-20s %s\n' "$n" "${p##*/}" "${how:-static}"
	follow "$p" "$2"
done
printf '%9d  all programs (%s)\n' $total "$machine"
total=0
while read -r l; do
	f=$(library "$l" "$2")
	[ -n "$f" ] || { echo "size: no '$l' below '$2'" >&2; exit 1; }
	n=$(stat -L -c %s "$f")
	total=$((total + n))
	printf '%9d  %s\n' "$n" "$l"
done <"$tmp/seen"
printf '%9d  all libraries, the C library with them\n' $total
