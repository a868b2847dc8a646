#!/bin/sh
# SPDX-License-Identifier: MIT
# deps.sh [build|large]: installs what is missing of what building and the demo need,
# or, without a word, of what all tests need too; large: also of make check-large.
set -eu

packages="gcc libc6-dev make pkg-config libnl-3-dev libnl-route-3-dev libnl-nf-3-dev libseccomp-dev liblmdb-dev
libjansson-dev libsodium-dev libzstd-dev libvterm-dev libncurses-dev libcmocka-dev procps"
[ "${1:-}" = build ] || packages="$packages dpkg-dev bubblewrap tmux scdoc strace jq python3 acl attr
e2fsprogs xz-utils zstd minisign iproute2 curl dnsmasq-base iputils-ping bind9-dnsutils tcpdump nftables
gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf qemu-user qemu-system-arm qemu-system-x86 qemu-utils cpio fakeroot kmod
device-tree-compiler"
[ "${1:-}" != large ] || packages="$packages golang-go golang-github-varlink-go-dev"

missing=
for p in $packages; do
	case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null) in
	"install ok installed") ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -qq update
# shellcheck disable=SC2086
$sudo apt-get -qq -y --no-install-recommends install $missing >/dev/null
