# SPDX-License-Identifier: MIT
# Who answers: several agents, scripts, a hook when nobody looks, a locked
# screen; and what history tells of it afterwards.

app toy || exit 1
asks() { # asks COMMAND: in the background; its words go to a file
	(cd / && exec "$BIN/cowbell" --root "$R" shell toy -c "$1") </dev/null >"$T/toy.out" 2>>"$T/notices" &
	toy=$!
}
until_file() { # until_file FILE TEXT
	for i in $(seq 80); do
		grep -qF -- "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	cat "$1"
	return 1
}

# --- a hook, while nobody looks

cb prompts --hook "echo \"\$COWBELL_ID \$COWBELL_APP \$COWBELL_PERMISSION \$COWBELL_ABOUT\" >>$T/hook" >"$T/hook.err" 2>&1 &
hook=$!
cb --json prompts --watch >"$T/watch" 2>&1 &
watch=$!
asks 'ls ~/Documents >/dev/null; echo rc $?'
ok "a question that nobody sees runs the hook" until_file "$T/hook" 'toy storage:Documents your files: Documents'
id=$(cut -d' ' -f1 "$T/hook" | head -n 1)
ok "which can answer it" cb answer "$id" read --for 1h
wait $toy
like "and the app goes on" "$(cat "$T/toy.out")" 'rc 0'
like "it is said when that ends" "$(cb permissions toy)" 'storage:Documents +read +1h .* until ([0-9]{2}:[0-9]{2})'
is "to the minute" "$(($(cb --json permissions toy | jq '[.permissions[] | select(.until > 0) | .until / 60000 | floor][0]') - $(date +%s) / 60 >= 58))" 1
ok "who watches hears the end too" until_file "$T/watch" '"state":"answered"'
cb revoke toy storage >/dev/null

# --- two agents; the screen's lock

: >"$T/hook"
printf 'toy contacts empty\n' >"$T/one"
printf 'toy storage:Music no for=1h\n' >"$T/two"
"$BIN/cowbell" --root "$R" --json prompts --watch >/dev/null &
idle=$!
cb agent --script "$T/one" >"$T/one.out" 2>&1 &
one=$!
until [ "$(cb --json prompts | jq -r '.prompts | length')" = 0 ]; do sleep 0.1; done
sleep 0.5
asks 'ls ~/.local/share/contacts; echo rc $?'
wait $toy
like "an agent's script answers" "$(cat "$T/toy.out")" 'rc 0'
is "a question that an agent sees runs no hook" "$(cat "$T/hook")" ''
ok "the screen is locked" cb agent --locked on
asks 'ls ~/Pictures >/dev/null; echo rc $?'
ok "then nobody looks, and the hook runs" until_file "$T/hook" 'storage:Pictures'
cb answer "$(tail -n 1 "$T/hook" | cut -d' ' -f1)" no >/dev/null
wait $toy
cb agent --locked off
kill $one $idle 2>/dev/null
wait $one $idle 2>/dev/null

# --- a script that expects just this, in this order

printf 'toy contacts copy for=1h\ntoy storage:Music empty  # its own\n' >"$T/exact"
cb agent --script "$T/exact" --exact >"$T/exact.out" 2>&1 &
exact=$!
sleep 0.5
asks 'ls ~/.local/share/contacts >/dev/null; ls ~/Music; echo done'
wait $toy
wait $exact
is "an exact script ends well when all was asked" $? 0
cb revoke toy contacts >/dev/null
printf 'toy storage:Music empty\ntoy contacts copy\n' >"$T/exact"
cb agent --script "$T/exact" --exact >"$T/exact.out" 2>&1 &
exact=$!
sleep 0.5
asks 'ls ~/.local/share/contacts >/dev/null; echo rc $?'
wait $exact
is "another order is a failure" $? 1
like "that says what came" "$(cat "$T/exact.out")" 'does not expect that toy asks for contacts now'
cb answer "$(waiting | jq .id)" no --for 1h >/dev/null
wait $toy
cb revoke toy contacts >/dev/null

# --- an agent that knows nothing but the socket

