# SPDX-License-Identifier: MIT
# Devices: held at the first open, native afterwards, counted, taken back. This
# kernel's own harmless nodes stand in for a camera and a microphone here, and the
# loopback interface's folder for a sensor; LEDs, vivid and sound are tried where
# the kernel has them.

own=$T/own
mkdir -p "$own/bin" "$own/share/cowbell/board/generic" "$own/share/cowbell/board/mine"
cp "$BIN"/cowbell* "$own/bin/"
printf 'model Any\noffer found\n' >"$own/share/cowbell/board/generic/profile"
cat >"$own/share/cowbell/board/mine/profile" <<'P'
model      A device of this test
camera     /dev/fuse
camera     /dev/cowbell-absent
microphone /dev/net/tu?
gps        /dev/cowbell-absent-*
sensors    /sys/class/net/lo
contacts   .local/share/contacts
P
stop
modprobe -qa fuse tun 2>/dev/null
[ -c /dev/fuse ] && [ -c /dev/net/tun ] || { skip "device nodes" "/dev/fuse or /dev/net/tun"; exit 0; }
BIN=$own/bin start --board mine
cb() { "$own/bin/cowbell" --root "$R" "$@"; }
app dev
features='import fcntl,os; fd = os.open("/dev/net/tun", os.O_RDWR); b = bytearray(4); fcntl.ioctl(fd, 0x800454cf, b); print(int.from_bytes(b, "little") != 0)'
see() { sed 's/.*: //' "$1" | tr '\n' ' '; }

ask() { # ask SCRIPT ANSWER [FOR] -> output
	sh_in dev "$1" >"$T/ask.out" 2>&1 &
	local job=$!
	answer "$2" "${3:-run}" >"$T/says" || echo "not answered"
	wait $job
	cat "$T/ask.out"
}

# --- what is there before anything is given
is "a node is a name that leads to a gate" "$(sh_in dev 'readlink /dev/fuse; readlink /dev/net/tun' | tr '\n' ' ')" "/dev/.gate/camera/fuse /dev/.gate/microphone/tun "
is "a node that is named and may come later has its name, too" "$(sh_in dev 'readlink /dev/cowbell-absent')" "/dev/.gate/camera/cowbell-absent"
is "names cannot be taken away" "$(sh_in dev 'rm -f /dev/fuse 2>/dev/null; ln -sT /dev/null /dev/fuse 2>/dev/null; readlink /dev/fuse')" "/dev/.gate/camera/fuse"
is "nor nodes be made" "$(sh_in dev 'mknod /tmp/n c 10 229 2>/dev/null; mknod /dev/n c 10 229 2>/dev/null; mknod /dev/.gate/n c 10 229 2>/dev/null; ls /tmp')" ""

# --- answers
is "no is a clean error" "$(ask 'cat /dev/fuse 2>&1 | sed "s/.*: //"' no)" "Permission denied"
like "the question says what it is" "$(sh_in dev 'cat /dev/fuse' >/dev/null 2>&1 & waiting; cb answer "$(cb --json prompts | jq '.prompts[0].id')" no >/dev/null; wait)" '"permission":"camera","label":"the camera","about":"the camera"'
is "allow gives the node" "$(ask "python3 -c '$features'" allow)" True
is "what was said reads well" "$(cat "$T/says")" "dev can use the microphone until it ends. Change it: cowbell permissions dev"
is "the node is the app's own, and of the same number" "$(ask 'exec 5<>/dev/net/tun; stat -L -c "%F %u %a %t:%T" /dev/net/tun' allow)" "character special file $UID_OWNER 600 a:c8"
is "it cannot be given to others, or taken away" "$(ask 'exec 5<>/dev/net/tun; chmod 666 /dev/net/tun 2>&1 | sed "s/.*: //"; rm /dev/.gate/microphone/tun 2>&1 | sed "s/.*: //"; touch /dev/.gate/microphone/x 2>&1 | sed "s/.*: //"' allow | sort -u)" "Read-only file system"
is "one permission opens no other" "$(ask 'exec 5<>/dev/net/tun; timeout 1 cat /dev/fuse; echo $?' allow)" 124
is "opening with create works as on a host" "$(ask 'exec 5<>/dev/net/tun && echo opened' allow)" opened

