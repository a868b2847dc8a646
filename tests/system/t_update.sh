# SPDX-License-Identifier: MIT
# A new version goes on under an app's state; what fails leaves it as it was.

make_deb() { # make_deb VERSION PROGRAM [POSTINST]
	rm -rf "$T/mk" && mkdir -p "$T/mk/DEBIAN" "$T/mk/usr/bin"
	printf 'Package: bell\nVersion: %s\nArchitecture: all\nMaintainer: x <x@example.org>\nSection: games\nDescription: a bell\n' "$1" >"$T/mk/DEBIAN/control"
	printf '#!/bin/sh\n%s\n' "$2" >"$T/mk/usr/bin/bell"
	chmod 755 "$T/mk/usr/bin/bell"
	[ -z "${3:-}" ] || { printf '#!/bin/sh\n%s\n' "$3" >"$T/mk/DEBIAN/postinst"; chmod 755 "$T/mk/DEBIAN/postinst"; }
	dpkg-deb --root-owner-group -b "$T/mk" "$T/bell_$1.deb" >/dev/null
}
make_deb 1 'echo one; cat ~/state 2>/dev/null'
make_deb 2 'echo two; cat ~/state 2>/dev/null'
make_deb 3 'echo three' 'exit 1'
make_deb 4 'echo four; ls ~/.local/share/contacts'
says() { cb run bell </dev/null 2>/dev/null | tr '\n' ' '; }
version() { cb --json info bell | jq -r .app.version; }

cb install "$T/bell_1.deb" >/dev/null 2>&1
sh_in bell 'echo kept >~/state'
cb grant bell contacts empty --for always >/dev/null
is "it begins with one version" "$(says)" "one kept "
ok "a new version" cb update bell "$T/bell_2.deb"
is "runs, on the old state" "$(says)" "two kept "
is "is known" "$(version)" 2
is "its answers stay" "$(cb --json explain bell contacts | jq -r .permission.answer)" empty
like "history says so" "$(cb history bell)" 'updated'
fails "one whose installer fails" 1 "nothing was installed" cb update bell "$T/bell_3.deb"
is "leaves the app as it was" "$(version) $(says)" "2 two kept "
fails "one that may want more, when that is not wanted" 1 "may want more than before: contacts" cb update --no-new-permissions bell "$T/bell_4.deb"
is "is not taken" "$(version)" 2
ok "an update is undone in one command" cb rollback bell
is "the old version runs on its state" "$(version) $(says)" "1 one kept "
ok "and taken again" cb update --no-new-permissions bell "$T/bell_2.deb"
sh_in bell 'echo newer >~/state'
ok "the last run is undone first" cb rollback bell
is "on the new version" "$(version) $(says)" "2 two kept "
cb --yes reset bell >/dev/null
is "a reset goes to the version as it is installed" "$(says)" "two "

sh_in bell 'sleep 1000' &
job=$!
for _ in $(seq 50); do [ "$(cb --json ps | jq '.sessions | length')" = 1 ] && break; sleep 0.1; done
fails "not while it runs" 1 "runs (cowbell stop bell)" cb update bell "$T/bell_1.deb"
cb stop bell >/dev/null
wait $job 2>/dev/null
fails "an app without a name in the lists" 1 "not from this system's lists" cb update bell
fails "no such app" 1 "no app" cb update nobody "$T/bell_1.deb"
app single >/dev/null
fails "what has no versions" 1 "which has no versions" cb update single "$T/bell_1.deb"

if has_archive; then
	cb install sl >/dev/null 2>&1
	like "the newest is left" "$(cb update sl 2>&1)" 'is the newest'
	is "and that is no failure" "$(cb update >/dev/null 2>&1; echo $?)" 0
else
	echo "skip updates by name: this machine lacks an archive to fetch from"
fi
for a in $(cb --json list | jq -r '.apps[].id'); do cb --yes uninstall "$a" >/dev/null; done
is "uninstalling all leaves an empty store" "$(find "$R/state/store" -mindepth 2 | wc -l)" 0
