# SPDX-License-Identifier: MIT
# A minute is a minute of the device being on, also for an app that runs.

app toy || exit 1
cb grant toy contacts read --for 1m >/dev/null
began=$(date +%s)
# The app looks again when it is told to: how long a machine takes to start it is not what is tested.
mkfifo "$T/again"
exec 7<>"$T/again"
(cd / && exec "$BIN/cowbell" --root "$R" shell toy -c 'ls ~/.local/share/contacts; read -r _; ls ~/.local/share/contacts; echo rc $?') <&7 >"$T/toy.out" 2>"$T/toy.err" &
toy=$!
for i in $(seq 300); do grep -q ada "$T/toy.out" && break; sleep 0.1; done
like "given for a minute" "$(cb permissions toy)" 'contacts +read +1m .*in use'
like "it has it" "$(cb --json ps)" '"permission":"contacts"'
for i in $(seq 900); do cb --json ps | grep -q '"given":\[\]' && break; sleep 0.1; done
is "taken from the running app when it is over" "$([ $(($(date +%s) - began)) -ge 59 ] && echo yes)" yes
for i in $(seq 100); do [ -s "$T/toy.err" ] && break; sleep 0.1; done
like "its person is told" "$(cat "$T/toy.err")" 'the time of a permission has run out; it will ask again'
like "the app runs on" "$(cb --json ps)" '"app":"toy"'
echo again >&7
id=$(waiting | jq .id)
ok "and asks at its next use" cb answer "$id" no
wait $toy
like "which is refused now" "$(cat "$T/toy.out")" 'rc 2'
like "nothing is left of the grant" "$(cb explain toy contacts)" 'is ask'

# --- an app that goes takes its answers along

cb grant toy contacts write >/dev/null
cb grant toy storage:Music no >/dev/null
cb lock toy contacts >/dev/null
cb --yes uninstall toy >/dev/null
app toy || exit 1
like "a new app of an old name begins with nothing" "$(cb explain toy contacts)" 'is ask.*nobody has answered yet'
is "not even a lock" "$(cb --json permissions toy | jq '[.permissions[] | select(.locked)] | length')" 0
