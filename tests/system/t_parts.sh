# SPDX-License-Identifier: MIT
# Real drivers behind the gates: a camera that makes pictures (vivid), a sound card
# (snd-aloop), and a GPS on a serial line whose other end this test holds (a USB
# gadget on dummy_hcd). What this test loads it unloads.

loaded=
load() { # load MODULE...: true if all of them are there
	local m
	for m in "$@"; do
		[ -d "/sys/module/${m//-/_}" ] && continue
		modprobe -q "$m" 2>/dev/null || return 1
		loaded="$m $loaded"
	done
}
gadget=
unload() {
	[ -z "$gadget" ] || {
		echo '' >"$gadget/UDC"
		rm -f "$gadget/configs/c.1/acm.0"
		rmdir "$gadget/configs/c.1" "$gadget/functions/acm.0" "$gadget" 2>/dev/null
	}
	# Only what nothing uses any more goes.
	for m in $loaded; do modprobe -qr "$m" 2>/dev/null; done
}
trap 'unload; on_exit' EXIT

make_gps() { # a serial line: /dev/ttyACM<n> for apps, /dev/ttyGS<n> for this test
	local port
	load dummy_hcd libcomposite usb_f_acm cdc-acm || return 1
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config || return 1
	gadget=/sys/kernel/config/usb_gadget/cowbell-test
	mkdir "$gadget" "$gadget/functions/acm.0" "$gadget/configs/c.1" || return 1
	echo 0x1d6b >"$gadget/idVendor"
	echo 0x0104 >"$gadget/idProduct"
	port=$(cat "$gadget/functions/acm.0/port_num")
	ln -s "$gadget/functions/acm.0" "$gadget/configs/c.1/"
	ls /dev/ttyACM* >"$T/before" 2>/dev/null
	ls /sys/class/udc | head -n 1 >"$gadget/UDC" || return 1
	gps_end=/dev/ttyGS$port
	for i in $(seq 50); do
		gps=$(ls /dev/ttyACM* 2>/dev/null | grep -vxFf "$T/before" | head -n 1)
		[ -z "$gps" ] || return 0
		sleep 0.1
	done
	return 1
}

camera= sound= gps=
load vivid && for v in /dev/video*; do
	[ "$(cat "/sys/class/video4linux/${v##*/}/name" 2>/dev/null)" != vivid-000-vid-cap ] || camera=$v
done
[ -n "$camera" ] || skip "the camera" "vivid"
load snd-aloop && sound=$(ls -d /dev/snd/pcmC*D0c 2>/dev/null | head -n 1)
[ -n "$sound" ] || skip "sound" "snd-aloop"
make_gps || { gps=; skip "the GPS" "a USB gadget (dummy_hcd, usb_f_acm, cdc-acm)"; }
[ -n "$camera$sound$gps" ] || return 0

own=$T/own
mkdir -p "$own/bin" "$own/share/cowbell/board/generic" "$own/share/cowbell/board/parts"
cp "$BIN"/cowbell* "$own/bin/"
printf 'model Any\noffer found\n' >"$own/share/cowbell/board/generic/profile"
{
	printf 'model Parts\ncontacts .local/share/contacts\ncamera /dev/video*\n'
	printf 'microphone /dev/snd/pcmC*D*c\nplayback /dev/snd/pcmC*D*p\nplayback /dev/snd/controlC*\n'
	printf 'gps %s\n' "${gps:-/dev/ttyACM0}"
} >"$own/share/cowbell/board/parts/profile"
stop
BIN=$own/bin start --board parts
cb() { "$own/bin/cowbell" --root "$R" "$@"; }
app part
ask() { # ask SCRIPT ANSWER -> output
	sh_in part "$1" >"$T/ask.out" 2>&1 &
	local job=$!
	answer "$2" >/dev/null || echo "not answered"
	wait $job
	cat "$T/ask.out"
}

if [ -n "$camera" ]; then
	is "no picture after a no" "$(ask "head -c 1000 $camera 2>&1 | sed 's/.*: //'" no)" "Permission denied"
	is "a picture after a yes" "$(ask "head -c 100000 $camera | wc -c" allow)" 100000
	is "two pictures differ: it is the camera" "$(ask "exec 5<$camera; head -c 460800 <&5 | sha256sum >/tmp/a; head -c 460800 <&5 | sha256sum >/tmp/b; cmp -s /tmp/a /tmp/b; echo \$?" allow)" 1
	cb grant part camera allow >/dev/null
	cb run --detach part -- sh -c "exec 5<$camera; touch ~/ready; while :; do sleep 0.2; done" </dev/null >/dev/null 2>&1
	for i in $(seq 100); do cb exec part -- test -e "$H/ready" </dev/null 2>/dev/null && break; sleep 0.1; done
	fails "whoever films is told of when it is taken back" 1 "still holds" cb revoke part camera
	ok "and stopped" cb revoke --stop part camera
fi

info='import array, fcntl, sys; b = array.array("B", bytes(288)); fd = open(sys.argv[1], "rb", buffering=0); fcntl.ioctl(fd, 0x81204101, b, True); print(bytes(b)[16:80].split(b"\0")[0].decode())'
if [ -n "$sound" ]; then
	is "no sound is heard after a no" "$(ask "dd if=$sound count=1 2>&1 | sed -n 's/.*: //p'" no)" "Permission denied"
	is "the microphone is the card's" "$(ask "python3 -c '$info' $sound" allow)" "$(python3 -c "$info" "$sound")"
	like "the loudspeaker is another question" "$(sh_in part "exec 5<>${sound%c}p" >/dev/null 2>&1 & waiting; answer no >/dev/null; wait)" '"permission":"playback","label":"the loudspeaker"'
fi

if [ -n "$gps" ]; then
	stty -F "$gps_end" raw -echo
	(for i in $(seq 300); do echo '$GPRMC,120000,A,4807.038,N,01131.000,E'; sleep 0.1; done) >"$gps_end" &
	speaker=$!
	is "no position after a no" "$(ask "head -n 1 $gps 2>&1 | sed 's/.*: //'" no)" "Permission denied"
	is "where it is, after a yes" "$(ask "stty -F $gps raw -echo; grep -m 1 -o 'GPRMC,120000,A,4807.038,N' <$gps" allow)" "GPRMC,120000,A,4807.038,N"
	like "history has where it was asked" "$(cb history part --permission gps)" 'used +gps +allow'
	kill $speaker
	wait $speaker 2>/dev/null
fi
