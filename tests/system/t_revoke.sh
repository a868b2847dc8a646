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
fails "so it is when asked once more" 1 "still holds" cb revoke holder storage:Documents
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

# Held by a watch, which needs no open file to tell what people do in the folder: by the
# process, by a thread that shares no descriptors, in a folder below, and in flight.
cat >"$T/watch.py" <<'P'
import ctypes, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
home = os.path.expanduser('~')
def watch(path):
    fd = libc.inotify_init()
    assert libc.inotify_add_watch(fd, (home + path).encode(), 0xfff) > 0
    return fd
kind = sys.argv[1]
if kind == 'flight':
    a, b = socket.socketpair()
    fd = watch('/Documents/.')
    socket.send_fds(a, [b'x'], [fd]); os.close(fd)
elif kind == 'thread':
    fd = watch('/Documents/.')
    sleeper = ctypes.cast(libc.pause, ctypes.c_void_p)
    stack = ctypes.create_string_buffer(1 << 20)
    top = ctypes.c_void_p((ctypes.addressof(stack) + (1 << 20)) & ~63)
    libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    assert libc.clone(sleeper, top, 0x10b00, None) > 0 # CLONE_VM, FS, SIGHAND, THREAD; not FILES
    os.close(fd)
elif kind == 'other':
    fd = watch('/Pictures/.')
    os.listdir(home + '/Documents')
else:
    fd = watch(kind)
open(home + '/watching', 'w').close()
while True: time.sleep(1000)
P
mkdir -p "$H/Documents/below" && chown $UID_OWNER:$UID_OWNER "$H/Documents/below"
cb grant holder storage:Pictures read >/dev/null
watching() { # watching KIND
	cb grant holder storage:Documents read >/dev/null
	sh_in holder 'rm -f ~/watching'
	cb run --detach holder -- python3 -c "$(cat "$T/watch.py")" "$1" </dev/null >/dev/null 2>&1
	for i in $(seq 100); do cb exec holder -- test -e "$H/watching" </dev/null 2>/dev/null && break; sleep 0.1; done
}
for kind in /Documents/. /Documents/below /Documents/letter.txt flight thread; do
	watching $kind
	fails "a watch is told ($kind)" 1 "still holds" cb revoke holder storage:Documents
	fails "and once more" 1 "still holds" cb revoke holder storage:Documents
	cb stop holder >/dev/null
done
watching other
ok "one of another folder is not taken for it" cb revoke holder storage:Documents
fails "until that is taken too" 1 "still holds" cb revoke holder storage:Pictures
cb stop holder >/dev/null
watching /Documents/.
kill -9 "$(pgrep -P "$pid" -x cowbell-broker)"
for i in $(seq 100); do timeout 5 "$BIN/cowbell" --root "$R" ps >/dev/null 2>&1 && break; sleep 0.1; done
fails "a new broker knows no less" 1 "still holds" cb revoke holder storage:Documents
fails "nor later" 1 "still holds" cb revoke holder storage:Documents
cb stop holder >/dev/null

cb run --detach holder -- sleep 1000 </dev/null >/dev/null 2>&1
fails "rollback of a running app is refused" 1 "it runs, in session" cb rollback holder
fails "reset too" 1 "it runs, in session" cb --yes reset holder
fails "uninstall too" 1 "it runs, in session" cb --yes uninstall holder
cb stop holder >/dev/null
fails "stop of one that does not run" 1 "does not run" cb stop holder
fails "exec never starts one" 126 "does not run" cb exec holder -- true
