# SPDX-License-Identifier: MIT
# Nobody answers: refused for now, nothing stored, said once how to answer; and
# who asks again and again is not asked about any more.

app calm
app pest
cb run --detach pest -- sleep 600 >/dev/null

look() { (cd / && timeout 100 "$BIN/cowbell" --root "$R" exec pest -- sh -c 'ls ~/Music' </dev/null 2>&1); }
later() { # the person pressed Esc
	python3 - "$R/run/cowbell/io.cowbell" "$1" <<'P'
import json, socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(json.dumps({'method': 'io.cowbell.Later', 'parameters': {'id': int(sys.argv[2])}}).encode() + b'\0')
s.recv(4096)
P
}

# With no agent there, a question waits for a minute.
timeout 100 "$BIN/cowbell" --root "$R" shell calm -c 'ls ~/Documents; echo "status $?"; ls ~/Documents; echo again' \
	</dev/null >"$T/calm.out" 2>"$T/calm.err" &
calm=$!
id=$(cb --json prompts --wait | head -n 1 | jq .id)
is "it is asked about" "$(cb --json prompts | jq -r '.prompts[] | select(.state == "waiting") | .permission')" storage:Documents

# Meanwhile another one asks, and is sent away, three times.
for i in 1 2 3; do
	look >"$T/pest.out" &
	job=$!
	n=
	for k in $(seq 100); do
		n=$(cb --json prompts | jq '[.prompts[] | select(.app == "pest" and .state == "waiting")][0].id // empty')
		[ -z "$n" ] || break
		sleep 0.1
	done
	later "$n"
	wait $job
	like "sent away, time $i" "$(cat "$T/pest.out")" 'Permission denied'
	is "refused at once a moment later, time $i" "$(look; cb --json prompts | jq '[.prompts[] | select(.app == "pest" and .state == "waiting")] | length')" \
		"$(printf "ls: cannot open directory '%s/Music': Permission denied\n0" "$H")"
	[ $i = 3 ] || sleep 11
done
sleep 11
like "the fourth time it is refused without a question" "$(look)" 'Permission denied'
is "nothing waits of it" "$(cb --json prompts | jq '[.prompts[] | select(.app == "pest" and .state == "waiting")] | length')" 0
ok "each try is counted" test "$(cb --json history pest | jq -s '[.[] | (.history // [.])[] | select(.answer == "no" and .kind == "access") | .count] | add')" -ge 7
like "another gate of it is still asked about" "$(
	timeout 20 "$BIN/cowbell" --root "$R" exec pest -- sh -c 'ls ~/Videos' </dev/null >/dev/null 2>&1 &
	sleep 1
	cb prompts
)" 'Videos'

wait $calm
is "it was refused, twice, and went on" "$(cat "$T/calm.out")" "$(printf 'status 2\nagain')"
is "how to answer was said once" "$(grep -c "cowbell answer $id " "$T/calm.err")" 1
like "and that nobody did, with what grants it" "$(cat "$T/calm.err")" 'nobody answered: calm was refused .*cowbell grant calm storage:Documents ANSWER'
like "nothing is stored" "$(cb explain calm storage:Documents)" 'is ask'
is "it stands as unanswered" "$(cb --json prompts | jq -r '.prompts[] | select(.app == "calm") | .state')" unanswered
ok "and can be answered for next time" cb answer "$id" read --for always
is "which then holds" "$(sh_in calm 'ls ~/Documents')" letter.txt
cb stop pest >/dev/null

# An app that went leaves no question that the next of its name would profit from.
id=$(cb --json prompts | jq '[.prompts[] | select(.app == "pest" and .state == "unanswered")][0].id')
is "one line for one question" "$(cb --json prompts | jq '[.prompts[] | select(.app == "pest") | .permission] | (length) - (unique | length)')" 0
cb --yes uninstall pest >/dev/null
is "no question of it is left" "$(cb --json prompts | jq '[.prompts[] | select(.app == "pest")] | length')" 0
fails "nor can one be answered" 1 "no question" cb answer "$id" write --for always
app pest
like "the next of its name begins with nothing" "$(cb explain pest storage:Music)" 'is ask'
unlike "also its tries are its own" "$(cb permissions pest)" tried
