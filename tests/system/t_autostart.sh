# SPDX-License-Identifier: MIT
# Apps that run by themselves: with the system, again when they fall over, and
# what they write.

. tests/system/apart.sh

service() { # service NAME BODY: an app whose program is a shell script
	printf '#!/bin/sh\n%s\n' "$2" >"$T/$1.body"
	mkdir -p "$T/$1.dir"
	cp "$T/$1.body" "$T/$1.dir/body"
	cb install --name "$1" --with "$T/$1.dir" -- sh -c "cp $T/$1.dir/body /usr/local/bin/$1 && chmod 755 /usr/local/bin/$1" </dev/null >"$T/install.out" 2>&1 ||
		cat "$T/install.out"
}

service steady 'echo "up as $(id -u)"; printf "esc\\033[2J\\n"; sleep 1000'
service weak 'echo "run $(cat ~/n 2>/dev/null)"; echo "again$(cat ~/n 2>/dev/null)" >~/n; exit 3'
service once 'echo did it; exit 0'
service asker 'ls ~/Documents; echo "rc $?"; sleep 1000'
service loud 'i=0; while [ $i -lt 3000 ]; do echo "line $i of a program that says too much to be kept"; i=$((i + 1)); done; sleep 1000'

ok "on: it runs, with no terminal" cb autostart steady on
ok "what it writes is kept" until_log steady 'up as 1000'
like "and cannot draw on a terminal" "$(cb logs steady)" 'esc\\x1b\[2J'
is "it is told of the app" "$(cb --json info steady | jq .app.autostart)" true
like "and stands in history" "$(cb history steady)" 'autostart on'

ok "what falls over" cb autostart weak on
ok "is started again, after a moment" until_log weak 'started again in 1 s'
ok "each time later" until_log weak 'started again in 2 s'
like "with the reason" "$(cb logs weak)" 'it ended .status 3.'
like "its state stays" "$(cb logs weak)" 'run again'
ok "off" cb autostart weak off
sleep 0.3
n=$(cb logs weak | grep -c '^run')
sleep 2.5
is "it is not started again" "$(cb logs weak | grep -c '^run')" "$n"

cb autostart once on >/dev/null
ok "what is done is not started again" until_log once 'it ended, done'
sleep 1.3
is "once was once" "$(cb logs once | grep -c 'did it')" 1

cb autostart loud on >/dev/null
ok "the log has a bound" until_log loud 'line 2999'
like "that is told" "$(cb logs loud | head -n 1)" '[0-9]+ earlier bytes are not kept'
is "and holds" "$([ "$(cb logs loud | wc -c)" -lt 70000 ] && echo yes)" yes
unlike "no line lacks its beginning" "$(cb logs loud | sed 1d)" '^(ine|ne|e|[0-9]| of)'

ok "stopped by its person" cb stop loud
sleep 1.5
ok "it stays so" until_gone loud

# --- nobody is there to answer a service

cb autostart asker on >/dev/null
ok "a service's question is refused, without the minute that a person has" until_log asker 'rc 2'
like "its log says so, and what grants it" "$(cb logs asker)" 'nobody answered: asker was refused .*cowbell grant asker storage:Documents ANSWER'
like "nothing is stored" "$(cb explain asker storage:Documents)" 'is ask'
id=$(cb --json prompts | jq '[.prompts[] | select(.app == "asker" and .state == "unanswered")][0].id')
ok "it can be answered for next time" cb answer "$id" read --for always
cb stop asker >/dev/null
until_gone asker
cb autostart asker on >/dev/null
ok "and then has it" until_log asker 'letter.txt'
cb revoke asker storage >/dev/null
timeout 20 "$BIN/cowbell" --root "$R" exec asker -- sh -c 'ls ~/Documents' </dev/null >"$T/exec.out" 2>"$T/exec.err" &
job=$!
id=$(waiting | jq .id)
like "who joins a service has the minute" "$(cb --json prompts | jq -r '.prompts[] | select(.app == "asker") | .state')" waiting
ok "and is answered" cb answer "$id" read
wait $job
is "in it" "$(cat "$T/exec.out")" letter.txt
cb autostart asker off >/dev/null
cb stop asker >/dev/null

# --- the broker dies; the system is started anew

kill -9 "$(pgrep -P "$pid" -x cowbell-broker)"
for i in $(seq 50); do cb list >/dev/null 2>&1 && break; sleep 0.1; done
is "what outlived the broker is not started twice" "$(cb --json ps | jq '[.sessions[] | select(.app == "steady") | .commands[]] | length')" 1
stop
start
ok "with the system it starts" until_runs steady
ok "and what was stopped does too" until_runs loud
ok "what is off does not" until_gone weak
cb stop steady >/dev/null
ok "stopped" until_gone steady

ok "one that is uninstalled" cb --yes uninstall --stop loud
stop
start
sleep 0.5
unlike "does not come back" "$(cb --json list)" '"loud"'
service loud 'echo another; sleep 1000'
is "another of its name inherits nothing" "$(cb --json info loud | jq .app.autostart)" false
is "not even its log" "$(cb logs loud)" ''
fails "no such app" 1 'there is no app of this name' cb autostart nothing on
fails "a word that is neither" 2 'APP on|off' cb autostart steady maybe
cb stop steady >/dev/null 2>&1
true
