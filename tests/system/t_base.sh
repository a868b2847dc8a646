# SPDX-License-Identifier: MIT
# A host upgrade below installed apps: they are installed anew from the packages
# that were kept, and their state goes on on top. The upgrade is a package
# database of another state, mounted over the host's own in a mount namespace
# that this file makes for its daemon; apps see none at all then, because what is
# mounted below the root is not shared with them.

# A package whose own script writes down what the package database was.
mkdir -p "$T/pkg/DEBIAN" "$T/pkg/usr/bin" "$T/pkg/etc"
cat >"$T/pkg/DEBIAN/control" <<C
Package: notebook
Version: 1.0
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: writes notes
C
printf '/etc/notebook.conf\n' >"$T/pkg/DEBIAN/conffiles"
echo 'paper=white' >"$T/pkg/etc/notebook.conf"
printf '#!/bin/sh\nset -e\ncat /var/lib/dpkg/status 2>/dev/null | wc -c >/opt/made-on\n' >"$T/pkg/DEBIAN/postinst"
printf '#!/bin/sh\necho "$*" >>~/notes; cat ~/notes\n' >"$T/pkg/usr/bin/notebook"
chmod 755 "$T/pkg/DEBIAN/postinst" "$T/pkg/usr/bin/notebook"
dpkg-deb --root-owner-group -b "$T/pkg" "$T/notebook.deb" >/dev/null

ok "a package is installed" cb install "$T/notebook.deb"
ok "another kind of app too" app plain
minisign -G -W -p "$T/one.pub" -s "$T/one.key" >/dev/null
KEY=$(tail -n 1 "$T/one.pub")
mkdir -p "$T/lamp/root/usr/bin"
printf '#!/bin/sh\necho x >>~/runs\necho lamp $(wc -l <~/runs)\n' >"$T/lamp/root/usr/bin/lamp"
chmod 755 "$T/lamp/root/usr/bin/lamp"
echo '{"format": 1, "id": "lamp", "version": "1", "name": "Lamp", "summary": "a lamp", "arch": "all", "commands": ["/usr/bin/lamp"]}' \
	>"$T/lamp/manifest.json"
cb bundle "$T/lamp" -k "$T/one.key" -o "$T/lamp.cowbell" >/dev/null
is "it runs" "$(cb run notebook -- one </dev/null)" one
cb generations notebook >/dev/null
sh_in plain 'echo mine >~/f'
made=$(sh_in notebook 'cat /opt/made-on')
rm "$T/notebook.deb"
layers() { ls "$R/state/store/layers" | wc -l; }

# The daemon and all that it starts see the changed database.
stop
cp /var/lib/dpkg/status "$T/status"
printf '\n' >>"$T/status"
real=$BIN/cowbelld
cat >"$T/cowbelld" <<C
#!/bin/sh
mount --bind "$T/status" /var/lib/dpkg/status && exec "$real" "\$@"
C
chmod 755 "$T/cowbelld"
start_changed() {
	rm -f "$T/ready"
	mkfifo "$T/ready"
	exec 8<>"$T/ready"
	unshare -m --propagation private "$T/cowbelld" --root "$R" --user $UID_OWNER --home "$H" --ready-fd 9 9>"$T/ready" 8>&- >>"$T/log" 2>&1 &
	pid=$!
	read -r -t 20 _ <&8 || echo "not ok cowbelld starts on the changed base"
	exec 8>&-
}
start_changed
like "generations say that they were made on another base" "$(cb generations notebook)" 'old base'
is "as it is, if its person wants so" "$(cb run --old-base notebook -- two </dev/null)" "$(printf 'one\ntwo')"
is "it was not installed anew for that" "$(cb --json history notebook | grep -c 'installed anew')" 0

is "a run installs it anew, and its state is there" "$(cb run notebook -- three </dev/null 2>"$T/notices")" \
	"$(printf 'one\ntwo\nthree')"
like "its person is told why it takes longer" "$(cat "$T/notices")" 'the system below this app has changed: it is installed anew first'
unlike "its package was set up on the new base" "$(sh_in notebook 'cat /opt/made-on')" "^$made\$"
like "history has it" "$(cb history notebook)" 'installed anew'
like "so do its generations" "$(cb generations notebook)" rebuilt
is "once is enough" "$(cb run notebook -- four </dev/null >/dev/null; cb --json history notebook | grep -c 'installed anew')" 1
is "an app without packages just runs" "$(sh_in plain 'cat ~/f')" mine

