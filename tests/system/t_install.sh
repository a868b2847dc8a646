# SPDX-License-Identifier: MIT
# Packages of each kind, good and hostile.

deb=$(tools/fetch-debs.sh build/debs sl | tail -n 1)
ok "a package of Debian" cb install "$deb"
like "it is listed with what it is" "$(cb list)" '^sl +ready'
is "its program is known" "$(cb --json info sl | jq -r '.app.commands[]')" /usr/games/sl
fails "twice is refused" 1 "installed already" cb install "$deb"
like "under another name, and is told how it starts" "$(cb install --name train "$deb" 2>&1)" '^cowbell: train 5[^ ]* is installed: cowbell run train starts it$'
is "quietly, when that is wanted" "$(cb --quiet install --name quiet "$deb" 2>&1; cb --yes uninstall quiet >/dev/null)" ""
fails "a bad name" 1 "not allowed" cb install --name '../x' "$deb"
fails "an upper-case name" 1 "not allowed" cb install --name SL "$deb"
fails "a file that is not there" 1 "No such file" cb install ./nothing.deb
fails "a name that nobody has" 1 "no package" cb install figlet-does-not-exist

ok "one that says why it wants what" cb install build/flashlight.deb
says() { # says PERMISSION PATH: what the bell says of that use
	sh_in flashlight "ls $2 >/dev/null 2>&1" &
	local job=$!
	waiting | jq -r '.permission + "|" + .says'
	answer no >/dev/null
	wait $job
}
is "its word is in the bell" "$(says contacts '~/.local/share/contacts')" "contacts|find friends with a torch"
is "and in no other" "$(says storage '~/Documents')" "storage:Documents|"

mkdir -p "$T/tree/bin"
printf '#!/bin/sh\necho from the tree\n' >"$T/tree/bin/hello"
chmod 755 "$T/tree/bin/hello"
ok "a folder" cb install --name hello "$T/tree"
is "its program runs" "$(cb run hello </dev/null 2>/dev/null)" "from the tree"
printf '#!/bin/sh\necho "alone $*"\n' >"$T/single"
chmod 755 "$T/single"
ok "a single program" cb install --name single "$T/single"
is "it runs with its words" "$(cb run single -- a 'b c' </dev/null 2>/dev/null)" "alone a b c"
fails "a file that is no program" 1 "neither a folder nor an executable" cb install --name x "$T/log"

mkdir -p "$T/src"
printf 'install:\n\tmkdir -p /opt/made && cp greet /opt/made/greet && chmod 755 /opt/made/greet\n' >"$T/src/Makefile"
printf '#!/bin/sh\necho made\n' >"$T/src/greet"
ok "any installer, with its folder" cb install --name made --with "$T/src" -- make -C "$T/src" install
is "what it installed runs" "$(cb run --command greet made </dev/null 2>/dev/null)" made
is "the folder that it was given is not in the app" "$(sh_in made "ls -d $T/src 2>/dev/null | wc -l")" 0
fails "an installer that fails leaves nothing" 3 "nothing was installed" cb install --name broken -- sh -c 'touch /opt/x; exit 3'
fails "no app of it" 1 "no app of this name" cb info broken
fails "an installer that changes nothing" 1 "changed nothing" cb install --name nothing -- true
is "installers meet closed gates" "$(cb install --name nosy -- sh -c "ls $H/.local/share/contacts 2>&1 | sed 's/.*: //' >/opt/saw" >/dev/null 2>&1; sh_in nosy 'cat /opt/saw')" "Permission denied"
is "installers have no network" "$(cb install --name phone -- sh -c "timeout 5 python3 -c 'import socket; socket.create_connection((\"203.0.113.1\", 80))' 2>&1 | tail -n 1 >/opt/saw" >/dev/null 2>&1; sh_in phone 'grep -cE "denied|refused|unreachable" /opt/saw')" 1

# Hostile packages: one clear error, nothing left.
make_deb() { # make_deb FILE CONTROL [POSTINST]
	rm -rf "$T/mk" && mkdir -p "$T/mk/DEBIAN" "$T/mk/usr/share/x"
	printf '%b' "$2" >"$T/mk/DEBIAN/control"
	[ -z "${3:-}" ] || { printf '%b' "$3" >"$T/mk/DEBIAN/postinst"; chmod 755 "$T/mk/DEBIAN/postinst"; }
	dpkg-deb --nocheck --root-owner-group -b "$T/mk" "$1" >/dev/null 2>&1
}
control() { printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' "$1"; }
head -c 700 "$deb" >"$T/cut.deb"
: >"$T/empty.deb"
head -c 100000 /dev/urandom >"$T/noise.deb"
ln -s /etc/shadow "$T/link.deb"
mkfifo "$T/fifo.deb"
apps=$(cb --json list | jq '.apps | length')
fails "a truncated package" 1 "not a Debian package" cb install "$T/cut.deb"
fails "an empty file" 1 "not a Debian package" cb install "$T/empty.deb"
fails "noise" 1 "not a Debian package" cb install "$T/noise.deb"
fails "a link to something that is no package" 1 "not a Debian package" cb install "$T/link.deb"
head -c -1000 "$deb" >"$T/tail.deb"
fails "a package whose end is missing" 1 "not a Debian package" cb install --name tail "$T/tail.deb"
make_deb "$T/fail.deb" "$(control fails)\n" '#!/bin/sh\nexit 1\n'
fails "a script that fails" 1 "nothing was installed" cb install "$T/fail.deb"
make_deb "$T/dep.deb" "$(control needs)\nDepends: no-such-package-at-all\n"
fails "a dependency that is missing is named" 1 "no-such-package-at-all" cb install "$T/dep.deb"
make_deb "$T/caps.deb" "$(control new-1)\n"
fails "a name that is taken" 1 "are taken" cb install "$T/caps.deb"
make_deb "$T/large.deb" "$(control large)\nInstalled-Size: 99999999999\n"
fails "one that is larger than the disk" 1 "no room: it needs" cb install "$T/large.deb"
make_deb "$T/esc.deb" "Package: esc\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: \033[2Jclear\n"
cb install "$T/esc.deb" >/dev/null 2>&1
unlike "its texts are shown escaped" "$(cb info esc 2>&1)" $'\033'
make_deb "$T/bg.deb" "$(control forker)\n" '#!/bin/sh\n(setsid sleep 1000 &)\nexit 0\n'
ok "a script that leaves a process behind" cb install "$T/bg.deb"
is "nothing of it runs" "$(pgrep -fc 'sleep 1000')" 0
make_deb "$T/suid.deb" "$(control suid)\n" '#!/bin/sh\ncp /usr/bin/id /usr/bin/suid-id; chmod 4755 /usr/bin/suid-id\n'
cb install "$T/suid.deb" >/dev/null 2>&1
is "set-id programs have no effect" "$(sh_in suid '/usr/bin/suid-id -u')" 1000
is "no half-installed app is left" "$(cb --json list | jq '.apps | length')" $((apps + 3))
is "no setuid file of the host's root is in the store" "$(find "$R/state/store" -perm /6000 -uid 0 | wc -l)" 0
for a in $(cb --json list | jq -r '.apps[].id'); do cb --yes uninstall "$a" >/dev/null; done
is "uninstalling all leaves an empty store" "$(find "$R/state/store" -mindepth 2 | wc -l)" 0
