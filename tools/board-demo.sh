#!/bin/bash
# SPDX-License-Identifier: MIT
# What "make board-demo" runs on the board, on its serial console: a flashlight
# that wants your contacts, met for the first time.
set -u
cd "$(dirname "$0")/.."
top=$PWD
cd / # where every app can be, too
# On disk: the device's own memory is small.
base=$(mktemp -d /var/tmp/demo.XXXXXX)
chmod 755 "$base"
home=$base/home
daemon=

finish() {
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null
	rm -rf "$base"
}
trap finish EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
pause() { sleep "${DEMO_PAUSE:-2}"; }
cowbell() { "$top/build/bin/cowbell" --root "$base/root" "$@"; }

mkdir -p "$home/.local/share/contacts"
for who in 'Ada Lovelace' 'Grace Hopper'; do
	printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:%s\r\nEND:VCARD\r\n' "$who" >"$home/.local/share/contacts/${who%% *}.vcf"
done
chown -R 1000:1000 "$home"
mkfifo "$base/ready"
"$top/build/bin/cowbelld" --root "$base/root" --home "$home" --ready-fd 9 9<>"$base/ready" 2>"$base/log" &
daemon=$!
exec 8<>"$base/ready"
read -r -t 60 _ <&8 || { cat "$base/log"; exit 1; }
exec 8>&-

say "A small ARM device, $(uname -m), Linux $(uname -r). Cowbell knows which one, and what it has:"
cowbell doctor | grep -E '^board|torch'
pause
say "A flashlight is installed. Your files it need not see, that much is clear: they are empty for it."
cowbell install "$top/build/flashlight.deb" || exit 1
cowbell grant flashlight storage empty
pause
say "It is switched on. Whatever else it reaches for, the bell rings, and it waits for you:"
pause
cowbell run flashlight -- on --for "${DEMO_SECONDS:-5}" || exit 1
say "What it may now, and what it did:"
cowbell permissions flashlight
cowbell history flashlight
pause
say "It gets the torch for good, no people and no network. In the middle of the next run the torch is taken away:"
cowbell grant flashlight contacts empty
cowbell grant flashlight network no
cowbell grant flashlight torch allow
cowbell run --detach flashlight -- on --quiet --for 600 </dev/null >/dev/null 2>&1
for _ in $(seq 150); do # seconds, where the CPU is emulated
	grep -qx 0 /sys/class/leds/*:flash/brightness || break
	sleep 0.2
done
sleep "${DEMO_SECONDS:-5}"
cowbell revoke flashlight torch
pause
cowbell stop flashlight
say "Reset: as on the day it was installed."
cowbell --yes reset --grants flashlight
say "That was all. The device's own files are as they were."
