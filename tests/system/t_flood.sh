# SPDX-License-Identifier: MIT
# Apps that flood what Cowbell remembers, and brokers that die in between.

children() { pgrep -P "$pid" -x "${1:0:15}"; }
broker_dies() {
	kill -9 $(children cowbell-broker)
	sleep 0.3
	for i in $(seq 100); do timeout 5 "$BIN/cowbell" --root "$R" ps >/dev/null 2>&1 && break; sleep 0.1; done
}

app flood
cb grant flood storage no >/dev/null
# A program that calls itself something else each time.
sh_in flood "python3 - <<'P'
import ctypes, os
libc = ctypes.CDLL(None)
for i in range(500):
    libc.prctl(15, b'name%d' % i, 0, 0, 0)
    try: os.listdir(os.environ['HOME'] + '/Documents')
    except OSError: pass
P"
n=$(cb --json history flood | jq -s '[.[] | select(.kind == "access")] | length')
ok "500 names make few entries ($n)" test "$n" -le 40
is "each use is counted" "$(cb --json history flood | jq -s '[.[] | select(.kind == "access") | .count] | add')" 500

# A thousand refused uses later the same number must not mean another question.
cb grant flood contacts ask >/dev/null
cb revoke flood storage >/dev/null
cb grant flood storage:Documents no >/dev/null
sh_in flood "ls ~/Music; touch ~/one; i=0; while [ ! -e ~/.go ] && [ \$i -lt 100 ]; do sleep 0.1; i=\$((i+1)); done
python3 - <<'P'
import os
for i in range(999):
    try: os.listdir(os.environ['HOME'] + '/Documents')
    except OSError: pass
os.listdir(os.environ['HOME'] + '/Pictures')
P
true" >/dev/null 2>&1 &
job=$!
first=$(waiting | jq .id)
python3 - "$R/run/cowbell/io.cowbell" "$first" <<'P'
import json, socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(json.dumps({'method': 'io.cowbell.Later', 'parameters': {'id': int(sys.argv[2])}}).encode() + b'\0'); s.recv(4096)
P
is "later leaves it unanswered" "$(cb --json prompts | jq -r '.prompts[] | select(.state == "unanswered") | .permission')" storage:Music
for i in $(seq 100); do cb exec flood -- touch "$H/.go" </dev/null 2>/dev/null && break; sleep 0.1; done
second=$(waiting | jq -c '[.id, .permission]')
is "the numbers met" "$second" "[$first,\"storage:Pictures\"]"
is "and one question has it" "$(cb --json prompts | jq "[.prompts[] | select(.id == $first)] | length")" 1
cb answer "$first" empty >/dev/null
wait $job
like "the answer went to what was asked" "$(cb --json history flood | jq -rs '.[] | select(.what == "answered") | .permission + " " + .answer' | tail -n 1)" 'storage:Pictures empty'
sh_in flood 'rm -f ~/.go' >/dev/null

# What was answered for this run stands for this run, whoever dies.
cb revoke flood storage >/dev/null
cb revoke flood storage:Documents >/dev/null
cb run --detach flood -- sh -c 'while :; do sleep 0.2; done' </dev/null >/dev/null 2>&1
in_run() { timeout 30 "$BIN/cowbell" --root "$R" exec flood -- sh -c "$1" </dev/null 2>&1; }
in_run 'ls ~/Documents' >/dev/null &
job=$!
answer no run >/dev/null
wait $job
in_run 'ls ~/Pictures' >/dev/null &
job=$!
answer read run >/dev/null
wait $job
like "refused for this run" "$(in_run 'ls ~/Documents')" 'Permission denied'
broker_dies
like "refused after the broker died, without a question" "$(in_run 'timeout 5 ls ~/Documents')" 'Permission denied'
is "nothing was asked" "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" 0
like "the answers of this run are known" "$(cb permissions flood)" 'storage'
cb revoke flood storage:Documents >/dev/null
broker_dies
in_run 'timeout 10 ls ~/Documents' >"$T/asked.out" &
job=$!
like "what was revoked is asked about" "$(waiting)" '"permission":"storage:Documents"'
answer read run >/dev/null
wait $job
is "and given" "$(tail -n 1 "$T/asked.out")" letter.txt
cb stop flood >/dev/null
sh_in flood 'ls ~/Documents' >/dev/null 2>&1 &
job=$!
like "the next run is asked anew" "$(waiting)" '"permission":"storage:Documents"'
answer no run >/dev/null
wait $job

