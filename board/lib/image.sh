#!/bin/bash
# SPDX-License-Identifier: MIT
# image.sh BOARD: the kernel, the initrd and the root image of an emulated board,
# in build/board/BOARD, from Debian's packages. Any user can; nothing is mounted.
set -euo pipefail
cd "$(dirname "$0")/../.."
board=$1
get() { awk -v k="$1" '$1 == k { sub(/^[^ \t]+[ \t]+/, ""); print }' "board/$board/machine"; }
words() { sed 's/#.*//' "$1" | tr '\n' ' '; }
arch=$(get arch)
out=build/board/$board

key=$(grep -v '^has ' "board/$board/machine" | cat - board/lib/{image.sh,tree.sh,root.sh,packages,modules,init,boot,exit.c} "tools/pins/$arch" | sha256sum)
[ ! -e "$out/image.key" ] || [ "$(cat "$out/image.key")" != "$key" ] || exit 0
echo "  IMAGE  $out"
rm -rf "$out"
mkdir -p "$out/k" "$out/i/bin" "$out/i/mod"

# The kernel: what its package holds, and all its modules.
tools/debs.sh "$arch" "$(get kernel)" busybox-static >"$out/debs"
deb=$(grep '/linux-image-[^/]*[0-9][^/]*_' "$out/debs" | grep -v "/$(get kernel)_" | head -n 1)
dpkg-deb --fsys-tarfile "$deb" | tar -C "$out/k" -xf - ./boot ./lib
version=$(ls "$out/k/lib/modules")
mv "$out/k/boot/vmlinuz-$version" "$out/kernel"
find "$out/k/lib/modules" -name '*.ko.xz' -exec xz -d {} +
/sbin/depmod -b "$out/k" "$version"
modules() { # modules NAME...: their files, what they need first
	for m in "$@"; do /sbin/modprobe -d "$out/k" -S "$version" --show-depends "$m" 2>/dev/null || true; done |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# The initrd mounts the root image, no more. Not compressed: unpacking costs more than reading.
dpkg-deb --fsys-tarfile "$(grep /busybox-static_ "$out/debs")" | tar -C "$out/i" -xf - ./bin/busybox
modules virtio_pci virtio_mmio virtio_blk crc32c_generic ext4 | while read -r m; do
	cp "$m" "$out/i/mod/"
	echo "${m##*/}" >>"$out/i/mod/order"
done
install -m 755 board/lib/boot "$out/i/init"
(cd "$out/i" && find . | sort | cpio --quiet -o -H newc -R 0:0) >"$out/initrd"

case $arch in
arm64) cc="aarch64-linux-gnu-gcc --sysroot=build/sysroot/arm64" ;;
armhf) cc="arm-linux-gnueabihf-gcc --sysroot=build/sysroot/armhf -marm" ;;
*) cc=${CC:-gcc} ;;
esac
$cc -static -O1 -Wall -Wextra -Werror -o "$out/exit" board/lib/exit.c

# shellcheck disable=SC2046
tools/debs.sh "$arch" $(words board/lib/packages) >"$out/debs"
# shellcheck disable=SC2046
{
	modules $(words board/lib/modules)
	find "$out/k/lib/modules/$version/kernel/net" -path '*netfilter/*' -name '*.ko' # firewalls name theirs as they need them
} | sort -u >"$out/modules"
fakeroot board/lib/root.sh "$out" "$version"
rm -rf "$out/k" "$out/i" "$out/exit"
board/lib/tree.sh "$board"
echo "$key" >"$out/image.key"
