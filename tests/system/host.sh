# SPDX-License-Identifier: MIT
# A small host of a test's own below $HOST, whose packages the test may change: made
# of files that this system's packages have here, with a real package database of
# just these. The daemon runs on it as its root, in a mount namespace of its own.

HOST=$T/host

# host_make PACKAGE...: those that Debian calls essential, what they need, and these.
host_make() {
	local d l p list=$T/host.files names
	names=$(dpkg-query -W -f '${Essential} ${binary:Package}\n' | sed -n 's/^yes //p')
	# shellcheck disable=SC2086
	names=$(apt-cache depends --recurse --important --installed --no-recommends --no-suggests --no-conflicts --no-breaks \
		--no-replaces --no-enhances $names mount "$@" 2>/dev/null | grep '^[a-z0-9]' | sort -u)
	# shellcheck disable=SC2086
	names=$(dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' $names 2>/dev/null | sed -n 's/^installed //p')
	mkdir -p "$HOST/usr/bin" "$HOST/usr/sbin" "$HOST/usr/lib" "$HOST/usr/lib32" "$HOST/usr/lib64" "$HOST/var/lib/dpkg/info" \
		"$HOST/var/lib/dpkg/updates" "$HOST/proc" "$HOST/sys" "$HOST/dev" "$HOST/tmp" "$HOST/run" "$HOST/etc" "$HOST/old"
	for d in bin sbin lib lib32 lib64; do ln -s "usr/$d" "$HOST/$d"; done
	# shellcheck disable=SC2086
	dpkg -L $names | sed -n 's,^/\(.\),\1,p' | grep -Ev '^usr/share/(doc|man|locale|info)/|^(proc|sys|dev|tmp|run)$' | sort -u |
		while read -r l; do [ ! -e "/$l" ] && [ ! -h "/$l" ] || echo "$l"; done >"$list"
	tar -C / --no-recursion -cf - -T "$list" | tar -C "$HOST" --keep-directory-symlink -xpf - || return
	for p in $names; do
		dpkg-query -s "$p"
		echo
		cp /var/lib/dpkg/info/"$p".* "$HOST/var/lib/dpkg/info/" 2>/dev/null ||
			cp /var/lib/dpkg/info/"${p%:*}".* "$HOST/var/lib/dpkg/info/" || return
	done >"$HOST/var/lib/dpkg/status"
	cp /etc/passwd /etc/group "$HOST/etc/"
	cp /etc/alternatives "$HOST/etc/" -a 2>/dev/null
	# What our own programs link.
	ldd "$BIN"/cowbell* 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u | while read -r l; do
		[ -e "$HOST$l" ] || install -D -m 644 "$l" "$HOST$l"
	done
	chroot "$HOST" ldconfig
	chmod 1777 "$HOST/tmp"
}

# host_enter COMMAND...: with the small host as its root, in a mount namespace and
# without a network.
host_enter() {
	cat >"$T/enter" <<-E
		#!/bin/sh
		set -e
		mount --bind "$HOST" "$HOST"
		cd "$HOST"
		for d in proc sys dev; do mount --rbind "/\$d" "\$d"; done
		mount -t tmpfs tmpfs run
		for d in "$TOP" "$T"; do mkdir -p ".\$d"; done
		mount --rbind "$TOP" ".$TOP"
		mount --bind "$T" ".$T"
		pivot_root . old
		umount -l /old
		exec "\$@"
	E
	chmod 755 "$T/enter"
	HOST_ENTER=(unshare --net -m --propagation private "$T/enter")
	[ $# = 0 ] || "${HOST_ENTER[@]}" "$@"
}

# host_start: as start, with the small host as the root of the daemon and its family.
host_start() {
	host_enter
	START_IN=("${HOST_ENTER[@]}")
	start "$@"
}

# What an administrator does on that host.
host_dpkg() { DEBIAN_FRONTEND=noninteractive chroot "$HOST" dpkg "$@" </dev/null; }
host_install() { cp "$1" "$HOST/tmp/" && host_dpkg -i "/tmp/${1##*/}"; }
host_version() { chroot "$HOST" dpkg-query -W -f '${Version}' "$1"; }
