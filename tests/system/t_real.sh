# SPDX-License-Identifier: MIT
# Real packages, as their authors made them.

debs() { tools/fetch-debs.sh build/debs "$@"; }
last_first() { tac; }

ok "khard with what it needs" cb install --name khard $(debs khard | last_first)
cat >"$T/khard.conf" <<C
[addressbooks]
[[people]]
path = $H/.local/share/contacts
[general]
default_action = list
C
sh_in khard "mkdir -p ~/.config/khard && cat >~/.config/khard/khard.conf <<'C'
$(cat "$T/khard.conf")
C"
cb run khard -- list </dev/null >"$T/khard.out" 2>"$T/khard.err" &
job=$!
answer read >/dev/null
wait $job
like "khard reads the contacts it was given" "$(cat "$T/khard.out")" 'Ada Lovelace'
cb run khard -- list </dev/null >"$T/khard.out" 2>&1 &
job=$!
answer empty >/dev/null
wait $job
unlike "and sees none when given none" "$(cat "$T/khard.out")" 'Ada|Grace|Traceback'
unlike "and does not break" "$(cat "$T/khard.out")" 'Traceback'

ok "abook" cb install --name abook $(debs abook | last_first)
cb run abook -- --convert --infile "$H/.local/share/contacts/ada.vcf" --informat vcard --outformat csv </dev/null >"$T/abook.out" 2>"$T/abook.err" &
job=$!
answer copy >/dev/null
wait $job
like "abook converts from a private copy" "$(cat "$T/abook.out")" 'Ada Lovelace'
cb run abook -- --convert --infile "$H/.local/share/contacts/ada.vcf" --informat vcard --outformat csv </dev/null >"$T/abook.out" 2>"$T/abook.err" &
job=$!
answer no >/dev/null
wait $job
unlike "and gets an error when told no" "$(cat "$T/abook.out")" 'Ada'

ok "nano" cb install --name nano $(debs nano | last_first)
ok "mc" cb install --name mc $(debs mc | last_first)
like "nano runs" "$(cb run nano -- --version </dev/null 2>/dev/null)" 'GNU nano'
like "mc runs" "$(cb run --command mc mc -- --version </dev/null 2>/dev/null)" 'GNU Midnight Commander'

ok "sqlite3" cb install --name sqlite3 $(debs sqlite3 | last_first)
sql() { cb run sqlite3 -- "$H/notes.db" "$1" </dev/null 2>/dev/null; }
sql 'create table t (a); insert into t values (42);'
is "sqlite3 keeps a database" "$(sql 'select a from t')" 42
n=$(cb --json generations sqlite3 | jq '.generations | length')
sql 'select a from t' >/dev/null
is "reading alone makes no generation" "$(cb --json generations sqlite3 | jq '.generations | length')" "$n"
sql 'drop table t; create table t (a); insert into t values (0);'
is "it is spoiled" "$(sql 'select a from t')" 0
cb rollback sqlite3 >/dev/null
is "and rolled back" "$(sql 'select a from t')" 42

ok "git" cb install --name git $(debs git | last_first)
cat >"$T/git.sh" <<'G'
set -e
cd ~
git init -q repo
cd repo
git config user.email a@example.org
git config user.name a
echo one >f
git add f
git commit -qm one
git clone -q . ../copy
git -C ../copy log --oneline | wc -l
G
is "git commits and clones" "$(sh_in git "$(cat "$T/git.sh")")" 1
ok "python3, from the base" test "$(sh_in git 'python3 -c "import json, ssl, sqlite3; print(6 * 7)"')" = 42

# The flashlight: the light works, and it learns nothing.
ok "the flashlight" cb install build/flashlight.deb
sh_in flashlight 'mkdir -p ~/.config ~/led; echo 0 >~/led/brightness; echo ~/led >~/.config/flashlight'
printf 'flashlight contacts empty for=always\nflashlight storage:Documents empty\nflashlight * no\n' >"$T/script"
"$BIN/cowbell" --root "$R" agent --script "$T/script" >"$T/agent.out" 2>&1 &
agent=$!
sleep 0.3
cb run flashlight -- on </dev/null >"$T/flash.out" 2>"$T/flash.err"
like "the light works" "$(cat "$T/flash.out")" 'the light is on'
like "contacts were empty" "$(cat "$T/flash.out")" 'contacts: 0 found'
like "documents too" "$(cat "$T/flash.out")" 'Documents: 0 found'
like "pictures were refused" "$(cat "$T/flash.out")" 'Pictures: Permission denied'
like "and the network" "$(cat "$T/flash.out")" 'ads.example.com: Connection refused'
is "(a stand-in for the light, made by this test)" "$(sh_in flashlight 'cat ~/led/brightness')" 1
kill $agent
wait $agent 2>/dev/null
like "what it did is written down" "$(cb history flashlight)" 'refused +storage:Pictures'
ok "it can be reset" cb --yes reset flashlight
like "its answers stay" "$(cb explain flashlight contacts)" 'is empty'
ok "unless they are asked to go" cb --yes reset --grants flashlight
like "then it will ask again" "$(cb explain flashlight contacts)" 'is ask'
