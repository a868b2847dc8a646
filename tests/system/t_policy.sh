# SPDX-License-Identifier: MIT
# Policy files: what they decide, for running apps too, and what a bad one does.

P=$R/etc/policy.d V=$R/share/policy.d
app till || exit 1
app game || exit 1
until_is() { # until_is APP PERMISSION REGEX: a change counts a moment later
	for i in $(seq 60); do
		cb explain "$1" "$2" | grep -qE -- "$3" && return 0
		sleep 0.1
	done
	cb explain "$1" "$2"
	return 1
}

# --- who speaks first

mkdir -p "$V"
echo '* contacts read # the vendor says' >"$V/50-vendor.rules"
ok "a folder that comes later is read" until_is till contacts 'is read.*vendor policy.*share/policy.d/50-vendor.rules:1 the vendor says'
mkdir -p "$P"
echo '* contacts empty # house rule' >"$P/10-house.rules"
ok "the administrator's default stands above the vendor" until_is till contacts "is empty.*, decided by policy: $P/10-house.rules:1"
cb grant till contacts copy >/dev/null
like "an answer stands above both" "$(cb explain till contacts)" 'is copy .*decided by grant'
ok "a lock" cb lock till contacts
fails "a locked answer is not changed by slip" 1 'cowbell unlock till contacts first' cb grant till contacts write
like "and stays" "$(cb explain till contacts)" 'is copy .*decided by lock'
printf '* contacts empty # house rule\ntill contacts no enforce\n' >"$P/10-house.rules"
ok "an enforced rule stands above the lock" until_is till contacts 'is no.*enforced policy.*10-house.rules:2'
echo '* contacts empty # house rule' >"$P/10-house.rules"
ok "without it the lock speaks again" until_is till contacts 'decided by lock'
ok "taking back needs no unlocking" cb revoke till contacts
cb grant game contacts write >/dev/null
echo 'game contacts no enforce # no contacts for games' >"$P/20-games.rules"
until_is game contacts 'enforced' >/dev/null
like "an answer that policy overrules says so" "$(cb grant game contacts write 2>&1)" 'it is no all the same: enforced policy decides .20-games.rules:1'
rm "$P/20-games.rules"

# --- what runs

until_is game contacts 'grant' >/dev/null
(cd / && exec "$BIN/cowbell" --root "$R" shell game -c 'ls ~/.local/share/contacts; sleep 30') </dev/null >"$T/game.out" 2>>"$T/notices" &
game=$!
for i in $(seq 50); do grep -q ada "$T/game.out" && break; sleep 0.1; done
like "a running app has what it was given" "$(cb --json ps)" '"permission":"contacts","answer":"write"'
echo 'game contacts no enforce' >"$P/20-games.rules"
for i in $(seq 50); do cb --json ps | grep -q '"given":\[\]' && break; sleep 0.1; done
unlike "a new rule takes it away from the running app" "$(cb --json ps)" '"permission":"contacts"'
like "and its person is told" "$(cat "$T/notices")" 'a policy has changed'
cb stop game >/dev/null
wait $game
rm "$P/20-games.rules"
(cd / && exec "$BIN/cowbell" --root "$R" shell till -c 'ls ~/Music; echo rc $?') </dev/null >"$T/till.out" 2>>"$T/notices" &
till=$!
waiting >/dev/null
echo '* storage no' >"$P/30-storage.rules"
wait $till
like "a question that a rule decides is settled by it" "$(cat "$T/till.out")" 'rc 2'
rm "$P/30-storage.rules"

# --- bad files

echo '* contacts empty forever' >"$P/10-house.rules"
for i in $(seq 50); do cb doctor | grep -q '10-house.rules:1' && break; sleep 0.1; done
like "a bad file is told, with its line" "$(cb doctor)" "10-house.rules:1: 'forever' means nothing here"
like "its last good version stays in force" "$(cb explain till contacts)" 'is empty.*10-house.rules:1'
like "loudly" "$(daemon_log)" 'policy: .*10-house.rules:1.*last good version stays in force'
stop
start
like "also across a start" "$(cb explain till contacts)" 'is empty.*10-house.rules:1 house rule'
like "which is as loud" "$(daemon_log | tail -n 3)" 'policy: .*10-house.rules:1.*last good version stays in force'
echo '# nothing yet' >"$P/15-later.rules"
echo 'till storage no' >"$P/20-mark.rules"
until_is till storage 'is no' >/dev/null
rm "$P/20-mark.rules"
echo 'not a rule' >"$P/15-later.rules"
until_is till storage 'is ask' >/dev/null
ok "one that said nothing yet goes on saying nothing" until_is till contacts 'is empty.*10-house.rules:1'
rm "$P/15-later.rules" "$P/10-house.rules"
until_is till contacts 'vendor policy' >/dev/null
stop
echo '* contacts empty forever' >"$P/10-house.rules"
start
like "a file that was taken away has no good version, also across a start" "$(cb explain till contacts)" 'is no, decided by broken policy'
echo '* contacts empty' >"$P/10-house.rules"
until_is till contacts 'is empty' >/dev/null
echo 'nonsense' >"$P/00-new.rules"
ok "of a new bad file there is none: nothing below may give" until_is till contacts 'is no, decided by broken policy: .*00-new.rules:1'
like "not even what was answered" "$(cb explain game contacts)" 'is no'
rm "$P/00-new.rules"
echo '* contacts empty' >"$P/10-house.rules"
ok "mended" until_is till contacts 'is empty'
like "and said" "$(daemon_log)" 'all files are good again'
mv "$P" "$P.away"
ok "a folder that goes takes its rules along" until_is till contacts 'vendor policy'

# --- before they count

cd "$TOP" || exit 1
ok "the kiosk's policy is good" cb policy check examples/kiosk/10-kiosk.rules
ok "and says what it has to" cb policy test examples/kiosk/kiosk.test
sed 's/^tickets  contacts .*/tickets contacts read enforce/' examples/kiosk/10-kiosk.rules >"$T/10-kiosk.rules"
cp examples/kiosk/kiosk.test "$T/kiosk.test"
fails "a test that fails says what is, and who decides" 1 'kiosk.test:6: tickets contacts is read, decided by enforced (10-kiosk.rules:7)' cb policy test "$T/kiosk.test"
printf '* * no\ngame contacts read\n' >"$T/hidden.rules"
fails "a rule that never speaks is found" 1 'hidden.rules:2: is never reached' cb policy check "$T/hidden.rules"
printf 'game contacts read\n* * no enforce\n' >"$T/hidden.rules"
fails "also behind an enforced one" 1 'hidden.rules:1: is never reached' cb policy check "$T/hidden.rules"
echo 'game nothing no' >"$T/bad.rules"
fails "a bad file" 1 "bad.rules:1" cb policy check "$T/bad.rules"
echo 'expect game contacts' >"$T/bad.test"
fails "a bad test" 1 'bad.test:1: wanted: expect APP PERMISSION ANSWER' cb policy test "$T/bad.test"
echo '# nothing' >"$T/bad.test"
fails "a test that proves nothing" 1 'expects nothing' cb policy test "$T/bad.test"
fails "no file" 1 "No such file" cb policy test "$T/none.test"

# --- the kiosk itself

mkdir -p "$P"
cp examples/kiosk/10-kiosk.rules "$P/"
ok "a kiosk's device" until_is game storage:Documents 'is no.*enforced.*10-kiosk.rules:'
like "the game gets nothing, unasked" "$(sh_in game 'ls ~/Documents >/dev/null 2>&1; echo $?')" 2
is "nobody was asked" "$(cb --json prompts)" '{"prompts":[]}'
