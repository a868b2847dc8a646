# SPDX-License-Identifier: MIT
# What an app was given for good and does not use is asked again, after it was said.

# The device was on for days of which no app used anything.
age() { build/bin/store-probe age "$(dirname "$(find "$R" -name data.mdb)")" "$1"; }
days_pass() {
	stop
	age "$1" || echo "not ok time passes"
	start
}
answer_of() { cb --json permissions "$1" | jq -r --arg p "$2" '.permissions[] | select(.permission == $p) | .answer'; }

app idle || exit 1
app other || exit 1
cb grant idle contacts read >/dev/null
cb grant idle storage:Documents write >/dev/null
cb grant idle storage:Music empty >/dev/null
cb grant idle storage:Pictures copy >/dev/null
cb grant idle storage:Videos no >/dev/null
cb grant idle network:example.org allow >/dev/null
cb grant idle background allow >/dev/null
cb grant other contacts read >/dev/null
cb lock other contacts >/dev/null
mkdir -p "$R/etc/policy.d"
printf '* storage:Downloads read\n' >"$R/etc/policy.d/10-house.rules"

like "answers lapse after 90 days unless told otherwise" "$(cb lapse)" '^What was not used for 90 days of this device being on is asked again.$'
days_pass 70
unlike "after 70 nothing is said" "$(cb permissions)" lapse
is "a use" "$(sh_in idle 'ls ~/.local/share/contacts | wc -l')" 2
days_pass 10
like "what will go is said before" "$(cb permissions idle)" 'storage:Documents +write +always .*lapses in 10 days unless used'
unlike "what was used since is not" "$(cb permissions idle)" '^contacts .*lapses'
unlike "nor what gives nothing of its owner's now" "$(cb permissions idle)" '(Music|Pictures|Videos) .*lapses'
unlike "nor what is locked" "$(cb permissions other)" lapses
like "in the month's summary too" "$(cb history --summary)" 'idle: storage:Documents \(write\), in 10 days'
days_pass 9
is "until then it holds" "$(sh_in idle 'ls ~/Music | wc -l'; answer_of idle storage:Documents)" "$(printf '0\nwrite')"
days_pass 1
is "then it is asked again" "$(answer_of idle storage:Documents)" ask
is "a host too" "$(answer_of idle network:example.org)" ask
is "and the background" "$(answer_of idle background)" ask
is "what was used in between stays" "$(answer_of idle contacts)" read
is "what gives nothing stays" "$(answer_of idle storage:Music) $(answer_of idle storage:Videos) $(answer_of idle storage:Pictures)" 'empty no copy'
is "what is locked stays" "$(answer_of other contacts)" read
like "policy is not an answer" "$(cb explain idle storage:Downloads)" 'is read .*decided by policy'
like "it is explained" "$(cb explain idle storage:Documents)" 'is ask, decided by nobody: you said write; unused for long, it lapsed on [0-9]{4}-'
like "and stands in history" "$(cb history idle)" 'lapsed +storage:Documents +ask \(not used for 90 days\)'
like "in sentences" "$(cb history --summary)" 'It did not use storage:Documents for long: your answer lapsed'
fails "there is nothing left to lock" 1 'there is no answer to lock' cb lock idle storage:Documents

timeout 60 "$BIN/cowbell" --root "$R" shell idle -c 'ls ~/Documents; echo rc $?' </dev/null >"$T/idle.out" 2>"$T/idle.err" &
idle=$!
id=$(waiting | jq .id)
is "the bell says why it rings again" "$(cb --json prompts | jq -r '.prompts[0].note' | sed 's/[0-9-]*$//')" 'you said write; unused for long, it lapsed on '
like "so do lines" "$(cb prompts)" 'you said write; unused for long'
ok "a new answer" cb answer "$id" read --for always
wait $idle
like "takes its place" "$(cat "$T/idle.out")" letter.txt
like "as any other" "$(cb explain idle storage:Documents)" 'is read \(always\), decided by grant'

# --- in use is used, however long it runs

cb run --detach idle -- sh -c 'exec 3<~/Documents; exec sleep 500' </dev/null >/dev/null 2>&1
for i in $(seq 50); do cb --json ps | grep -q '"permission":"storage:Documents"' && break; sleep 0.1; done
kill -STOP "$pid" # so that nobody has the store for a moment
kill -9 "$(pgrep -P "$pid" -x cowbell-broker)"
for i in $(seq 100); do age 100 2>/dev/null && break; sleep 0.1; done
kill -CONT "$pid"
for i in $(seq 50); do cb list >/dev/null 2>&1 && break; sleep 0.1; done
is "what a run holds stays" "$(answer_of idle storage:Documents)" read
is "what it does not hold is gone" "$(answer_of idle contacts)" ask
cb stop idle >/dev/null

# --- the time is its owner's

ok "a shorter time" cb lapse 12d
like "holds from now on" "$(cb lapse)" ' 12 days '
days_pass 11
like "but nothing goes unsaid" "$(cb permissions idle)" 'storage:Documents +read +always .*lapses in 24 hours unless used'
ok "or never" cb lapse off
days_pass 1000
is "then it stays" "$(answer_of idle storage:Documents)" read
ok "turned on after years" cb lapse 30
stop
start
like "it is said first" "$(cb permissions idle)" 'storage:Documents +read +always .*lapses in 5 days unless used'
days_pass 5
is "and then it goes" "$(answer_of idle storage:Documents)" ask
ok "for machines" test "$(cb --json lapse | jq .days)" = 30
fails "a word that is none" 2 "'ever' is no number of days (1 to 3650, or off)" cb lapse ever
fails "too long" 2 "'4000' is no number of days" cb lapse 4000
cb unlock other contacts >/dev/null
days_pass 1
is "what was locked for years has its time from the unlocking on" "$(answer_of other contacts)" read

# --- going back takes the answers along, not their age

cb lapse 90 >/dev/null
cb grant idle storage:Documents write >/dev/null
sh_in idle 'echo 1 >~/state'
cb generations idle >/dev/null # the answers of now are written down with it
cb revoke idle storage:Documents >/dev/null
sh_in idle 'echo 2 >~/state'
days_pass 100
like "what comes back is said" "$(cb --yes rollback idle --with-grants)" 'storage:Documents +ask -> write .always.'
stop
start
is "and does not lapse at once" "$(answer_of idle storage:Documents)" write
rm -r "$R/etc/policy.d"
