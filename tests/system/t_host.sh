# SPDX-License-Identifier: MIT
# A library below installed apps, of which the host has the build before, is upgraded
# by dpkg, on a small host of this test's own: apps are installed anew, one runs the
# host's program from then on, one the host's copy of what it had brought, and one that
# cannot be stays as it is, and is not run.

. tests/system/host.sh
lib=liblzma5 # dpkg itself is linked with it
dpkg -s $lib >/dev/null 2>&1 || { skip "upgrades of a host" "a package database of Debian"; return; }
stop
tools/fetch-debs.sh build/debs xdelta3 $lib >/dev/null 2>&1 || { echo "skip upgrades of a host: this machine lacks a source of packages"; return; }
deb() { tools/fetch-debs.sh build/debs "$1" | tail -n 1; }
packed() { sh_in xdelta3 'echo bell | xdelta3 -e -S lzma -c | xdelta3 -d -c'; } # with the library, there and back
ok "a host of its own" host_make $lib
real=$(deb $lib)
version=$(dpkg-deb -f "$real" Version)

# The build before, as the archive has it; where it has none any more, the same one by another name.
older=$(apt-cache madison $lib | awk '$5 ~ /^http/ { print $3 }' | sort -u | while read -r v; do dpkg --compare-versions "$v" lt "$version" && echo "$v"; done | tail -n 1)
if [ -n "$older" ]; then
	(cd "$T" && apt-get -qq -o APT::Sandbox::User=root download "$lib=$older" >/dev/null && mv ${lib}_*.deb older.deb)
	unlike "it is another one" "$(sha256sum <"$T/older.deb")" "$(sha256sum <"$real")"
else
	older=$version~older
	dpkg-deb -R "$real" "$T/older"
	sed -i "s/^Version: .*/Version: $older/" "$T/older/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$T/older" "$T/older.deb" >/dev/null
fi
ok "an older build of a library on it ($older)" host_install "$T/older.deb"
is "which it has" "$(host_version $lib)" "$older"

package() { # package NAME DEPENDS: prints a line of its own and one of its state
	mkdir -p "$T/$1/DEBIAN" "$T/$1/usr/bin"
	printf 'Package: %s\nVersion: 1\nArchitecture: all\nDepends: %s\nMaintainer: nobody <nobody@example.org>\nDescription: %s\n' "$1" "$2" "$1" \
		>"$T/$1/DEBIAN/control"
	printf '#!/bin/sh\necho x >>~/runs\necho %s $(wc -l <~/runs)\n' "$1" >"$T/$1/usr/bin/$1"
	chmod 755 "$T/$1/usr/bin/$1"
	dpkg-deb --root-owner-group -b "$T/$1" "$T/$1.deb" >/dev/null
}
package tied "$lib (<< $version)"
package free "$lib, common"
common() { # common VERSION: what an app brings, and the host has later
	mkdir -p "$T/common/DEBIAN" "$T/common/usr/share/common"
	printf 'Package: common\nVersion: %s\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: c\n' "$1" >"$T/common/DEBIAN/control"
	echo "common $1" >"$T/common/usr/share/common/text"
	dpkg-deb --root-owner-group -b "$T/common" "$T/common_$1.deb" >/dev/null
}
common 1
common 2
minisign -G -W -p "$T/one.pub" -s "$T/one.key" >/dev/null
mkdir -p "$T/lamp/root/usr/share/lamp" "$T/lamp/root/usr/bin"
printf '#!/bin/sh\n' >"$T/lamp/root/usr/bin/lamp" && chmod 755 "$T/lamp/root/usr/bin/lamp"
echo light >"$T/lamp/root/usr/share/lamp/light"
echo '{"format": 1, "id": "lamp", "version": "1", "name": "Lamp", "summary": "a lamp", "arch": "all", "commands": ["/usr/bin/lamp"]}' >"$T/lamp/manifest.json"
"$BIN/cowbell" bundle "$T/lamp" -k "$T/one.key" -o "$T/lamp.cowbell" >/dev/null

