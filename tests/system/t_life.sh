# SPDX-License-Identifier: MIT
# Commands, their callers, and private copies that are to be forgotten.

MAY_CHANGE=Documents

app life
# --- detached from a terminal that then goes away

timeout 20 script -qec "stty -echo; \"$BIN/cowbell\" --root \"$R\" run --detach life -- sh -c 'tty; exec sleep 500'; sleep 0.2" /dev/null </dev/null >"$T/terminal" 2>&1
is "what is detached outlives the terminal that it was started from" "$(cb --json ps | jq '[.sessions[] | select(.app == "life") | .commands] | flatten | length')" 1
is "and has none: nothing of it comes there" "$(grep -c 'pts\|not a tty' "$T/terminal")" 0
cb stop life >/dev/null

cb run --detach life -- sleep 500 </dev/null >/dev/null 2>&1
is "a program that is not there is 127" "$(cb exec life -- /no/such/program </dev/null >/dev/null 2>&1; echo $?)" 127
fails "and says so" 127 "No such file" cb exec life -- /no/such/program
is "one that cannot be run is 126" "$(cb exec life -- /etc/hostname </dev/null >/dev/null 2>&1; echo $?)" 126
is "a second run joins the session" "$(cb run life -- echo joined </dev/null 2>/dev/null)" joined
is "there is one session" "$(cb --json ps | jq '[.sessions[] | select(.app == "life")] | length')" 1
is "it goes on after the second ended" "$(cb exec life -- echo still </dev/null 2>/dev/null)" still
cb stop life >/dev/null

"$BIN/cowbell" --root "$R" run life -- sh -c 'trap "" HUP TERM; while :; do sleep 0.2; done' </dev/null >/dev/null 2>&1 &
job=$!
sleep 0.6
kill -9 $job
wait $job 2>/dev/null
for i in $(seq 60); do [ "$(cb --json ps | jq '.sessions | length')" = 0 ] && break; sleep 0.1; done
is "an app whose caller was killed ends" "$(cb --json ps | jq '.sessions | length')" 0
is "signals reach the app" "$(timeout -s INT 1 "$BIN/cowbell" --root "$R" run life -- sh -c 'trap "echo interrupted; exit 9" INT; while :; do sleep 0.1; done' </dev/null 2>/dev/null)" interrupted

# A private copy for good, versioned with the app, and forgotten on demand.
cb grant life storage:Documents copy >/dev/null
is "a private copy" "$(sh_in life 'cat ~/Documents/letter.txt; echo mine >~/Documents/letter.txt')" "dear diary"
is "it stays with the app" "$(sh_in life 'cat ~/Documents/letter.txt')" mine
is "the original does not change" "$(cat "$H/Documents/letter.txt")" "dear diary"
ok "it is in the store" grep -rqs mine "$R/state/store/layers"
ok "revoke --forget" cb revoke --forget life storage:Documents
is "it is nowhere in the store" "$(grep -rls -e mine -e 'dear diary' "$R/state/store" | wc -l)" 0
cb grant life storage:Documents copy >/dev/null
is "the next copy is of now" "$(sh_in life 'cat ~/Documents/letter.txt')" "dear diary"
cb revoke life storage:Documents >/dev/null
dd if=/dev/zero of="$H/Documents/big" bs=1M count=300 status=none
cb grant life storage:Documents copy >/dev/null
is "a folder that is too large for a copy is refused" "$(sh_in life 'ls ~/Documents 2>&1 | sed "s/.*: //"')" "Permission denied"
like "and it says why" "$(cat "$T/notices")" 'more than a private copy may'
rm "$H/Documents/big"
is "nothing of the torn copy is left" "$(find "$R/state/store" -name big | wc -l)" 0

# Lock and unlock; an answer given while it runs.
cb grant life contacts empty >/dev/null
ok "lock" cb lock life contacts
like "explain says so" "$(cb explain life contacts)" 'decided by lock'
ok "unlock" cb unlock life contacts
fails "nothing to lock" 1 "no answer to lock" cb lock life storage:Music
cb run --detach life -- sleep 500 </dev/null >/dev/null 2>&1
is "empty now" "$(cb exec life -- sh -c 'ls $HOME/.local/share/contacts | wc -l' </dev/null 2>/dev/null)" 0
cb grant life contacts read >/dev/null
is "and real after a new answer, in the same session" "$(cb exec life -- sh -c 'ls $HOME/.local/share/contacts | wc -l' </dev/null 2>/dev/null)" 2
cb stop life >/dev/null
fails "the network is not given as a folder" 1 "'read' is no answer for network (no, ask, allow, chosen)" cb grant life network read
fails "a destination has one spelling" 1 "names no destination" cb grant life network:https://example.com/ allow
ok "hosts are given by name" cb grant life network chosen --item Example.COM. --item 203.0.113.10:443
like "in one spelling" "$(cb permissions life)" '^network:example.com +allow'
cb revoke life network >/dev/null

# Policy files of the admin.
stop
mkdir -p "$R/etc/policy.d"
printf '# kiosk\nlife contacts no enforce # not on this device\n* storage:Music empty\n' >"$R/etc/policy.d/10-kiosk.rules"
start
like "an enforced rule stands above the owner's answer" "$(cb explain life contacts)" 'is no.*enforced policy.*10-kiosk.rules:2'
like "a default below it" "$(cb explain life storage:Music)" 'is empty.*policy.*10-kiosk.rules:3'
stop
echo 'life contacts maybe' >"$R/etc/policy.d/20-broken.rules"
start
like "of a broken file nothing below may give" "$(cb explain life storage:Pictures)" 'is no, decided by broken policy'
like "and the log names the line" "$(daemon_log)" "20-broken.rules:1: 'maybe' is not an answer"
rm -r "$R/etc/policy.d"
