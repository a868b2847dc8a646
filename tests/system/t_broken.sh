# SPDX-License-Identifier: MIT
# Packages that no packer makes, each kind of them: one error, nothing left, nothing
# of the host's touched. docs/bad-input.md has the list; tests/unit/test_bundle_whole.c
# does the same to payloads of bundles.

mkdir -p "$T/d"
python3 tests/system/hostile_debs.py "$T/d"
echo untouched >"$T/victim"
before=$(stat -c '%h %i' /etc/hostname "$T/victim")

# Refused by the reader that has no rights, before anything of it runs.
while IFS='|' read -r name why; do
	fails "$name" 1 "cowbell: $name.deb: $why" cb install --name x "$T/d/$name.deb"
done <<'L'
climbs|the package has a path that leads out of its place: '../climbed'
absolute|the package has a path that leads out of its place: '/absolute-path'
through|the package has something below what is no folder: 'usr/share/way/through'
replaced|the package has one path twice: './usr/share/r'
double|the package has one path twice: './usr/share/d'
linked|the package has a link to what is no file of it: './usr/share/l'
linkedup|the package has a link to what is no file of it: './usr/share/l'
device|the package has a device or a pipe: './usr/share/null'
fifo|the package has a device or a pipe: './usr/share/fifo'
names|the package has a name that cannot be shown: './usr/share/\x1b[2J\x0a<U+202E>gpj'
deep|the package has something that lies more than 64 folders deep
loop|the package has something below what is no folder: 'usr/share/a/x'
shorter|the archive is broken: it is cut off
giant|the archive is broken: it is cut off
negative|the archive is broken: a size is no number, or larger than 4 TB
sparse|the archive is broken: a member is of a kind that is not known
paxbomb|the archive is broken: a header is larger than 1 MB
twocontrol|the package has two control files
longline|the package says more than 262144 bytes of itself
L

# Refused by the host's own dpkg, in the app's sandbox; its words are shown.
while IFS='|' read -r name why; do
	fails "$name" 1 "$why" cb install --name x "$T/d/$name.deb"
	like "$name: nothing was installed" "$(tail -n 1 "$T/out")" "^cowbell: $name.deb: (dpkg|read the package) ended with status [12]; nothing was installed$"
done <<'L'
future|invalid tar header mtime field
nobody|error setting ownership of './usr/share/n'
nocontrol|no package information in
foreign|package architecture (s390x) does not match system
upid|invalid package name in 'Package' field
dot|invalid package name in 'Package' field
noname|invalid package name in 'Package' field: may not be empty
lookalike|invalid package name in 'Package' field
longname|unable to open triggers ci file
badversion|'Version' field value '1.0 ; rm': version string has embedded spaces
doublefield|duplicate value for 'Package' field
L
is "no app is there after all that" "$(cb --json list | jq '.apps | length')" 0
is "what was aimed at is as it was" "$(stat -c '%h %i' /etc/hostname "$T/victim") $(ls -d /climbed* /absolute-path /var/tmp/through 2>/dev/null)" "$before "

# Taken, and harmless or plain.
ok "bytes behind the archive are dpkg's to pass over" cb install "$T/d/behind.deb"
ok "a field that is no text" cb install "$T/d/binary.deb"
ok "a program that is set-id" cb install "$T/d/setid.deb"
is "has no effect by it" "$(cb run setid -- -u </dev/null 2>/dev/null)" $UID_OWNER
ok "a package that writes its name in capitals" cb install "$T/d/capital.deb"
is "has the one name that there is" "$(cb --json info sl | jq -r .app.id)" sl
fails "and no twin" 1 "installed already" cb install "$T/d/capital.deb"
ok "a version with an epoch" cb install "$T/d/epoch.deb"
is "which is shown as it is" "$(cb --json info epoch | jq -r .app.version)" 2:1.0~rc1-1
ok "a description of many lines" cb install "$T/d/lines.deb"
is "is known by its first" "$(cb --json info lines | jq -r .app.summary)" x
room=$(cb --json inspect "$T/d/bomb.deb" | jq .bytes)
is "what unpacks to 6000 times its size is counted before" "$room" $((256 << 20))

make_large() {
	sed 's/^Package: .*/Package: large-'$1'/; s/^Description/Installed-Size: 999999999999999999\nDescription/' "$T/mk.control" >"$T/mk/DEBIAN/control"
	dpkg-deb --nocheck --root-owner-group -b "$T/mk" "$T/d/large$1.deb" >/dev/null
}
mkdir -p "$T/mk/DEBIAN"
dpkg-deb -f "$T/d/good.deb" >"$T/mk.control"
for i in 1 2 3 4; do make_large $i; done
fails "sizes whose sum is beyond all numbers" 1 "no room: it needs" cb install --name x "$T"/d/large[1-4].deb
fails "an update by one is refused as an install is" 1 "the package has a path that leads out of its place" cb update lines "$T/d/climbs.deb"
is "and the app is as it was" "$(cb --json info lines | jq -r '[.app.version, .app.state] | join(" ")')" "1 ready"

# Folders and programs: packed by the person's own tar, with what they may read.
mkdir -p "$T/odd"
mkfifo "$T/odd/pipe"
ln -s /etc/shadow "$T/odd/shadow"
ln -s loop "$T/odd/loop"
printf '#!/bin/sh\necho odd\n' >"$T/odd/run"
chmod 4755 "$T/odd/run"
ok "a folder with a pipe and links that lead away" cb install --name odd "$T/odd"
is "a link in it leads nowhere of the host's" "$(sh_in odd 'cat /opt/odd/shadow 2>/dev/null | wc -c')" 0
head -c 20 /bin/true >"$T/cut" && printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\26\0' >"$T/foreign" && chmod 755 "$T/cut" "$T/foreign"
for f in cut foreign; do
	cb install --name $f "$T/$f" >/dev/null 2>&1
	fails "a program that this machine cannot run: $f" 126 "it is built for another machine, or is cut off" cb run $f
done
for a in $(cb --json list | jq -r '.apps[].id'); do cb --yes uninstall "$a" >/dev/null; done
is "uninstalling all leaves an empty store" "$(find "$R/state/store" -mindepth 2 | wc -l)" 0