# A hole of eight terabytes is no work for anybody.
sh_in flood 'truncate -s 8T ~/sparse; printf x | dd of=$HOME/sparse bs=1 seek=7000000000000 conv=notrunc 2>/dev/null'
ok "a huge sparse file is settled" timeout 20 "$BIN/cowbell" --root "$R" generations flood
first=$(cb --json versions flood "$H/sparse" | jq -r '.versions[-1].hash')
sh_in flood 'printf y | dd of=$HOME/sparse bs=1 seek=7000000000000 conv=notrunc 2>/dev/null; touch ~/more'
ok "and again when it was changed" timeout 20 "$BIN/cowbell" --root "$R" generations flood
second=$(cb --json versions flood "$H/sparse" | jq -r '.versions[-1].hash')
ok "a change in it is seen" test -n "$first" -a "$first" != "$second"
sh_in flood 'rm -f ~/sparse'

# Folders as deep and names as long as the kernel lets an app go.
sh_in flood "python3 - <<'P'
import os
os.chdir(os.environ['HOME'])
for name, depth in (('d', 1500), ('n' * 250, 40)):
    os.mkdir('deep' + name[0]); os.chdir('deep' + name[0])
    for i in range(depth):
        os.mkdir(name); os.chdir(name)
    os.chdir(os.environ['HOME'])
P"
ok "the app runs on" sh -c "timeout 30 '$BIN/cowbell' --root '$R' shell flood -c 'echo kept >~/kept' </dev/null"
sh_in flood 'rm -rf ~/deepd ~/deepn'
is "and is settled once they are gone" "$(cb cat flood "$H/kept")" kept

# Modes that lock everybody out, floods of attributes and links, odd nodes.
sh_in flood "python3 - <<'P'
import os, socket
os.chdir(os.environ['HOME']); os.mkdir('odd'); os.chdir('odd')
os.mkdir('locked'); open('locked/f', 'w').write('x'); os.chmod('locked/f', 0); os.chmod('locked', 0)
open('attr', 'w').write('x')
try:
    for i in range(2000): os.setxattr('attr', 'user.%d' % i, b'v' * 200)
except OSError: pass
for n in ('trusted.overlay.opaque', 'trusted.overlay.redirect', 'security.capability', 'user.overlay.opaque'):
    try: os.setxattr('attr', n, b'y')
    except OSError: pass
open('many', 'w').write('x')
for i in range(3000): os.link('many', 'l%d' % i)
os.mkfifo('fifo'); socket.socket(socket.AF_UNIX).bind('sock')
for n in (b'new\nline', b'\x1b]0;owned\x07', b'\xff\xfe', b'-rf', b'\xe2\x80\xae', b'a' * 255): open(n, 'w').write('x')
P"
ok "odd files are settled" timeout 60 "$BIN/cowbell" --root "$R" generations flood
unlike "no attribute of overlays came from the app" "$(find "$R/state/store/layers" -path '*/odd/attr' -exec getfattr -d -m - -h {} + 2>/dev/null)" '^(trusted|security)\.'
unlike "their names are shown safely" "$(cb versions flood; cb diff flood; cb info flood)" $'\033|\xff|\xe2\x80\xae'
ok "their names are JSON" sh -c "'$BIN/cowbell' --root '$R' --json versions flood | python3 -m json.tool >/dev/null"
ok "a mode of 000 goes back too" cb rollback flood
ok "and away" cb --yes uninstall flood
is "nothing of it is left" "$(cd "$R/state/store" && find layers trash tmp -mindepth 1 -maxdepth 1)" ""
