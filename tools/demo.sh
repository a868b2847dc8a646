#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A private Cowbell, two apps, and a bell: in the terminal you sit at, or by
# script where there is none. Everything it makes is in one folder that goes.
set -eu
cd "$(dirname "$0")/.."

bin=$PWD/build/bin
if [ "$(id -u)" != 0 ]; then
	exec sudo --preserve-env=TERM,LANG "$PWD/tools/demo.sh" "$@"
fi

top=$PWD
cd / # where every app can be, too
base=$(mktemp -d /var/tmp/cowbell-demo.XXXXXX)
chmod 755 "$base"
root=$base/root
home=$base/home
pid=
export T

finish() {
	status=$?
	if [ -n "$pid" ] && kill "$pid" 2>/dev/null; then
		wait "$pid" 2>/dev/null || true
	fi
	rm -rf "$base"
	exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM

# The owner of this little device: two contacts, a letter, a stand-in for a
# light (a folder such as the kernel makes for an LED).
uid=${SUDO_UID:-1000}
[ "$uid" != 0 ] || uid=1000
mkdir -p "$home/.local/share/contacts" "$home/Documents"
printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:ada\r\nFN:Ada Lovelace\r\nN:Lovelace;Ada;;;\r\nTEL:+44 1\r\nEND:VCARD\r\n' \
	>"$home/.local/share/contacts/ada.vcf"
printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:grace\r\nFN:Grace Hopper\r\nN:Hopper;Grace;;;\r\nTEL:+1 2\r\nEND:VCARD\r\n' \
	>"$home/.local/share/contacts/grace.vcf"
echo 'Dear diary' >"$home/Documents/letter.txt"
chown -R "$uid" "$home"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
cowbell() { "$bin/cowbell" --root "$root" "$@"; }

say "Starting a private Cowbell in $base"
mkfifo "$base/ready"
"$bin/cowbelld" --root "$root" --user "$uid" --home "$home" --ready-fd 9 9<>"$base/ready" &
pid=$!
exec 8<>"$base/ready"
read -r -t 20 _ <&8 || { echo "cowbelld did not start" >&2; exit 1; }
exec 8>&-

say "Installing a flashlight, and a real package of Debian"
cowbell install "$top/build/flashlight.deb"
deb=$("$top/tools/fetch-debs.sh" "$top/build/debs" sl | tail -n 1)
cowbell install "$deb"
cowbell list
cowbell shell flashlight -c 'mkdir -p ~/.config ~/led && echo 0 >~/led/brightness && echo ~/led >~/.config/flashlight'

if [ -t 0 ] && [ -t 1 ]; then
	say "Now the flashlight is switched on. The bell is for you: arrows choose, Enter takes, Esc is later."
	sleep 2
	cowbell run flashlight -- on || true
else
	say "Nobody sits here, so a script answers: contacts empty, everything else no"
	printf 'flashlight contacts empty\nflashlight * no\n' >"$base/answers"
	"$bin/cowbell" --root "$root" agent --script "$base/answers" &
	agent=$!
	cowbell run flashlight -- on || true
	kill "$agent" 2>/dev/null || true
	wait "$agent" 2>/dev/null || true
fi

say "What it may now, what it did, and what it changed"
cowbell permissions flashlight
cowbell history flashlight
cowbell generations flashlight
say "Back to the day it was installed"
cowbell --yes reset flashlight
cowbell generations flashlight
say "Done. $base goes; of what was done to this machine only packages named by 'make deps' stay."
