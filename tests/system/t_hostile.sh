# SPDX-License-Identifier: MIT
# board
# The app is the enemy.

app evil
mkdir -p "$T/bait"
echo host >"$T/bait/file"
chmod 777 "$T/bait"

cb grant evil contacts no >/dev/null
# Set-up must not follow what an app left in its layer.
sh_in evil 'mv ~/.local ~/.l2; mkdir ~/.local; ls -d ~/.local' >/dev/null
sh_in evil "rm -rf ~/.l2 ~/.local; ln -s $T/bait ~/.local" >/dev/null
cb grant evil contacts empty >/dev/null
is "a symlink in the way of a gate is moved aside" "$(sh_in evil 'ls ~/.local/share/contacts | wc -l')" 0
is "nothing appeared behind it" "$(ls "$T/bait")" file
sh_in evil "cd ~ && rm -rf .local 2>/dev/null; mv .local .gone; echo file >.local; ls -la . >/dev/null"
is "so is a file" "$(sh_in evil 'ls ~/.local/share/contacts | wc -l')" 0
cb revoke evil contacts >/dev/null

# The gate moves with its folder, and leads nowhere else.
sh_in evil 'mv ~/.local ~/.moved && ls ~/.moved/share/contacts | wc -l; ls ~/.local/share/contacts 2>&1 | grep -c "No such"' >"$T/out3" &
job=$!
answer empty >/dev/null
wait $job
is "a renamed parent takes its gate along" "$(tr '\n' ' ' <"$T/out3")" "0 1 "

# Ways round a gate.
cat >"$T/round.py" <<'P'
import os, errno
home = os.environ['HOME']
doc = home + '/Documents'
out = []
def attempt(name, fn):
    try:
        fn()
        out.append(name)
    except OSError as e:
        if e.errno not in (errno.EACCES, errno.EPERM, errno.ENOENT, errno.EBUSY, errno.EXDEV, errno.ELOOP, errno.ENOTDIR):
            out.append('%s: %s' % (name, errno.errorcode[e.errno]))
fd = os.open(doc, os.O_PATH)
attempt('open by O_PATH', lambda: os.open('letter.txt', os.O_RDONLY, dir_fd=fd))
attempt('through fd', lambda: os.open('/proc/self/fd/%d/letter.txt' % fd, os.O_RDONLY))
attempt('dot dot', lambda: open(home + '/Pictures/../Documents/letter.txt').read())
attempt('rename away', lambda: os.rename(doc, home + '/d2'))
attempt('remove', lambda: os.rmdir(doc))
attempt('link', lambda: os.link(doc + '/letter.txt', home + '/l'))
attempt('exec', lambda: os.execv(doc + '/letter.txt', ['x']))
attempt('bind mount by proc', lambda: open('/proc/1/root' + doc + '/letter.txt').read())
attempt('truncate', lambda: os.truncate(doc + '/letter.txt', 0))
os.symlink(doc, home + '/alias')
attempt('alias', lambda: open(home + '/alias/letter.txt').read())
print(out or 'nothing')
P
cb grant evil storage no >/dev/null
is "no way round a closed gate" "$(sh_in evil "python3 - <<'P'
$(cat "$T/round.py")
P")" nothing
cb revoke evil storage >/dev/null
is "the letter is whole" "$(cat "$H/Documents/letter.txt")" "dear diary"

# A mount point in the way of set-up.
app mask sh -c 'printf "#!/bin/sh\nexec \"\$@\"\n" >/usr/local/bin/mask; chmod 755 /usr/local/bin/mask; rm -rf /mnt /tmp/x; ln -s /etc /mnt; rm -rf /srv; ln -s / /srv'
is "an installer's links stay inside" "$(sh_in mask 'ls /mnt/hostname; id -u' 2>/dev/null | tail -n 1)" 1000

# Forking away, ignoring signals, dying while held.
cb run evil -- sh -c 'trap "" TERM HUP INT; (setsid sh -c "trap \"\" TERM HUP; sleep 2000.'$$'" &) ; sleep 0.1' </dev/null >/dev/null 2>&1
sleep 0.5
is "what forked away ends with the session" "$(pgrep -fc "sleep 2000.$$")" 0
cb run --detach evil -- sh -c 'trap "" TERM HUP INT QUIT; while :; do sleep 0.1; done' </dev/null >/dev/null 2>&1
ok "stop ends what ignores signals" timeout 10 "$BIN/cowbell" --root "$R" stop evil
sh_in evil 'timeout -s KILL 1 ls ~/Pictures; echo died $?' >"$T/died.out" 2>/dev/null &
job=$!
id=$(waiting | jq .id)
wait $job
like "a held process can be killed" "$(cat "$T/died.out")" 'died 137'
cb answer "$id" empty >/dev/null 2>&1
for i in $(seq 50); do # a session is listed until its changes are settled
	[ "$(cb --json ps | jq '.sessions | length')" = 0 ] && break
	sleep 0.1
