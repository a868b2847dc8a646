#!/bin/bash
# SPDX-License-Identifier: MIT
# root.sh OUT KERNEL: the root image of a board, called by image.sh under
# fakeroot: Debian's packages, unpacked in OUT/root and known to dpkg as installed,
# so that apps can have packages of their own on top. No maintainer script runs
# (they are another CPU's): what they would have made and is needed is made here.
set -euo pipefail
out=$1 version=$2
d=$out/root
mkdir -p "$d"/usr/{bin,sbin,lib} "$d"/var/lib/dpkg/{info,updates,alternatives,triggers,parts} "$d"/etc/alternatives
for l in bin sbin lib; do ln -s usr/$l "$d/$l"; done
status=$d/var/lib/dpkg/status
info=$d/var/lib/dpkg/info
echo 1 >"$info/format"
: >"$d/var/lib/dpkg/available"

control=$out/control
while read -r deb; do
	rm -rf "$control"
	dpkg-deb -e "$deb" "$control"
	name=$(sed -n 's/^Package: //p' "$control/control")
	if grep -q '^Multi-Arch: same' "$control/control"; then
		name=$name:$(sed -n 's/^Architecture: //p' "$control/control")
	fi
	dpkg-deb --fsys-tarfile "$deb" | tar -C "$d" -xvf - --keep-directory-symlink --exclude='./usr/share/doc/*' \
		--exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/info/*' |
		sed 's/^\.//; s/\/$//; s/^$/\/./' >"$info/$name.list"
	sed '/^Package: /a Status: install ok installed' "$control/control" >>"$status"
	echo >>"$status"
	rm "$control/control"
	for f in "$control"/*; do [ ! -e "$f" ] || mv "$f" "$info/$name.${f##*/}"; done
done <"$out/debs"
rm -rf "$control"
# What packages are told of by dpkg: without it, it takes each of them for new.
: >"$d/var/lib/dpkg/triggers/Unincorp"
: >"$d/var/lib/dpkg/diversions"
: >"$d/var/lib/dpkg/statoverride"
for f in "$info"/*.triggers; do
	awk -v p="$(basename "$f" .triggers)" '/^interest/ {
		print $2, p ($1 ~ /noawait/ ? "/noawait" : "") }' "$f"
done | while read -r name package; do
	case $name in
	/*) echo "$name $package" >>"$d/var/lib/dpkg/triggers/File" ;;
	*) echo "$package" >>"$d/var/lib/dpkg/triggers/$name" ;;
	esac
done

mkdir -p "$d"/{dev,proc,sys,run,tmp,mnt,srv,media,opt,root,home/owner} "$d"/etc/opt "$d"/var/{tmp,log,mail,opt,local,lib/misc} \
	"$d"/usr/local/{bin,sbin,lib,share/man,games,include,src,etc}
chmod 1777 "$d/tmp" "$d/var/tmp"
chmod 700 "$d/root"
cp "$d/usr/share/base-passwd/passwd.master" "$d/etc/passwd"
cp "$d/usr/share/base-passwd/group.master" "$d/etc/group"
echo 'owner:x:1000:1000:The owner:/home/owner:/bin/bash' >>"$d/etc/passwd"
echo 'owner:x:1000:' >>"$d/etc/group"
chown 1000:1000 "$d/home/owner"
sed 's/:.*/:*:20000:0:99999:7:::/' "$d/etc/passwd" >"$d/etc/shadow"
chmod 640 "$d/etc/shadow"
chown 0:42 "$d/etc/shadow"
printf 'passwd: files\ngroup: files\nhosts: files\n' >"$d/etc/nsswitch.conf"
: >"$d/etc/resolv.conf"
ln -sf /usr/share/zoneinfo/Etc/UTC "$d/etc/localtime"
mkdir -p "$d/etc/ssl/certs"
printf '127.0.0.1 localhost board\n::1 localhost\n' >"$d/etc/hosts"
echo board >"$d/etc/hostname"
printf '/bin/sh\n/bin/bash\n' >"$d/etc/shells"
echo 0123456789abcdef0123456789abcdef >"$d/etc/machine-id"
cp "$d/usr/share/adduser/adduser.conf" "$d/etc/adduser.conf" 2>/dev/null || true
# The package manager's only source is what comes in with the tests.
echo 'deb [trusted=yes] copy:/srv/cowbell/build/debs ./' >"$d/etc/apt/sources.list"
mkdir -p "$d/var/lib/apt/lists/partial" "$d/var/cache/apt/archives/partial"
ln -s /usr/bin/mawk "$d/etc/alternatives/awk"
ln -s /etc/alternatives/awk "$d/usr/bin/awk"
for f in which.debianutils:which; do
	[ ! -e "$d/usr/bin/${f%:*}" ] || ln -sf "${f%:*}" "$d/usr/bin/${f#*:}"
done

# Nothing below /usr changes when root runs Python. Its byte code is the same for
# every CPU, but not for every version of the language.
if [ -e "$d/usr/lib/python3.11" ] && python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
	python3 -m compileall -q -s "$d" -p / "$d/usr/lib/python3.11" "$d/usr/lib/python3" >/dev/null 2>&1 || true
fi

while read -r m; do
	install -D -m 644 "$m" "$d/usr/lib/modules/$version/${m#*/lib/modules/"$version"/}"
done <"$out/modules"
cp "$out/k/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} "$d/usr/lib/modules/$version/"
/sbin/depmod -b "$d" "$version"

# Pid 1 of a test run, and what ends the emulator.
install -m 755 board/lib/init "$d/sbin/init"
install -m 755 "$out/exit" "$d/sbin/exit-emulator"
/sbin/mke2fs -q -t ext4 -L root -m 0 -E lazy_itable_init=0,lazy_journal_init=1 -d "$d" "$out/root.img" 1500M >/dev/null 2>&1
cp "$status" "$out/status"
rm -rf "$d"
