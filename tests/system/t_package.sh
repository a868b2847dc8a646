# SPDX-License-Identifier: MIT
# Cowbell put in place as a distribution would, and run from there.

command -v gcc >/dev/null || { echo "skip being put in place: this machine lacks a compiler"; return; }
stop
ok "it is put in place below a folder" make -s --no-print-directory install DESTDIR="$T/place"
is "what others start stands together" "$(cd "$T/place/usr/libexec/cowbell" && ls | tr '\n' ' ' | grep -c 'apt-hook cowbell-broker .*cowbelld')" 1
like "the unit starts what is there" "$(grep ExecStart "$T/place/usr/lib/systemd/system/cowbelld.service")" '=/usr/libexec/cowbell/cowbelld$'
ok "its hook for apt is a script" sh -n "$T/place/usr/libexec/cowbell/apt-hook"
ok "and no error where nothing runs" "$T/place/usr/libexec/cowbell/apt-hook"
BIN=$T/place/usr/libexec/cowbell
ln -s "$T/place/usr/bin/cowbell" "$T/cowbell"
start
ok "cowbelld runs from there" "$T/cowbell" --root "$R" list
BIN=$T
app placed
is "an app too" "$(sh_in placed 'echo here')" here
cb --yes uninstall placed >/dev/null
BIN=$TOP/build/bin
ok "the Debian package is made" make -s --no-print-directory deb
deb=$(ls -t build/cowbell_*.deb | head -n 1)
is "programs belong to root, none is set-id" "$(dpkg-deb -c "$deb" | grep -c '^-..s\|^-.....s')" 0
like "what it links is named" "$(dpkg-deb -f "$deb" Depends)" 'libc6.*liblmdb0.*libseccomp2'
if command -v lintian >/dev/null; then
	cp "$deb" "$T/cowbell.deb"
	chmod 644 "$T/cowbell.deb"
	is "lintian has nothing to say" "$(lintian "$T/cowbell.deb" 2>/dev/null)" ""
fi
