# SPDX-License-Identifier: MIT
# The host's package manager in states that people bring it into: a folder as the only
# source, packages that are held and pinned, dependencies that only a Provides fulfils,
# or nothing. In a mount namespace of this file's own the daemon's family has lists of
# packages made here.

command -v apt-get >/dev/null || { echo "skip sources of packages: this machine lacks apt"; return; }
stop
S=$T/apt
mkdir -p "$S/repo" "$S/etc/preferences.d" "$S/etc/apt.conf.d" "$S/etc/sources.list.d" "$S/lists/partial" "$S/cache/archives/partial"
chmod -R a+rX "$S"
make_deb() { # make_deb NAME VERSION [FIELDS]
	rm -rf "$T/mk" && mkdir -p "$T/mk/DEBIAN" "$T/mk/usr/bin"
	printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: x <x@example.org>\nInstalled-Size: 9\nDescription: %s\n goes on\n .\n and ends\n%b' "$1" "$2" "$1" "${3:-}" \
		>"$T/mk/DEBIAN/control"
	printf '#!/bin/sh\necho %s %s\n' "$1" "$2" >"$T/mk/usr/bin/$1"
	chmod 755 "$T/mk/usr/bin/$1"
	dpkg-deb --root-owner-group -b "$T/mk" "$S/repo/$1_${2//:/%3a}_all.deb" >/dev/null
}
make_deb bell-plain 1:2.0~rc1-1
make_deb bell-engine 1 'Provides: bell-motor, bell-versioned (= 3)\n'
make_deb bell-needs 1 'Depends: bell-motor, bell-versioned (>= 2)\n'
make_deb bell-pinned 1
make_deb bell-pinned 2
make_deb bell-lost 1 'Depends: bell-plain, bell-nobody-has (>= 1), bell-gone | bell-away, bell-plain (>= 9:9)\n'
make_deb bell-held 1
make_deb bell-own 2
make_deb bell-newer 1 'Depends: bell-own (>= 2)\n'
for f in "$S"/repo/*.deb; do
	dpkg-deb -f "$f"
	printf 'Filename: ./%s\nSize: %d\nSHA256: %s\n\n' "${f##*/}" "$(stat -c %s "$f")" "$(sha256sum <"$f" | cut -d ' ' -f 1)"
done >"$S/repo/Packages"
echo "deb [trusted=yes] file:$S/repo ./" >"$S/etc/sources.list"
printf 'Package: bell-pinned\nPin: version 1\nPin-Priority: 1001\n' >"$S/etc/preferences.d/pin"
cat >"$T/enter" <<X
#!/bin/sh
set -e
mount --bind "$S/etc" /etc/apt
mount --bind "$S/lists" /var/lib/apt/lists
mount --bind "$S/cache" /var/cache/apt
apt-get -qq update >"$T/apt.log" 2>&1
exec "\$@"
X
chmod 755 "$T/enter"
START_IN=(unshare --net -m --propagation private "$T/enter")
start

ok "from a folder" cb install bell-plain
is "it runs" "$(cb run bell-plain </dev/null 2>/dev/null)" "bell-plain 1:2.0~rc1-1"
is "its version has its epoch" "$(cb --json info bell-plain | jq -r .app.version)" "1:2.0~rc1-1"
is "a description of many lines is its first" "$(cb --json info bell-plain | jq -r .app.summary)" bell-plain
like "search finds it" "$(cb search bell-plain)" '^bell-plain '
like "and inspect looks into it" "$(cb inspect bell-plain)" '^bell-plain 1:2.0~rc1-1 for all'
like "the newest is left" "$(cb update bell-plain 2>&1)" 'is the newest'
ok "what only another package provides" cb install bell-needs
is "comes along" "$(sh_in bell-needs 'bell-engine')" "bell-engine 1"
ok "the version that a pin names" cb install bell-pinned
is "is the one" "$(cb run bell-pinned </dev/null 2>/dev/null)" "bell-pinned 1"
fails "a name that is only provided" 1 "no package 'bell-motor' in this system's lists" cb install bell-motor
like "and who provides it is told" "$(cat "$T/out")" 'bell-engine'
fails "dependencies that nobody has" 1 "bell-nobody-has" cb install bell-lost
like "each is told" "$(cat "$T/out")" 'bell-nobody-has.*bell-gone'
fails "for a file too" 1 "bell-nobody-has" cb install --name x "$S/repo/bell-lost_1_all.deb"
like "each of them" "$(cat "$T/out")" 'bell-gone'
is "nothing of these is left" "$(cb --json list | jq -c '[.apps[].id] | sort')" '["bell-needs","bell-pinned","bell-plain"]'
for a in $(cb --json list | jq -r '.apps[].id'); do cb --yes uninstall "$a" >/dev/null; done
is "uninstalling all leaves an empty store" "$(find "$R/state/store" -mindepth 2 | wc -l)" 0

# A host that has one package in an older version, and another on hold. (Apps see no
# package database then: what is mounted below the root is not shared with them.)
stop
{
	cat /var/lib/dpkg/status
	printf '\nPackage: bell-own\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n'
	printf '\nPackage: bell-held\nStatus: hold ok not-installed\nArchitecture: all\n'
} >"$T/status"
sed -i "s|^exec|mount --bind '$T/status' /var/lib/dpkg/status\nexec|" "$T/enter"
start
is "what the host has is the host's, in its version" "$(cb --json install --dry-run bell-own | jq -r '.packages[] | [.name, .version, (.in_base | tostring)] | join(" ")')" "bell-own 1 true"
is "what needs a newer one brings it along" "$(cb --json install --dry-run bell-newer | jq -r '.packages[] | [.name, .version] | join(" ")' | tr '\n' ' ')" \
	"bell-newer 1 bell-own 2 "
ok "into the app" cb install bell-newer
is "the host's stays" "$(sed -n '/^Package: bell-own/,/^$/s/^Version: //p' "$T/status")" 1
fails "what is on hold" 1 "it needs a package that is on hold on this system (apt-mark showhold" cb install bell-held
cb --yes uninstall bell-newer >/dev/null
