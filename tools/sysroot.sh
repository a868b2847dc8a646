#!/bin/sh
# SPDX-License-Identifier: MIT
# sysroot.sh ARCH: Debian's libraries and headers for building for ARCH, unpacked
# in build/sysroot/ARCH. No root, and nothing is installed on this machine.
set -eu
cd "$(dirname "$0")/.."
arch=$1
dest=build/sysroot/$arch
echo "  FETCH  $dest"
rm -rf "$dest"
mkdir -p "$dest"
# shellcheck disable=SC2046
tools/debs.sh "$arch" $(sed 's/#.*//' tools/sysroot.packages) >"$dest.list"
while read -r deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -C "$dest" -xf - --keep-directory-symlink \
		--exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./usr/share/info
done <"$dest.list"
# Links to the root of a device mean the root of this one.
find "$dest" -type l -lname '/*' | while read -r l; do ln -sfnr "$dest$(readlink "$l")" "$l"; done
: >"$dest/ready.mk"
