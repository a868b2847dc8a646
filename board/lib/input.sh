#!/bin/bash
# SPDX-License-Identifier: MIT
# input.sh BOARD: what a board gets to run: programs for its CPU, tests, and the
# packages that tests install, as a tar on a disk image. Prints its path.
set -euo pipefail
cd "$(dirname "$0")/../.."
board=$1
arch=$(awk '$1 == "arch" { print $2 }' "board/$board/machine")
case $arch in
arm64) built=build/aarch64 strip=aarch64-linux-gnu-strip ;;
armhf) built=build/armhf strip=arm-linux-gnueabihf-strip ;;
*) built=build strip=strip ;;
esac
out=build/board/$board
top=$out/in
rm -rf "$top"
mkdir -p "$top/build/bin" "$top/build/debs"
for p in "$built"/bin/*; do $strip -o "$top/build/bin/${p##*/}" "$p"; done
cp "$built/flashlight.deb" "$top/build/"
cp -r tests tools docs examples "$top/"
cp -r --parents board/*/profile broker/proto/io.cowbell.varlink policy/kinds "$top/"

# Stores of other machines: as many as programs for them are there.
for other in aarch64:64 armhf:32; do
	make=build/${other%:*}/bin/store-probe
	[ -x "$make" ] || continue
	case $other in aarch64*) emulator="qemu-aarch64 -L build/sysroot/arm64" ;; *) emulator="qemu-arm -L build/sysroot/armhf" ;; esac
	mkdir "$top/build/store-${other#*:}"
	$emulator "$make" make "$top/build/store-${other#*:}"
done

# Packages beyond what the board's root has, with lists such as fetch-debs.sh makes: kept
# until the root, the versions or the names are others.
debs=$out/packages
names=$(sed 's/#.*//' tests/system/packages; echo "${BOARD_PACKAGES:-}")
key=$({ cat "$out/image.key" "tools/pins/$arch" board/lib/input.sh; echo "$names"; } | sha256sum)
if [ "$(cat "$debs/key" 2>/dev/null)" != "$key" ]; then
	rm -rf "$debs"
	mkdir -p "$debs"
	status=$PWD/$out/status
	for p in $(printf '%s\n' $names | sort -u); do
		tools/debs.sh "$arch" --on "$status" "$p" >"$out/debs"
		# What the root has already is wanted alone.
		[ -s "$out/debs" ] || tools/debs.sh "$arch" "$p" | grep "/${p}_" >"$out/debs"
		while read -r deb; do
			ln -f "$deb" "$debs/" 2>/dev/null || cp "$deb" "$debs/"
			echo "/srv/cowbell/build/debs/${deb##*/}"
		done <"$out/debs" | awk -v p="/${p}_" 'index($0, p) { last = $0; next } { print } END { print last }' >"$debs/$p.list"
	done
	for deb in "$debs"/*.deb; do
		dpkg-deb -f "$deb"
		printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -Lc %s "$deb")" "$(sha256sum <"$deb" | cut -d' ' -f1)"
	done >"$debs/Packages"
	echo "$key" >"$debs/key"
fi
# What a result is a result of: the table of all results is no part of it.
{
	cat "$out/image.key" "$debs/key"
	(cd "$top" && find . -type f ! -path './build/store-*' ! -path ./docs/boards.md | LC_ALL=C sort | xargs -d '\n' sha256sum)
} | sha256sum | cut -c1-16 >"$out/in.key"
cp -l "$debs"/*.deb "$debs"/*.list "$debs/Packages" "$top/build/debs/"
# Renamed into place: boards that are running keep the one they have.
tar -C "$top" -cf "$out/in.new" .
truncate -s 256M "$out/in.new"
mv "$out/in.new" "$out/in.tar"
rm -rf "$top"
echo "$out/in.tar"
