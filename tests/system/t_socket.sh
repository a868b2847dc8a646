# SPDX-License-Identifier: MIT
# What comes in by the public socket.

app victim
sock=$R/run/cowbell/io.cowbell
cat >"$T/client.py" <<'P'
import json, os, socket, struct, subprocess, sys, time
path = sys.argv[1]
def conn():
    s = socket.socket(socket.AF_UNIX); s.settimeout(5)
    while True:
        try:
            s.connect(path); return s
        except BlockingIOError: # its queue is full for the moment
            time.sleep(0.01)
def call(raw, s=None):
    s = s or conn()
    buf = b''
    try:
        s.sendall(raw if isinstance(raw, bytes) else json.dumps(raw).encode() + b'\0')
    except BrokenPipeError:
        pass # turned away, and told why
    try:
        while b'\0' not in buf:
            part = s.recv(65536)
            if not part:
                return 'closed'
            buf += part
    except ConnectionResetError:
        return 'closed'
    except socket.timeout:
        return 'silent'
    r = json.loads(buf.split(b'\0')[0])
    return r.get('error') or 'ok'
M = 'io.cowbell.'
V = 'org.varlink.service.'
def report(name, got, want):
    print(('ok ' if got == want else 'not ok (%r) ' % got) + name)
report('not JSON', call(b'{nonsense\0'), 'closed')
report('an empty message', call(b'\0'), 'closed')
report('not an object', call(b'[1]\0'), 'closed')
report('no method', call({}), 'closed')
report('doubled keys', call(b'{"method":"io.cowbell.List","method":"io.cowbell.Ps"}\0'), 'closed')
report('broken UTF-8', call(b'{"method":"io.cowbell.\xff"}\0'), 'closed')
report('deep nesting', call(b'{"method":"io.cowbell.List","parameters":{"a":' + b'[' * 2000 + b']' * 2000 + b'}}\0'), 'closed')
report('more than 64 kB', call(b'{"method":"' + b'x' * 70000 + b'"}\0'), 'closed')
report('an unknown method', call({'method': M + 'Destroy'}), V + 'MethodNotFound')
report('an unknown interface', call({'method': 'org.example.X'}), V + 'InterfaceNotFound')
report('a missing parameter', call({'method': M + 'Info'}), V + 'InvalidParameter')
report('a wrong type', call({'method': M + 'Info', 'parameters': {'app': 7}}), V + 'InvalidParameter')
report('an unknown parameter', call({'method': M + 'List', 'parameters': {'x': 1}}), V + 'InvalidParameter')
report('an upgrade that is none', call({'method': M + 'List', 'upgrade': True}), V + 'InvalidParameter')
report('run without upgrade', call({'method': M + 'Run', 'parameters': {'app': 'victim', 'argv': [], 'env': [], 'cwd': '/', 'tty': 0, 'rows': 0, 'columns': 0}}), V + 'InvalidParameter')
report('an app of a strange name', call({'method': M + 'Info', 'parameters': {'app': '../../etc'}}), M + 'NoSuchApp')
report('an app of a long name', call({'method': M + 'Info', 'parameters': {'app': 'a' * 5000}}), M + 'NoSuchApp')
report('an answer to nothing', call({'method': M + 'Answer', 'parameters': {'id': 123456, 'answer': 'read', 'for': 'run'}}), M + 'NoSuchPrompt')
report('a negative number', call({'method': M + 'Answer', 'parameters': {'id': -1, 'answer': 'read', 'for': 'run'}}), M + 'NoSuchPrompt')
report('the service itself', call({'method': V + 'GetInfo'}), 'ok')
report('its interface', call({'method': V + 'GetInterfaceDescription', 'parameters': {'interface': 'io.cowbell'}}), 'ok')
s = conn()
for b in json.dumps({'method': M + 'List'}).encode() + b'\0':
    s.sendall(bytes([b]))
report('one byte at a time', 'ok' if b'apps' in s.recv(65536) else 'lost', 'ok')
# Descriptors that nobody asked for.
s = conn()
r, w = os.pipe()
s.sendmsg([json.dumps({'method': M + 'List'}).encode() + b'\0'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('200i', *([r] * 200)))])
report('unasked descriptors', 'ok' if s.recv(65536) else 'closed', 'ok')
# A peer that never reads.
lazy = conn()
lazy.setblocking(False)
try:
    for i in range(100000):
        lazy.send(json.dumps({'method': V + 'GetInterfaceDescription', 'parameters': {'interface': 'io.cowbell'}}).encode() + b'\0')
except (BlockingIOError, BrokenPipeError, ConnectionResetError):
    pass
report('others are served beside a peer that never reads', call({'method': M + 'List'}), 'ok')
many = []
try:
    for i in range(400):
        many.append(conn())
except OSError:
    pass
time.sleep(0.3)
for c in many:
    c.close()
time.sleep(0.3)
# One program that holds all it gets: it is told, others are served.
held, turned = [], []
for i in range(80):
    c = conn()
    r = call({'method': M + 'List'}, c)
    (held if r == 'ok' else turned).append(c)
    if r != 'ok':
        last = r
