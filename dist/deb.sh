#!/bin/sh
# SPDX-License-Identifier: MIT
# deb.sh ARCH VERSION OUT: a Debian package from what "make install" puts in place.
set -eu
arch=$1 version=$2 out=$3
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
make --no-print-directory install DESTDIR="$root" >/dev/null
mkdir -p "$root/DEBIAN" "$root/usr/share/doc/cowbell" "$work/debian"
for f in "$root"/usr/bin/* "$root"/usr/libexec/cowbell/*; do
	case $(head -c 4 "$f" | tr -d '\177') in ELF) [ -h "$f" ] || ${STRIP:-strip} --strip-unneeded "$f" ;; esac
done
# What the programs link, by the packages that have it.
printf 'Source: cowbell\nPackage: cowbell\nArchitecture: any\n' >"$work/debian/control"
command -v dpkg-shlibdeps >/dev/null || {
	echo "make deb: dpkg-shlibdeps is missing (apt-get install dpkg-dev)" >&2
	exit 1
}
programs="root/usr/bin/cowbell root/usr/bin/cowbell-tty $(cd "$work" && echo root/usr/libexec/cowbell/*)"
if [ -n "${SYSROOT_DEBS:-}" ]; then
	# Another CPU's: dpkg knows its packages by nothing but their files.
	while read -r deb; do dpkg-deb -I "$deb" shlibs 2>/dev/null || true; done <"$SYSROOT_DEBS" >"$work/shlibs"
	depends=$(cd "$work" && for f in $programs; do "$READELF" -d "$f" 2>/dev/null || true; done |
		sed -n 's/.*NEEDED.*\[\(.*\)\.so\.\(.*\)\]/\1 \2/p' | sort -u |
		awk 'NR == FNR { need[$0] = 1; next } need[$1 " " $2] { $1 = $2 = ""; sub(/^ +/, ""); print }' - shlibs | sort -u |
		sed -n 'H; ${ x; s/^\n//; s/\n/, /g; p; }')
else
	# shellcheck disable=SC2086
	depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info $programs 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
fi
cat >"$root/DEBIAN/control" <<C
Package: cowbell
Version: $version
Architecture: $arch
Maintainer: The Cowbell developers <cowbell@example.org>
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Depends: ${depends:-libc6}
Recommends: minisign, zstd
Section: admin
Priority: optional
Description: run apps that must ask first, on copies of this system
 Native programs run unmodified on a copy-on-write view of the system's own
 root, with no permission at first. At the first use of contacts, files, the
 network or a device the call is held in the kernel, a bell rings on the
 terminal, and the owner says what the app gets. What an app changes is
 versioned and can be undone.
C
cat >"$root/DEBIAN/postinst" <<'C'
#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
# An image that is made has no running systemd, and is started by one.
if command -v deb-systemd-helper >/dev/null; then
	deb-systemd-helper unmask cowbelld.service >/dev/null || true
	deb-systemd-helper enable cowbelld.service >/dev/null || true
fi
if [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
	deb-systemd-invoke restart systemd-modules-load.service >/dev/null 2>&1 || true
	systemd-tmpfiles --create cowbell.conf >/dev/null 2>&1 || true
	deb-systemd-invoke start cowbelld.service >/dev/null || true
fi
exit 0
C
cat >"$root/DEBIAN/prerm" <<'C'
#!/bin/sh
set -e
if [ -d /run/systemd/system ] && [ "$1" = remove ]; then
	deb-systemd-invoke stop cowbelld.service >/dev/null || true
fi
exit 0
C
cat >"$root/DEBIAN/postrm" <<'C'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
fi
# Apps, their data and answers go with a purge, and with nothing less.
if [ "$1" = purge ]; then
	rm -rf /var/lib/cowbell /run/cowbell
	rmdir --ignore-fail-on-non-empty /etc/cowbell 2>/dev/null || true
	if command -v deb-systemd-helper >/dev/null; then
		deb-systemd-helper purge cowbelld.service >/dev/null || true
	fi
fi
exit 0
C
mkdir -p "$root/usr/share/lintian/overrides"
cat >"$root/usr/share/lintian/overrides/cowbell" <<'C'
# No library of a root that an app shaped can be loaded into these, and they start in half the time.
cowbell: statically-linked-binary [usr/bin/cowbell]
cowbell: statically-linked-binary [usr/libexec/cowbell/cowbell-init]
cowbell: statically-linked-binary [usr/libexec/cowbell/cowbell-supervisor]
# Its size and time tell one state of the base from another; it is not read.
cowbell: uses-dpkg-database-directly [usr/libexec/cowbell/cowbell-broker]
C
chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
(cd "$root" && find etc -type f | sed 's,^,/,') >"$root/DEBIAN/conffiles"
cat >"$root/usr/share/doc/cowbell/copyright" <<C
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: cowbell

Files: *
Copyright: the Cowbell developers
License: MIT

License: MIT
$(sed -e '1,/^$/d' -e 's/^$/./' -e 's/^/ /' LICENSE)
C
printf 'cowbell (%s) unstable; urgency=medium\n\n  * Built from the source tree.\n\n -- The Cowbell developers <cowbell@example.org>  %s\n' \
	"$version" "$(date -R -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}")" |
	gzip -9n >"$root/usr/share/doc/cowbell/changelog.gz"
(cd "$root" && find usr -type f -exec md5sum {} +) >"$root/DEBIAN/md5sums"
find "$root" -type d -exec chmod 755 {} +
dpkg-deb --root-owner-group -Zxz -b "$root" "$out" >/dev/null
echo "$out"
