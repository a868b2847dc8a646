# SPDX-License-Identifier: MIT
# board
# Taking back acts on the running app.

MAY_CHANGE=Documents

app holder
cb grant holder contacts read >/dev/null
cb run --detach holder -- sh -c 'ls ~/.local/share/contacts >/tmp/seen; touch ~/ready; while :; do sleep 0.1; done' </dev/null >/dev/null 2>&1
for i in $(seq 50); do cb exec holder -- test -e "$H/ready" </dev/null 2>/dev/null && break; sleep 0.1; done
like "ps shows what it has" "$(cb ps)" 'has contacts: read'
ok "revoke succeeds when nothing is held" cb revoke holder contacts
unlike "ps shows that it is gone" "$(cb ps)" 'has contacts'
cb exec holder -- ls "$H/.local/share/contacts" </dev/null >"$T/again.out" 2>/dev/null &
job=$!
like "the next use asks again" "$(waiting)" '"permission":"contacts"'
answer empty >/dev/null
wait $job
is "and gets the new answer" "$(cat "$T/again.out")" ""
cb stop holder >/dev/null

cb grant holder storage:Documents write >/dev/null
cb run --detach holder -- sh -c 'exec 5>>~/Documents/held; touch ~/ready2; while :; do sleep 0.1; done' </dev/null >/dev/null 2>&1
for i in $(seq 50); do cb exec holder -- test -e "$H/ready2" </dev/null 2>/dev/null && break; sleep 0.1; done
fails "an open file is told, and revoke fails" 1 "still holds" cb revoke holder storage:Documents
is "the folder is off the app's tree all the same" "$(cb exec holder -- sh -c 'timeout 1 ls $HOME/Documents >/dev/null 2>&1; echo $?' </dev/null 2>/dev/null)" 124
ok "--stop ends what holds" cb revoke --stop holder storage:Documents
is "nothing of it runs" "$(cb --json ps | jq '.sessions | length')" 0
rm -f "$H/Documents/held"

# Held where no table of a process shows it: on its way through a socket.
cat >"$T/flight.py" <<'P'
import os, socket, sys, time
a, b = socket.socketpair()
fd = os.open(os.path.expanduser('~/Documents'), os.O_RDONLY | os.O_DIRECTORY)
socket.send_fds(a, [b'x'], [fd]); os.close(fd)
open(os.path.expanduser('~/ready3'), 'w').close()
time.sleep(1000)
P
cb grant holder storage:Documents write >/dev/null 2>&1 || cb grant holder storage:Documents write --for always >/dev/null
cb run --detach holder -- python3 -c "$(cat "$T/flight.py")" </dev/null >/dev/null 2>&1
for i in $(seq 50); do cb exec holder -- test -e "$H/ready3" </dev/null 2>/dev/null && break; sleep 0.1; done
fails "a folder on its way through a socket is told" 1 "still holds" cb revoke holder storage:Documents
ok "and ended with --stop" cb revoke --stop holder storage:Documents

cb run --detach holder -- sleep 1000 </dev/null >/dev/null 2>&1
fails "rollback of a running app is refused" 1 "it runs, in session" cb rollback holder
fails "reset too" 1 "it runs, in session" cb --yes reset holder
fails "uninstall too" 1 "it runs, in session" cb --yes uninstall holder
cb stop holder >/dev/null
fails "stop of one that does not run" 1 "does not run" cb stop holder
fails "exec never starts one" 126 "does not run" cb exec holder -- true
