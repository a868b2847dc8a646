# SPDX-License-Identifier: MIT
# Installers that hang, fork, ask, or write everywhere.

make_deb() { # make_deb NAME POSTINST
	rm -rf "$T/mk" && mkdir -p "$T/mk/DEBIAN" "$T/mk/usr/share/x"
	printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' "$1" >"$T/mk/DEBIAN/control"
	printf '#!/bin/sh\n%s\n' "$2" >"$T/mk/DEBIAN/postinst"
	chmod 755 "$T/mk/DEBIAN/postinst"
	dpkg-deb --root-owner-group -b "$T/mk" "$T/$1.deb" >/dev/null
}
empty() { for _ in $(seq 100); do [ "$(find "$R/state/store/layers" -mindepth 1 | wc -l)" = 0 ] && break; sleep 0.1; done; find "$R/state/store/layers" -mindepth 1 | wc -l; }

make_deb hangs 'sleep 3456'
fails "a script that hangs is ended" 1 "was not done after 3s and was ended; nothing was installed" cb install --timeout 3s "$T/hangs.deb"
is "nothing of it runs" "$(pgrep -fc 'sleep 345[6]')" 0
is "and nothing is left" "$(empty) $(cb --json list | jq '.apps | length')" "0 0"
make_deb asks 'read answer || answer=none; [ "$answer" = none ] && [ "$DEBIAN_FRONTEND" = noninteractive ] || exit 1'
ok "a script that asks hears nobody" cb install "$T/asks.deb"
make_deb forks 'i=0; while [ $i -lt 3000 ]; do sleep 3457 & i=$((i + 1)); done; exit 0'
fails "a script that forks without end" 1 "nothing was installed" cb install --timeout 60s "$T/forks.deb"
is "leaves no process" "$(pgrep -fc 'sleep 345[7]')" 0
make_deb talks 'i=0; while [ $i -lt 20000 ]; do echo "$i aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; i=$((i + 1)); done; printf "\033[2J\n"; exit 1'
cb install "$T/talks.deb" >"$T/talk.out" 2>&1
is "who talks without end is heard briefly" "$([ "$(wc -l <"$T/talk.out")" -lt 60 ] && echo yes)" yes
unlike "and moves no cursor" "$(cat "$T/talk.out")" $'\033'
fails "a time that is none" 2 "wants a time" cb install --timeout soon "$T/asks.deb"

cb install --name wide -- sh -c 'mkdir -p /opt/x; touch /usr/local/a /opt/x/b ~/c /etc/d /srv/e' >"$T/wide.out" 2>&1
like "what an installer changed is told" "$(cat "$T/wide.out")" 'it changed 1 file in /usr, 1 in /opt, 1 in its home, 2 elsewhere'
like "by name where it is unusual" "$(cat "$T/wide.out")" 'elsewhere: /etc/d'

"$BIN/cowbell" --root "$R" install "$T/hangs.deb" </dev/null >"$T/int.out" 2>&1 &
p=$!
for _ in $(seq 100); do pgrep -f 'sleep 345[6]' >/dev/null && break; sleep 0.1; done
kill -TERM $p
wait $p
is "an install that is interrupted says so" "$? $(grep -c 'interrupted; nothing was installed' "$T/int.out")" "143 1"

# Ctrl-C on a terminal.
. tests/system/screen.sh
begin 80 24
tm send-keys -t 0 "cowbell install $T/hangs.deb; echo \"status \$?\"" Enter
for _ in $(seq 100); do pgrep -f 'sleep 345[6]' >/dev/null && break; sleep 0.1; done
like "an install on a terminal has a bar" "$(screen)" 'configure'
tm send-keys -t 0 C-c
ok "Ctrl-C ends it" see 'status 130'
like "it says so" "$(screen)" 'interrupted; nothing was installed'
tm send-keys -t 0 "clear; cowbell install --name c -- sh -c 'touch /opt/half; echo begun; sleep 3458'; echo \"status \$?\"" Enter
ok "an installer of its own is on that terminal" see 'begun'
tm send-keys -t 0 C-c
ok "which Ctrl-C ends too" see 'status 130'
tm send-keys -t 0 "clear; stty -a | grep -ow 'echo\|icanon\|opost' | tr '\\n' ' '; echo over" Enter
ok "the terminal is as it was" see 'opost icanon echo over'
is "nothing of either runs" "$(pgrep -fc 'sleep 345[68]')" 0
for a in $(cb --json list | jq -r '.apps[].id'); do cb --yes uninstall "$a" >/dev/null; done
is "and leaves nothing" "$(empty)" 0
