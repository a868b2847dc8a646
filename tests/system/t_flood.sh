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
