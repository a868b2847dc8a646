# SPDX-License-Identifier: MIT
# board
# The torch, a real LED: held, lit, put back. On an emulated board its pin is read
# from outside the machine; where there is no such LED, a keyboard that this test
# makes has one, and is asked what it was told to show.

led=$(cd /sys/class/leds 2>/dev/null && ls -d ./*:flash 2>/dev/null | head -n 1)
led=${led#./}
if [ -n "$led" ] && [ -n "${BOARD_CONSOLE:-}" ]; then
	# Line 5 of the controller, as the host sees it.
	lit() {
		local said
		printf '@@PINS\n' >"$BOARD_CONSOLE"
		read -r -t 20 said <"$BOARD_CONSOLE"
		case $said in
		0x*) [ $((said >> 5 & 1)) = 1 ] && echo on || echo off ;;
		*) echo "unknown: $said" ;;
		esac
	}
elif [ -w /dev/uinput ] && { modprobe input-leds 2>/dev/null; [ -d /sys/module/input_leds ]; }; then
	cat >"$T/keyboard.py" <<'P'
import fcntl, os, struct, sys
fd = os.open('/dev/uinput', os.O_RDWR)
for request, value in ((0x40045564, 0x11), (0x40045569, 1)):  # UI_SET_EVBIT EV_LED, UI_SET_LEDBIT LED_CAPSL
    fcntl.ioctl(fd, request, value)
fcntl.ioctl(fd, 0x405c5503, struct.pack('HHHH80sI', 3, 1, 1, 1, b'a keyboard of a test', 0))  # UI_DEV_SETUP
fcntl.ioctl(fd, 0x5501)  # UI_DEV_CREATE
size = struct.calcsize('llHHi')
while True:
    kind, code, value = struct.unpack('llHHi', os.read(fd, size))[2:]
    if (kind, code) == (0x11, 1):
        with open(sys.argv[1] + '.new', 'w') as f:
            f.write('on' if value else 'off')
        os.rename(sys.argv[1] + '.new', sys.argv[1])
P
	ls -d /sys/class/leds/*::capslock 2>/dev/null >"$T/before"
	echo off >"$T/shown"
	python3 "$T/keyboard.py" "$T/shown" 2>"$T/keyboard.err" &
	for i in $(seq 50); do
		led=$(ls -d /sys/class/leds/*::capslock 2>/dev/null | grep -vxFf "$T/before" | head -n 1)
		[ -z "$led" ] || break
		sleep 0.1
	done
	led=${led##*/}
	lit() { cat "$T/shown"; }
fi
[ -n "$led" ] || { skip "the torch" "an LED (leds-gpio, or uinput with input-leds)"; return 0; }

L=$(readlink -f "/sys/class/leds/$led")
own=$T/own
mkdir -p "$own/bin" "$own/share/cowbell/board/generic" "$own/share/cowbell/board/lamp"
cp "$BIN"/cowbell* "$own/bin/"
printf 'model Any\noffer found\n' >"$own/share/cowbell/board/generic/profile"
printf 'model A lamp\ntorch %s\ncontacts .local/share/contacts\n' "$led" >"$own/share/cowbell/board/lamp/profile"
cb() { "$own/bin/cowbell" --root "$R" "$@"; }
soon() { # soon WANTED COMMAND...: its output, once it is that or 10 s are over
	local want=$1 got
	shift
	for i in $(seq 100); do
		got=$("$@")
		[ "$got" != "$want" ] || break
		sleep 0.1
	done
	echo "$got"
}
owner() { stat -c '%u:%g %a' "$L/brightness"; }

if [ -n "${BOARD_CONSOLE:-}" ] && [ "$led" = white:flash ]; then
	stop
	start --device-tree /proc/device-tree
	like "the board is known, and its torch is there" "$(cb doctor)" '^board qemu-virt-.*recognised'
	like "by its name" "$(cb doctor)" '^ok +torch: /sys/class/leds/white:flash$'
fi
stop
BIN=$own/bin start --board lamp
was=$(owner)
is "it is dark" "$(lit)" off
ok "the flashlight installs" cb install build/flashlight.deb