mkfifo "$T/agent.in"
python3 "$TOP/examples/agent/agent.py" --root "$R" <"$T/agent.in" >"$T/agent.out" 2>&1 &
agent=$!
exec 7>"$T/agent.in"
asks 'ls ~/.local/share/contacts; echo rc $?'
ok "it asks" until_file "$T/agent.out" 'toy wants your contacts (2 people)'
echo read >&7
ok "and answers" until_file "$T/toy.out" 'ada.vcf'
wait $toy
asks 'ls ~/Music; echo rc $?'
ok "it asks again" until_file "$T/agent.out" 'your files: Music'
echo perhaps >&7
ok "what is no answer is later" until_file "$T/toy.out" 'rc 2'
wait $toy
exec 7>&-
kill $agent 2>/dev/null
wait $agent 2>/dev/null

# --- one answer for all

asks 'ls ~/Music & ls ~/Videos & ls ~/Pictures & wait; echo all'
for i in $(seq 50); do [ "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" = 3 ] && break; sleep 0.1; done
ok "one answer for all of an app" cb answer "$(waiting | jq .id)" empty --all
ok "and all of it goes on" until_file "$T/toy.out" all
wait $toy
kill $hook $watch 2>/dev/null
wait $hook $watch 2>/dev/null

# --- what is used now

asks 'ls ~/.local/share/contacts; sleep 20'
cb answer "$(waiting | jq .id)" read >/dev/null
for i in $(seq 50); do cb permissions --in-use | grep -q contacts && break; sleep 0.1; done
like "what is in use now" "$(cb permissions --in-use)" 'contacts +read .*in use'
is "is all that is told" "$(cb --json permissions --in-use | jq '.permissions | length')" 1
ok "and taken back" cb revoke toy contacts
is "at once" "$(cb --json permissions --in-use | jq '.permissions | length')" 0
cb stop toy >/dev/null
wait $toy

# --- history

like "by app, folded, with a unit" "$(cb history --by-app)" 'storage:Documents: the real ones, no changes, in 1 run'
like "refused tries are there too" "$(cb history toy --by-permission)" 'toy|refused, 1 try'
like "decisions stand one by one" "$(cb history --permission contacts --by-app)" 'contacts: answered copy, 1 h'
like "in sentences" "$(cb history --summary)" 'toy was run [0-9]+ times'
like "for a month" "$(cb history --summary)" 'Your apps, since 30d ago'
is "as NDJSON: each line is an object" "$(cb --json history | jq -c type | sort -u)" '"object"'
n=$(cb --json history | wc -l)
is "in order of time" "$(cb --json history | jq .seq | sort -n | uniq | wc -l)" "$n"
is "nothing is older than asked for" "$(cb --json history --since 2099-01-01 | wc -l)" 0

# More than one reply holds.
for i in $(seq 260); do printf '{"method":"io.cowbell.Grant","parameters":{"app":"toy","permission":"contacts","answer":"%s","for":"1h"}}\0' "$([ $((i % 2)) = 0 ] && echo read || echo empty)"; done >"$T/calls"
for k in 1 2; do
	python3 - "$R/run/cowbell/io.cowbell" "$T/calls" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
for call in open(sys.argv[2], 'rb').read().split(b'\0')[:-1]:
    s.sendall(call + b'\0')
    r = b''
    while not r.endswith(b'\0'):
        r += s.recv(65536)
PY
done
is "all of a long history is told" "$(cb --json history | wc -l)" $((n + 520))
is "each once" "$(cb --json history | jq .seq | sort -n | uniq | wc -l)" $((n + 520))

# --- quiet mode, visible

asks 'for i in 1 2 3 4 5 6 7 8; do ls ~/Downloads >/dev/null 2>&1; sleep 0.2; done; sleep 10'
later() { printf '{"method":"io.cowbell.Later","parameters":{"id":%s}}\0' "$1" | timeout 5 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read()); print(s.recv(4096))' "$R/run/cowbell/io.cowbell" >/dev/null; }
later "$(waiting | jq .id)"
for i in $(seq 60); do [ "$(cb --json permissions toy | jq '[.permissions[] | select(.permission == "storage")][0].quiet')" -ge 3 ] && break; sleep 0.1; done
like "what is refused unasked is counted, for all to see" "$(cb permissions toy)" 'storage .*quiet: [0-9]+ refused unasked'
cb stop toy >/dev/null
wait $toy
