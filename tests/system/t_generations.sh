# SPDX-License-Identifier: MIT
# board
# What an app changed is versioned, and can be taken back.

app notes
db='$HOME/data.db'
sh_in notes "python3 -c \"
import sqlite3, os
d = sqlite3.connect(os.environ['HOME'] + '/data.db')
d.execute('create table t (a)'); d.execute(\\\"insert into t values ('good')\\\"); d.commit()\""
sh_in notes 'echo spoiled >~/data.db; rm -f ~/other; echo more >~/more'
is "three generations" "$(cb --json generations notes | jq '.generations | length')" 3
like "diff names what changed" "$(cb diff notes)" 'changed +/.*data.db'
like "and what came" "$(cb diff notes)" 'added +/.*more'
is "cat shows the spoiled one" "$(cb cat notes "$H/data.db")" spoiled
like "cat of the earlier version" "$(cb cat notes "$H/data.db@2" | head -c 15)" 'SQLite format 3'
fails "cat of a file it never changed" 1 "not among the files" cb cat notes /etc/passwd
fails "cat of a generation that is not there" 1 "no such generation" cb cat notes "$H/data.db@77"
is "versions of the file" "$(cb --json versions notes "$H/data.db" | jq '[.versions[].generation] | join(",")' -r)" "2,3"
is "generations know their base" "$(cb --json generations notes | jq '[.generations[] | select(.old_base)] | length')" 0
ok "rollback" cb rollback notes
is "the database is whole again" "$(sh_in notes "python3 -c \"
import sqlite3, os
print(sqlite3.connect(os.environ['HOME'] + '/data.db').execute('select a from t').fetchone()[0])\"")" good
is "what came later is gone" "$(sh_in notes 'ls ~/more 2>/dev/null | wc -l')" 0
fails "rollback to one that is not there" 1 "has no generation 99" cb rollback notes 99
reset=$(cb --yes reset notes)
like "reset says how to get back" "$reset" 'cowbell rollback notes [0-9]+ brings back'
is "as installed" "$(sh_in notes 'ls -A ~ | grep -vE "^(Desktop|Documents|Downloads|Music|Pictures|Public|Templates|Videos|.local)$" | wc -l')" 0
is "the install stays" "$(sh_in notes 'test -x /usr/local/bin/notes && echo there')" there
like "the rest goes within a day" "$(cb generations notes)" 'goes within a day'
sh_in notes 'echo again >~/again'
ok "a reset can be undone by what it said, also when the app ran again" cb $(sed 's/.*cowbell \(rollback notes [0-9]*\) .*/\1/' <<<"$reset")
is "and all is back" "$(sh_in notes 'ls ~/again 2>/dev/null; ls ~/data.db')" "$H/data.db"
ok "to any state" cb rollback notes 2
is "it is back" "$(sh_in notes 'head -c 6 ~/data.db')" SQLite
ok "reset now" cb --yes reset --now notes
is "what was dropped is deleted" "$(cb --json generations notes | jq '[.generations[] | select(.doomed)] | length')" 0

# Answers go back only when asked, and are shown first.
cb grant notes contacts read --for always >/dev/null
sh_in notes 'echo then >~/when'
then=$(cb --json generations notes | jq '[.generations[] | select(.head)][0].number')
cb revoke notes contacts >/dev/null
cb grant notes storage:Music write --for always >/dev/null
cb lock notes storage:Pictures >/dev/null 2>&1
sh_in notes 'echo later >~/when'
ok "rollback without the answers" cb rollback notes "$then"
is "the state is back" "$(sh_in notes 'cat ~/when')" then
like "the answers are those of now" "$(cb explain notes contacts)" 'is ask'
fails "the change is shown, and nobody here can agree" 1 'contacts                 ask -> read (always)' cb rollback notes "$then" --with-grants
like "nothing changed" "$(cb explain notes contacts; cb explain notes storage:Music)" 'is ask.*'
ok "rollback with the answers" cb --yes rollback notes "$then" --with-grants
like "what was revoked since is given again" "$(cb explain notes contacts)" 'is read \(always\)'
like "what was given since is not" "$(cb explain notes storage:Music)" 'is ask'
like "history says so" "$(cb history notes | tail -n 8)" 'rolled back +contacts +read, always'
fails "nothing is known of the answers of a generation that is not there" 1 "has no generation 99" cb rollback notes 99 --with-grants
cb revoke notes contacts >/dev/null
cb --yes reset --now notes >/dev/null

# Deep chains are merged and still show the same.
for i in $(seq 11); do sh_in notes "echo $i >~/f$i; echo $i >~/last; rm -f ~/f$((i - 2)); mv ~/dir$((i - 1)) ~/dir$i 2>/dev/null || mkdir ~/dir$i; echo $i >~/dir$i/in$i"; done
sleep 1
is "eleven runs later" "$(sh_in notes 'cat ~/last; ls ~ | grep -c ^f; ls -d ~/dir*; ls ~/dir11 | wc -l' | sed "s|$H/||" | tr '\n' ' ')" "11 2 dir11 11 "
deep=$(cb --json plan notes | jq '[.steps[] | select(.what == "layer")] | length')
ok "the chain was merged (it has $deep layers)" test "$deep" -le 10
is "an old version is still there" "$(cb cat notes "$H/last@$(cb --json versions notes "$H/last" | jq '.versions[0].generation')")" 1

# Everything an app can leave.
sh_in notes 'cd; i=0; d=deep; while [ $i -lt 300 ]; do mkdir $d && cd $d || break; i=$((i+1)); done; cd; n=$(printf "%0255d" 7); touch "$n"; mkfifo pipe; printf "\n\033[31m" >"$(printf "bad\nname\033[2J")"; dd if=/dev/zero of=hole bs=1 count=1 seek=1G 2>/dev/null'
unlike "names are shown escaped" "$(cb versions notes)" $'\033'
ok "a deep and odd tree is versioned" test "$(cb --json versions notes | jq '[.versions[] | select(.path | test("deep"))] | length')" -ge 300
ok "and reset" cb --yes reset --now notes

ok "uninstall" cb --yes uninstall notes
fails "it is gone" 1 "no app of this name" cb info notes
is "no layer is left" "$(cd "$R/state/store" && find layers trash tmp -mindepth 1 -maxdepth 1)" ""