done
is "the broker is well" "$(cb --json ps | jq '.sessions | length')" 0

# A flood of questions.
sh_in evil 'for d in Desktop Documents Downloads Music Pictures Public Templates Videos; do for i in 1 2 3 4 5; do ls ~/$d >/dev/null 2>&1 & done; done; ls ~/.local/share/contacts >/dev/null 2>&1 & wait' &
job=$!
questions() { cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length'; }
for i in $(seq 50); do [ "$(questions)" -ge 8 ] && break; sleep 0.2; done
sleep 0.5 # more would come by now
n=$(questions)
ok "a flood becomes one question a folder ($n)" test "$n" -ge 8 -a "$n" -le 9
ok "others are served meanwhile" timeout 5 "$BIN/cowbell" --root "$R" list
id=$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")][0].id')
python3 - "$R/run/cowbell/io.cowbell" "{\"method\":\"io.cowbell.Answer\",\"parameters\":{\"id\":$id,\"answer\":\"no\",\"for\":\"run\",\"all_of_app\":true}}" <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode() + b'\0'); s.recv(4096)
P
wait $job
is "one answer for all of it" "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" 0

# A fork bomb, in an app of its own, with nothing to burst: processes that wait. On a
# board with little memory and large pages that ends first: the app is killed then.
bomb=$(sh_in evil "python3 - <<'P'
import os, signal, sys
assert os.path.exists('/.cowbell'), 'only inside an app'
kids = []
try:
    while len(kids) < 6000:
        p = os.fork()
        if p == 0:
            signal.pause(); os._exit(0)
        kids.append(p)
    print('unbounded')
except OSError:
    print('bounded')
for k in kids: os.kill(k, 9)
P") || [ $? != 137 ] || bomb=bounded
is "an app's processes are bounded" "$bomb" bounded
ok "the host is well" "$BIN/cowbell" --root "$R" list

# Names with controls, set-id files, devices, odd owners in its own layer.
sh_in evil 'cp /usr/bin/id ~/suid; chmod 6755 ~/suid; ~/suid -u; printf "\033]0;owned\007" >~/"$(printf "e\033[2J\342\200\256x")"'
unlike "ps, history and versions stay clean" "$(cb history evil; cb versions evil; cb ps)" $'\033'
is "no file of it belongs to the host's root or owner" "$(find "$R/state/store/layers" -mindepth 3 -path '*/fs/*' \( -uid 0 -o -uid $UID_OWNER \) ! -type c | wc -l)" 0

# io_uring: taken away by the product's filter; and with a filter that leaves it,
# still held.
cat >"$T/uring.py" <<'P'
import ctypes, mmap, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
params = ctypes.create_string_buffer(120)
fd = libc.syscall(425, 4, params)
if fd < 0:
    import errno
    print(errno.errorcode[ctypes.get_errno()]); sys.exit()
p = struct.unpack('30I', params.raw)
sq_entries, cq_entries = p[0], p[1]
sq = p[10:20]; cq = p[20:30]
ring = mmap.mmap(fd, max(sq[6] + sq_entries * 4, cq[5] + cq_entries * 16) + 4096, offset=0)
sqes = mmap.mmap(fd, sq_entries * 64, offset=0x10000000)
path = ctypes.create_string_buffer((os.environ['HOME'] + '/Documents/letter.txt').encode())
sqe = struct.pack('<BBHiQQIIQ', 18, 0, 0, -100, 0, ctypes.addressof(path), 0, 0, 7).ljust(64, b'\0')
sqes[0:64] = sqe
ring[sq[6]:sq[6] + 4] = struct.pack('I', 0)
tail = struct.unpack('I', ring[sq[1]:sq[1] + 4])[0]
ring[sq[1]:sq[1] + 4] = struct.pack('I', tail + 1)
libc.syscall(426, fd, 1, 1, 1, 0, 0)
res = struct.unpack('i', ring[cq[5] + 8:cq[5] + 12])[0]
print('opened ' + os.read(res, 100).decode().strip() if res >= 0 else 'errno %d' % -res)
P
is "the filter refuses io_uring" "$(sh_in evil "python3 - <<'P'
$(cat "$T/uring.py")
P")" ENOSYS
stop
start --seccomp-allow io_uring
sh_in evil "python3 - <<'P'
$(cat "$T/uring.py")
P" >"$T/uring.out" &
job=$!
like "io_uring is held at the gate" "$(waiting)" 'storage:Documents'
answer read >/dev/null
wait $job
is "and goes on after the answer" "$(cat "$T/uring.out")" "opened dear diary"
cb grant evil storage:Documents no >/dev/null
is "or is refused" "$(sh_in evil "python3 - <<'P'
$(cat "$T/uring.py")
P")" "errno 13"
