#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The pictures in docs/screens, from the screens as they are: a private system, two
# apps, and a terminal of a phone's width (40x20) and of 80x24. As root.
set -eu
cd "$(dirname "$0")/.."
top=$PWD bin=$PWD/build/bin out=$PWD/docs/screens
base=$(mktemp -d /var/tmp/cowbell-screens.XXXXXX)
chmod 755 "$base"
R=$base/root H=$base/home
export SERVER=cowbell-screens-$$
pid=
finish() {
	tmux -L "$SERVER" kill-server 2>/dev/null || true
	[ -z "$pid" ] || { kill "$pid"; wait "$pid" || true; }
	rm -rf "$base"
}
trap finish EXIT

mkdir -p "$H/.local/share/contacts" "$H/Documents" "$H/Pictures"
for name in Ada Grace; do
	printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:%s\r\nN:;%s;;;\r\nEND:VCARD\r\n' "$name" "$name" >"$H/.local/share/contacts/$name.vcf"
done
echo 'Dear diary' >"$H/Documents/letter.txt"
chown -R 1000:1000 "$H"
mkfifo "$base/ready"
"$bin/cowbelld" --root "$R" --user 1000 --home "$H" --ready-fd 9 9<>"$base/ready" &
pid=$!
exec 8<>"$base/ready"
read -r -t 20 _ <&8
cb() { "$bin/cowbell" --root "$R" "$@"; }
cb install build/flashlight.deb </dev/null >/dev/null 2>&1
cb install "$(tools/fetch-debs.sh build/debs nano | tail -n 1)" </dev/null >/dev/null 2>&1
cb mark '(oo)' >/dev/null
cd /
cb shell flashlight -c 'mkdir -p ~/.config ~/led && echo 0 >~/led/brightness && echo ~/led >~/.config/flashlight' </dev/null
cb grant flashlight contacts empty >/dev/null
cb grant flashlight storage no >/dev/null
cb run flashlight -- on </dev/null >/dev/null 2>&1 || true
cb grant nano storage:Documents write >/dev/null
cb shell nano -c 'echo "set linenumbers" >~/.nanorc; ls ~/Documents >/dev/null' </dev/null

tm() { tmux -L "$SERVER" "$@"; }
see() { for _ in $(seq 60); do tm capture-pane -p -t 0 | grep -qF -- "$1" && return 0; sleep 0.1; done; tm capture-pane -p -t 0; return 1; }
shot() { tm capture-pane -p -e -t 0 | python3 "$top/tools/picture.py" "$2" >"$out/$1.svg"; tm capture-pane -p -t 0 >"${SHOTS:-$base}/$1.txt"; }
begin() { # begin COLUMNS ROWS
	tm kill-server 2>/dev/null || true
	SERVER=cowbell-screens-$$-$1
	tm -f /dev/null new-session -d -x "$1" -y "$2" "env LANG=C.UTF-8 TERM=tmux-256color COWBELL_ROOT=$R $bin/cowbell ui"
	see 'open'
}

mkdir -p "$out"
begin 40 20
cb shell nano -c 'ls ~/Documents; sleep 60' </dev/null >/dev/null 2>&1 &
sleep 3
see 'storage:Documents' || true
shot home-40 'home, at the width of a phone'
tm send-keys -t 0 Enter
see 'may ──' && shot app-40 'an app'
tm send-keys -t 0 Escape
sleep 0.3
cb shell nano -c 'ls ~/.local/share/contacts' </dev/null >/dev/null 2>&1 &
see 'wants your contacts' && shot bell-40 'the bell'
sleep 1.2
tm send-keys -t 0 Escape
sleep 0.5
begin 80 24
tm send-keys -t 0 w
see 'your files ──' && shot who-80 'who has what'
tm send-keys -t 0 Escape
sleep 0.3
tm send-keys -t 0 h
see 'group' && shot history-80 'history'
tm send-keys -t 0 Escape
sleep 0.3
tm send-keys -t 0 Enter
see 'undo last run' && tm send-keys -t 0 x
see 'your answers stay' && shot reset-80 'reset says what goes and what stays'
cb stop nano >/dev/null 2>&1 || true
wait $! 2>/dev/null || true
echo "pictures are in $out"