host_start
before=$(cd "$HOST" && find usr etc -type f -printf '%p %s %T@ %C@\n' | sort | sha256sum)
# shellcheck disable=SC2046
ok "an app that links the library" cb install --name xdelta3 $(tools/fetch-debs.sh build/debs xdelta3 | tac)
ok "another one" cb install "$(deb figlet)"
ok "one that wants the older build" cb install "$T/tied.deb"
ok "one that does not mind, and brings another" cb install "$T/free.deb" "$T/common_1.deb"
ok "a bundle" cb install --key "$(tail -n 1 "$T/one.pub")" "$T/lamp.cowbell"
is "the first packs with it" "$(packed)" bell
is "state of the others" "$(cb run tied </dev/null 2>/dev/null) $(cb run free </dev/null 2>/dev/null) $(cb run figlet -- hi </dev/null 2>/dev/null | grep -c '| |')" "tied 1 free 1 4"
sh_in figlet 'echo kept >~/state'
sh_in lamp 'echo seen >~/mine'
is "the host is untouched" "$(cd "$HOST" && find usr etc -type f -printf '%p %s %T@ %C@\n' | sort | sha256sum)" "$before"

ok "the upgrade of the library" host_install "$real"
ok "the host gets one of the apps itself" host_install "$(deb figlet)"
ok "and what another brought" host_install "$T/common_2.deb"
cb rebuild >"$T/rebuilt" 2>&1
is "which says that not all went well" $? 1
list=$(sed 's/  */ /g' "$T/rebuilt")
like "installed anew" "$list" '^xdelta3 installed anew, its state on top$'
like "so is what does not mind" "$list" '^free installed anew'
like "and a bundle" "$list" '^lamp installed anew'
like "what the host has itself is the host's" "$list" '^figlet runs this system.s own program$'
like "what cannot be is told, with dpkg's word" "$list" '^tied as it was, and not run: dpkg: dependency problems prevent configuration of tied: tied depends on liblzma5 \(<< '
is "each has one line" "$(wc -l <"$T/rebuilt")" 5
is "the app is in the database of its new base" "$(packed) $(sh_in xdelta3 "dpkg-query -W -f '\${Version}' $lib")" "bell $version"
is "state is there" "$(cb run free </dev/null 2>/dev/null) $(sh_in figlet 'cat ~/state') $(sh_in lamp 'cat ~/mine /usr/share/lamp/light' | tr '\n' ' ')" \
	"free 2 kept seen light "
is "what it brought is the host's now" "$(sh_in free 'cat /usr/share/common/text'; grep -rl 'common 2' "$R/state/store/layers" | grep -c /fs/)" "$(printf 'common 2\n0')"
is "no copy of the host's program is in the app" "$(cb --json info figlet | jq .app.from_base) $(cb --json generations figlet | jq '[.generations[] | select(.kind == "install")][-1].bytes <= 8192')" "true true"
like "which runs" "$(cb run figlet -- hi </dev/null 2>/dev/null)" '\| \|'
fails "what could not be does not run" 125 "installing it anew failed: dpkg: dependency problems" cb run tied
is "unless its person wants it so" "$(cb run --old-base tied </dev/null 2>/dev/null)" "tied 2"
like "its history has it" "$(cb history tied)" 'not installed anew'
like "old generations are marked" "$(cb generations xdelta3)" 'old base'
like "the list shows who is left" "$(cb list)" '^tied .* old base$'
is "and nobody else" "$(cb list | grep -c 'old base')" 1

# And when it is gone from the host again, the kept packages bring it back.
ok "the host drops it" host_dpkg -r figlet
like "it comes back" "$(cb run figlet -- hi </dev/null 2>/dev/null)" '\| \|'
is "of its own" "$(cb --json info figlet | jq .app.from_base) $(sh_in figlet 'cat ~/state')" "false kept"
ok "an app of the host's own program" cb install --name own "$(deb hostname)"
for a in xdelta3 figlet tied free lamp own; do ok "$a goes" cb --yes uninstall $a; done
is "an empty store" "$(find "$R/state/store" -mindepth 2 | wc -l)" 0
