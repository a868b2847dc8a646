# SPDX-License-Identifier: MIT
# Every process of the family is killed at awkward moments: nothing opens,
# nothing is lost, nothing false is stored.

app mortal
children() { pgrep -P "$pid" -x "${1:0:15}"; } # a process name has 15 characters
guarding() { # supervisors that have an app, not the spare
	for p in $(children cowbell-supervisor); do
		for c in $(pgrep -P "$p"); do pgrep -P "$c" >/dev/null && echo "$p"; done
	done | head -n 1
}

# The broker, while a question waits.
sh_in mortal 'ls ~/.local/share/contacts | wc -l' >"$T/held.out" &
job=$!
id=$(waiting | jq .id)
kill -9 $(children cowbell-broker)
for i in $(seq 50); do cb ps >/dev/null 2>&1 && break; sleep 0.1; done
is "a new broker asks the same question under the same number" "$(waiting | jq .id)" "$id"
ok "it can be answered" cb answer "$id" read
sleep 0.5
like "the session still runs or has ended by itself" "$(daemon_log)" 'the broker ended'
wait $job 2>/dev/null
cb stop mortal >/dev/null 2>&1

# What was given stays given.
cb grant mortal contacts read >/dev/null
cb run --detach mortal -- sh -c 'ls ~/.local/share/contacts >~/first; while [ ! -e ~/go ]; do sleep 0.1; done; ls ~/.local/share/contacts >~/second; sleep 100' </dev/null >/dev/null 2>&1
for i in $(seq 50); do cb exec mortal -- test -s "$H/first" </dev/null 2>/dev/null && break; sleep 0.1; done
kill -9 $(children cowbell-broker)
for i in $(seq 50); do cb ps >/dev/null 2>&1 && break; sleep 0.1; done
like "the session outlives its broker" "$(cb ps)" '^mortal'
cb exec mortal -- touch "$H/go" </dev/null
for i in $(seq 50); do cb exec mortal -- test -s "$H/second" </dev/null 2>/dev/null && break; sleep 0.1; done
is "and keeps what it was given" "$(cb exec mortal -- sh -c 'wc -l <$HOME/second' </dev/null 2>/dev/null)" 2
ok "it can be stopped" cb stop mortal
ok "its changes became a generation" test "$(cb --json generations mortal | jq '.generations | length')" -ge 2
cb revoke mortal contacts >/dev/null

# The supervisor.
cb run --detach mortal -- sh -c 'echo x >~/unclean; sleep 1000' </dev/null >/dev/null 2>&1
sleep 0.3
app_pid=$(pgrep -f 'sleep 1000' | head -n 1)
kill -9 "$(guarding)"
for i in $(seq 30); do kill -0 "$app_pid" 2>/dev/null || break; sleep 0.1; done
fails "the app dies with its supervisor" 1 "" kill -0 "$app_pid"
is "what it wrote is kept, marked unclean" "$(cb --json generations mortal | jq -r '.generations[-1].kind')" unclean
is "and there in the next session" "$(sh_in mortal 'cat ~/unclean')" x

# A held app whose supervisor dies gets nothing.
sh_in mortal 'ls ~/.local/share/contacts' >"$T/never.out" 2>/dev/null &
job=$!
waiting >/dev/null
kill -9 "$(guarding)"
wait $job
is "a held app sees nothing" "$(cat "$T/never.out")" ""
is "its question is withdrawn" "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" 0

# The keeper, while it settles: the next start finds what is left.
sh_in mortal 'i=0; while [ $i -lt 3000 ]; do echo $i >~/many$i; i=$((i+1)); done' &
job=$!
for i in $(seq 2000); do k=$(children cowbell-keeper); [ -n "$k" ] && kill -9 $k 2>/dev/null && break; sleep 0.005; done
wait $job
is "the files of a session whose keeper was killed are not lost" "$(sh_in mortal 'ls ~ | grep -c ^many')" 3000

# cowbelld itself.
cb run --detach mortal -- sh -c 'echo y >~/last; sleep 1000' </dev/null >/dev/null 2>&1
sleep 0.3
kids=$(pgrep -P "$pid")
kill -9 "$pid"
wait "$pid" 2>/dev/null
for i in $(seq 50); do [ -z "$(for k in $kids; do kill -0 "$k" 2>/dev/null && [ "$(cut -d' ' -f3 "/proc/$k/stat" 2>/dev/null)" != Z ] && echo "$k"; done)" ] && break; sleep 0.1; done
is "everything ends with cowbelld" "$(for k in $kids; do kill -0 "$k" 2>/dev/null && [ "$(cut -d' ' -f3 "/proc/$k/stat" 2>/dev/null)" != Z ] && echo "$k"; done)" ""
is "no app is left" "$(pgrep -fc 'sleep 1000')" 0
is "no mount is left" "$(grep -c "$T" /proc/self/mounts)" 0
start
is "what the last session wrote is kept" "$(sh_in mortal 'cat ~/last')" y
ok "grants and history are whole" cb history mortal

# Grants and generations that were acknowledged are there after any kill.
for i in $(seq 5); do
	cb grant mortal storage:Music read >/dev/null && said=read
	sh_in mortal "echo $i >~/count" && count=$i
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	start
	like "round $i: an acknowledged answer stands" "$(cb explain mortal storage:Music)" "is $said"
	is "round $i: so does what the app wrote" "$(sh_in mortal 'cat ~/count')" "$count"
	cb revoke mortal storage:Music >/dev/null
done

# An install that is cut off.
cb install --name half -- sh -c 'touch /opt/half; sleep 1000' </dev/null >/dev/null 2>&1 &
job=$!
sleep 0.7
kill -9 "$pid"
wait "$pid" "$job" 2>/dev/null
start
sleep 0.5
fails "an install that was cut off is gone" 1 "no app of this name" cb info half
cb --yes uninstall mortal >/dev/null
is "and so are its files" "$(cd "$R/state/store" && find layers trash tmp -mindepth 1 -maxdepth 1)" ""
