# SPDX-License-Identifier: MIT
# try: one run that is given nothing and of which nothing stays.

settled() { for _ in $(seq 100); do [ "$(find "$R/state/store/layers" -mindepth 1 -maxdepth 1 | wc -l)" = "$1" ] && break; sleep 0.1; done; find "$R/state/store/layers" -mindepth 1 -maxdepth 1 | wc -l; }

out=$(cb try build/flashlight.deb -- on </dev/null 2>"$T/err")
like "a package that is not installed runs" "$out" 'contacts: 0 found'
like "what it reached for is told" "$out" 'looked into your contacts +once +first after .*found nothing'
like "each folder of files" "$out" 'looked into your files: Documents +once'
like "and that nothing stays" "$out" 'Nothing of it stays'
is "nothing is installed" "$(cb --json list | jq '.apps | length')" 0
is "no layer is left" "$(settled 0)" 0
is "nothing waits for an answer" "$(cb --json prompts | grep -c '"waiting"')" 0
is "history does not know it" "$(cb --json history | grep -c contacts)" 0

cat >"$T/greedy" <<G
#!/bin/sh
ls $H/.local/share/contacts; cat $H/Documents/letter.txt
sleep 0.6
ls $H/.local/share/contacts
echo trace >~/trace; echo more >/var/tmp/stray
echo kept: \$(cat ~/kept 2>/dev/null)
exit 3
G
chmod 755 "$T/greedy"
cb install --name greedy "$T/greedy" >/dev/null 2>&1
sh_in greedy 'echo state >~/kept'
n=$(cb --json generations greedy | jq '.generations | length')
cb grant greedy contacts read --for always >/dev/null
report=$(cb --json try greedy </dev/null 2>/dev/null | tail -n 1)
is "an installed app is given nothing either" "$(jq -c '[.uses[] | select(.permission == "contacts") | .answer]' <<<"$report")" '["empty"]'
is "uses are counted" "$(jq '.uses[] | select(.permission == "contacts").count' <<<"$report")" 2
is "with when they began" "$(jq '[.uses[] | select(.first_ms >= 0 and .first_ms < 20000)] | length > 0' <<<"$report")" true
is "its status is told" "$(jq .status <<<"$report")" 3
is "what it changed" "$(jq -c '[.files, .outside]' <<<"$report")" '[2,1]'
is "outside its home by name" "$(jq -r '.paths[0]' <<<"$report")" /var/tmp/stray
like "it ran on its own state" "$(cb try greedy </dev/null 2>/dev/null)" 'kept: state'
is "no generation was made" "$(cb --json generations greedy | jq '.generations | length')" "$n"
is "and no file of it is there" "$(sh_in greedy 'ls ~/trace /var/tmp/stray 2>/dev/null | wc -l')" 0
is "its grants stand" "$(cb --json explain greedy contacts | jq -r .permission.answer)" read

cb install --name waiter -- sh -c "printf '#!/bin/sh\necho up\nsleep 1000\n' >/usr/local/bin/waiter && chmod 755 /usr/local/bin/waiter" >/dev/null 2>&1
layers=$(find "$R/state/store/layers" -mindepth 1 -maxdepth 1 | wc -l)
"$BIN/cowbell" --root "$R" try waiter </dev/null >"$T/wait.out" 2>&1 &
p=$!
for _ in $(seq 100); do grep -q up "$T/wait.out" && break; sleep 0.1; done
fails "others do not get into it" 126 "does not run" cb exec waiter -- true
kill -TERM $p
wait $p
like "a signal ends it with a report" "$(cat "$T/wait.out")" 'Nothing of it stays'
"$BIN/cowbell" --root "$R" try waiter </dev/null >"$T/wait.out" 2>&1 &
p=$!
for _ in $(seq 100); do grep -q up "$T/wait.out" && break; sleep 0.1; done
kill -9 $p 2>/dev/null
wait $p 2>/dev/null
is "whoever leaves without a word leaves nothing either" "$(settled "$layers")" "$layers"
ok "the app runs again afterwards" sh -c "timeout 20 '$BIN/cowbell' --root '$R' shell waiter -c true </dev/null"
fails "no such thing" 1 "no package 'no-such-package-at-all'" cb try no-such-package-at-all
fails "a program is not a package" 1 "can be tried" cb try "$T/greedy"
for a in greedy waiter; do cb --yes uninstall --stop $a >/dev/null; done
is "no app is left" "$(settled 0)" 0