# All at once, with a word about each.
ok "a bundle" cb install --key "$KEY" "$T/lamp.cowbell"
cb run lamp </dev/null >/dev/null 2>&1
change() { # another state of the database
	stop
	printf '\n' >>"$T/status"
	start_changed
}
change
like "what is on an old base is marked" "$(cb list)" '^lamp .* old base$'
unlike "what has no packages is not" "$(cb list)" '^plain .* old base'
all=$(cb rebuild 2>&1)
is "all are installed anew, each is told" "$(sed 's/  */ /g' <<<"$all" | sort)" "$(sort <<W
lamp installed anew, its state on top
notebook installed anew, its state on top
W
)"
is "once is enough for that, too" "$(cb rebuild)" "Every app was installed on this system as it is."
is "a bundle's state is there" "$(cb run lamp </dev/null 2>/dev/null)" "lamp 2"
fails "no such app" 1 "no app" cb rebuild nobody
is "figures count the packages that are kept once" \
	"$(cb --json info notebook | jq '.app.disk.packages')" "$(stat -c %s "$(find "$R/state/store/layers" -path '*/pkg/0' -size -4k | head -n 1)")"

# While packages change, nothing runs.
ok "one that starts by itself" cb autostart notebook on
sleep 1000 8>&- 9>&- &
manager=$!
cb run --detach plain -- sleep 1000 </dev/null >/dev/null 2>&1
like "sessions end before packages change" "$(cb rebuild --before $manager)" '^[12] sessions? w.* ended; none begins'
is "nothing runs" "$(cb --json ps | jq '.sessions | length')" 0
fails "nothing starts" 125 "this system's packages are being changed (again when that is done)" cb run plain -- true
fails "nothing is installed" 1 "this system's packages are being changed" cb install --name late -- touch /opt/x
is "nothing of it is there" "$(cb info late 2>&1 | grep -c 'no app')" 1
kill $manager
wait $manager 2>/dev/null
ok "who changed them is gone: apps run" sh -c "for i in \$(seq 50); do '$BIN/cowbell' --root '$R' run plain -- true </dev/null 2>/dev/null && exit 0; sleep 0.1; done; exit 1"
fails "a manager that is none" 1 "No such process" cb rebuild --before 4194304
fails "a number that is none" 2 "usage" cb rebuild --before soon
ok "no longer by itself" cb autostart notebook off
ok "the bundle goes" cb --yes uninstall lamp

# Back to a state from before the change: on the install as it is now.
first=$(cb --json generations notebook | jq -r '.generations[] | select(.kind=="run") | .number' | head -n 1)
ok "rolled back to a state from before the change" cb rollback notebook "$first"
is "that state is there" "$(sh_in notebook 'cat ~/notes')" one
unlike "on the new install" "$(sh_in notebook 'cat /opt/made-on')" "^$made\$"
ok "reset goes to the new install" cb --yes reset notebook
unlike "which it stands on" "$(sh_in notebook 'cat /opt/made-on; cat ~/notes 2>&1')" "^$made\$|^one"

# A package that cannot be installed any more: the old one stays, and runs when asked to.
stop
cp "$T/status" "$T/status2"
printf '\n\n' >>"$T/status2"
sed -i "s#$T/status#$T/status2#" "$T/cowbelld"
for p in "$R"/state/store/layers/*/pkg/0; do echo broken >"$p"; done
start_changed
fails "a package that cannot be installed anew is said so" 125 "installing it anew failed" cb run notebook -- five
like "with the way out" "$(cat "$T/out")" 'cowbell run --old-base notebook'
is "the way out works" "$(cb run --old-base notebook -- six </dev/null)" six
ok "it can be uninstalled" cb --yes uninstall notebook
ok "and the other app, too" cb --yes uninstall plain
stop
start
is "no layer is left" "$(layers)" 0

# --- one mask for all

kept() { readlink "/proc/$pid/fd/"* | grep '^mnt:' | sort -u; }
app other >/dev/null
for i in $(seq 40); do [ -n "$(kept)" ] && break; sh_in other true; sleep 0.2; done
mask=$(kept)
like "a mask is kept for the next app" "$mask" '^mnt:\[[0-9]+\]$'
sh_in other true
sh_in other true
is "which does not make one of its own" "$(kept)" "$mask"