# The first meeting: nothing but the light.
printf 'flashlight contacts empty\nflashlight storage:* empty\nflashlight network no\nflashlight torch allow for=always\nflashlight * no\n' >"$T/script"
cb agent --script "$T/script" >/dev/null 2>&1 &
agent=$!
cb run flashlight -- on --for 20 </dev/null >"$T/flash.out" 2>"$T/flash.err" &
job=$!
is "the light is on, for whoever looks at the pin" "$(soon on lit)" on
like "the program says so too" "$(soon 'flashlight: the light is on' tail -n 1 "$T/flash.out")" 'the light is on'
like "while it is used its brightness belongs to no person" "$(owner)" '^0:[0-9]{9,} 664$'
like "ps shows who has it" "$(cb ps)" 'has torch: allow'
cb stop flashlight >/dev/null 2>&1
wait $job 2>/dev/null
kill $agent 2>/dev/null
wait $agent 2>/dev/null
is "the end of the app is the end of the light" "$(soon off lit)" off
is "and all is as it was" "$(owner)" "$was"
like "it got nothing else" "$(cat "$T/flash.out")" 'contacts: 0 found'
like "not the network" "$(cat "$T/flash.out")" 'ads.example.com: (Connection refused|Permission denied)'
like "history has it" "$(cb history flashlight)" 'used +torch +allow'

# It shone before: it shines again afterwards.
echo 1 >"$L/brightness"
is "the owner switches it on" "$(soon on lit)" on
is "the app switches it off" "$(sh_in flashlight "echo 0 >/sys/class/leds/$led/brightness && cat /sys/class/leds/$led/brightness")" 0
is "and afterwards it shines as before" "$(soon on lit)" on
echo 0 >"$L/brightness"

# Two at once.
app second
cb grant second torch allow >/dev/null
cb run --detach second -- sh -c "echo 1 >/sys/class/leds/$led/brightness; while :; do sleep 0.2; done" </dev/null >/dev/null 2>&1
is "a second app lights it" "$(soon on lit)" on
sh_in flashlight "cat /sys/class/leds/$led/brightness" >/dev/null
is "the first one's end does not switch it off" "$(lit)" on
unlike "nor change its owner" "$(owner)" '^0:0 '
ok "taking it back does" cb revoke second torch
is "at once" "$(soon off lit)" off
is "with all as it was" "$(soon "$was" owner)" "$was"
sh_in second "echo 1 >/sys/class/leds/$led/brightness" >"$T/again" 2>&1 &
job=$!
like "the next use asks" "$(waiting)" '"permission":"torch","label":"the torch"'
answer no >/dev/null
wait $job
is "and stays dark after a no" "$(lit)" off
cb stop second >/dev/null 2>&1

# Whoever holds it open is told of.
cb grant second torch allow >/dev/null
cb run --detach second -- sh -c "exec 5>/sys/class/leds/$led/brightness; echo 1 >&5; while :; do sleep 0.2; done" </dev/null >/dev/null 2>&1
is "held open" "$(soon on lit)" on
fails "revoke says that it is held" 1 "still holds" cb revoke second torch
is "and dark all the same" "$(soon off lit)" off
ok "--stop ends it" cb revoke --stop second torch

# What it must not.
cb grant second torch allow >/dev/null
is "the trigger is not the app's" "$(sh_in second "(echo timer >/sys/class/leds/$led/trigger) 2>&1 | sed 's/.*: //'")" "Permission denied"
is "a file in the group stays inside" "$(sh_in second 'echo x >~/f; chgrp 65536 ~/f && stat -c %g ~/f'; cb --json versions second "$H/f" | jq .versions[0].gid)" "65536
65534"
cb revoke second torch >/dev/null

# A kill leaves it lit; the next start does not.
cb grant second torch allow >/dev/null
cb run --detach second -- sh -c "echo 1 >/sys/class/leds/$led/brightness; while :; do sleep 0.2; done" </dev/null >/dev/null 2>&1
is "lit again" "$(soon on lit)" on
kill -9 "$pid"
wait "$pid" 2>/dev/null
pid=
BIN=$own/bin start --board lamp
is "a new start switches off what a killed one left" "$(soon off lit)" off
is "and gives it back" "$(owner)" "$was"