report('some are held', 20 <= len(held) <= 40, True)
report('the rest is told why', last, M + 'Busy')
said = subprocess.run(sys.argv[2:], capture_output=True, text=True)
report('another program gets in beside it', (said.returncode, said.stderr), (0, ''))
# So many that nobody gets in any more: what the command says then.
pids = []
sys.stdout.flush() # or each child says it again
for i in range(6):
    pid = os.fork()
    if pid == 0:
        keep = []
        for k in range(32):
            try:
                keep.append(conn())
            except OSError:
                pass
        time.sleep(20)
        os._exit(0)
    pids.append(pid)
for i in range(50):
    said = subprocess.run(sys.argv[2:], capture_output=True, text=True)
    if said.returncode:
        break
    time.sleep(0.1)
report('a full broker says so', said.stderr.strip(), 'cowbell: list: too many programs are connected: end some and try again')
for pid in pids:
    os.kill(pid, 9)
    os.waitpid(pid, 0)
for c in held + turned:
    c.close()
time.sleep(0.3)
report('after 400 connections', call({'method': M + 'List'}), 'ok')
# An upgrade that goes wrong.
req = {'method': M + 'Run', 'upgrade': True, 'parameters': {'app': 'victim', 'argv': ['sleep', '100'], 'env': [], 'cwd': '/', 'tty': 0, 'rows': 0, 'columns': 0}}
s = conn(); call(req, s); s.close()
s = conn(); call(req, s); s.sendall(b'x' * 1000); s.close()
s = conn(); call(req, s)
dirfd = os.open('/', os.O_RDONLY)
s.sendmsg([b'F'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('3i', dirfd, dirfd, dirfd))])
report('folders as standard descriptors', 'refused' if b'files, pipes' in s.recv(4096) else 'taken', 'refused')
s.close()
time.sleep(1)
report('nothing of those runs', json.loads((lambda c: (c.sendall(json.dumps({'method': M + 'Ps'}).encode() + b'\0'), c.recv(65536))[1])(conn())[:-1])['parameters']['sessions'], [])
P
python3 "$T/client.py" "$sock" "$BIN/cowbell" --root "$R" list
mark=$(cb mark)
like "a fresh system has a mark of its own" "$mark" '^[a-z]+ [a-z]+$'
is "and keeps it" "$(cb mark)" "$mark"
fails "no mark is none" 1 "not only blanks" cb mark ' '
is "another can be chosen" "$(cb mark 'blue hat' >/dev/null; cb mark)" 'blue hat'
is "the socket is the owner's alone" "$(stat -c '%a %u' "$sock")" "600 1000"
is "the owner may use it" "$(setpriv --reuid 1000 --regid 1000 --clear-groups "$BIN/cowbell" --root "$R" --json list | jq '.apps | length')" 1
fails "others may not" 1 "only root and the device's owner" setpriv --reuid 1234 --regid 1234 --clear-groups "$BIN/cowbell" --root "$R" list
is "no app reaches it" "$(sh_in victim "ls $sock 2>/dev/null | wc -l")" 0
ok "the broker has no rights" grep -q 'CapEff:.0000000000000000' "/proc/$(pgrep -P "$pid" -x cowbell-broker)/status"
fails "a second cowbelld on the same root" 1 "another cowbelld runs" "$BIN/cowbelld" --root "$R" --user $UID_OWNER --home "$H"
fails "an owner that is root" 1 "cannot be root" "$BIN/cowbelld" --root "$T/r2" --user 0 --home "$H"
fails "a home that is not there" 1 "open the owner's home" "$BIN/cowbelld" --root "$T/r2" --user 1000 --home "$T/nohome"
fails "an unknown board" 1 "there is no profile of a board 'toaster'" "$BIN/cowbelld" --root "$T/r2" --board toaster
fails "no cowbelld" 1 "start it: cowbelld --root" "$BIN/cowbell" --root "$T/r3" list
fails "an unknown verb" 2 "no verb" cb frobnicate
fails "an unknown option" 2 "has no option" cb list --frob

# A broker that can open nothing more says so, and is well afterwards.
stop
START_IN+=(prlimit --nofile=48:48)
start
cat >"$T/greedy.py" <<'P'
import os, socket, subprocess, sys, time
def hold():
    keep = []
    while len(keep) < 32:
        s = socket.socket(socket.AF_UNIX)
        s.connect(sys.argv[1])
        keep.append(s)
    return keep
kids = []
for i in range(2):
    r, w = os.pipe()
    kid = os.fork()
    if kid == 0:
        keep = hold()
        os.write(w, b'x')
        time.sleep(100)
        os._exit(0)
    os.read(r, 1)
    kids.append(kid)
try:
    for i in range(2):
        said = subprocess.run(sys.argv[2:], capture_output=True, text=True, timeout=10)
        print(said.returncode, said.stderr.strip())
finally:
    for kid in kids:
        os.kill(kid, 9)
        os.waitpid(kid, 0)
P
is "a broker that can open nothing more says so" "$(python3 "$T/greedy.py" "$sock" "$BIN/cowbell" --root "$R" list)" \
	"1 cowbell: list: Cowbell can open no more files: end some programs and try again
1 cowbell: list: Cowbell can open no more files: end some programs and try again"
ok "and is well afterwards" timeout 10 "$BIN/cowbell" --root "$R" list

# Nor is the number of a descriptor one that a small device does not have.
stop
START_IN=(unshare --net prlimit --nofile=64:64)
start
app few
is "where a process has 64 files, apps run" "$(cb shell few -c 'echo ran' </dev/null 2>"$T/err"; grep -v 'current folder' "$T/err")" ran