# --- ten at once, one question
sh_in dev 'for i in $(seq 10); do (exec 5<>/dev/net/tun && echo in) & done; wait' >"$T/ten.out" &
job=$!
waiting >/dev/null
sleep 0.3
is "ten programs make one question" "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" 1
answer allow >/dev/null
wait $job
is "one answer lets all of them in" "$(grep -c in "$T/ten.out")" 10

# --- what cannot be given
like "a device that is not there now: an error, and the reason" "$(cb grant dev gps allow >/dev/null; cb shell dev -c 'cat /dev/.gate/gps/x 2>&1 | sed "s/.*: //"' </dev/null 2>&1)" 'No such device'
like "told to the person" "$(cb shell dev -c 'cat /dev/.gate/gps/x' </dev/null 2>&1)" 'could not be given your position \(GPS\): no gps is there now'
cb revoke dev gps >/dev/null
fails "a copy of a camera" 1 "'copy' is no answer for camera (no, ask, allow)" cb grant dev camera copy
fails "a device that this board has not" 1 "'modem' is not a permission of this device (the board 'mine' has none" cb grant dev modem allow
unlike "it is not spoken of" "$(cb permissions dev)" modem
like "those that it has are" "$(cb permissions dev | tr '\n' ' ')" 'camera +ask.*microphone +ask.*gps +ask.*sensors +ask'
like "the plan has the gates" "$(cb plan dev)" 'gate +camera at /dev/.gate/camera'

# --- folders in /sys
is "a device's folder is held, and read-only" "$(ask 'cat /sys/class/net/lo/address; (echo 1 >/sys/class/net/lo/ifalias) 2>&1 | sed "s/.*: //"' allow | tr '\n' ' ')" "00:00:00:00:00:00 Read-only file system "
is "nothing else of /sys is there" "$(sh_in dev 'ls /sys /sys/class/net | tr "\n" " "')" "/sys: class devices fs  /sys/class/net: lo "

# --- remembered, counted, taken back
is "an answer for good is remembered" "$(ask "python3 -c '$features'" allow always; sh_in dev "python3 -c '$features'")" "True
True"
like "history has it" "$(cb history dev --permission microphone)" 'used +microphone +allow'
cb run --detach dev -- sh -c 'exec 5<>/dev/net/tun; touch ~/ready; while :; do sleep 0.1; done' </dev/null >/dev/null 2>&1
for i in $(seq 50); do cb exec dev -- test -e "$H/ready" </dev/null 2>/dev/null && break; sleep 0.1; done
like "ps shows what it has" "$(cb ps)" 'has microphone: allow'
# The shell, and its sleep if one runs just now.
fails "revoke tells what still holds it" 1 "still holds" cb revoke dev microphone
like "and the next open asks" "$(cb exec dev -- sh -c 'exec 6<>/dev/net/tun' </dev/null >/dev/null 2>&1 & waiting)" '"permission":"microphone"'
answer no >/dev/null
ok "revoke and stop ends the holder" cb revoke --stop dev microphone
is "nothing of it runs" "$(cb --json ps | jq '.sessions | length')" 0

# --- a policy of lines
mkdir -p "$R/etc/policy.d"
echo 'dev camera allow for=always enforce' >"$R/etc/policy.d/10-kiosk.rules"
stop
BIN=$own/bin start --board mine
is "a policy file can give a device" "$(sh_in dev 'exec 5<>/dev/fuse && echo opened')" opened
like "explain names it" "$(cb explain dev camera)" 'camera is allow .*10-kiosk.rules:1'

# --- installers
is "an installer gets none" "$(cb install --name inst -- sh -c 'cat /dev/fuse 2>&1 | sed "s/.*: //"; id -G; touch /opt/x' </dev/null 2>&1 | tr '\n' ' ' | grep -o 'Permission denied 0 ')" "Permission denied 0 "
