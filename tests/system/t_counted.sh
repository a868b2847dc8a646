# SPDX-License-Identifier: MIT
# What the kernel counts for a user is counted for an app alone: one that uses up all
# of it takes nothing from the host's root, or from another app.

app greedy
app modest
cat >"$T/use.py" <<'P'
import ctypes, errno, os, resource, signal, sys, time
assert os.path.exists('/.cowbell'), 'only inside an app'
libc = ctypes.CDLL(None, use_errno=True)
made = 0
while made < 100000 and libc.inotify_init1(0) >= 0:
    made += 1
print('inotify', made, errno.errorcode[ctypes.get_errno()], flush=True)
signal.pthread_sigmask(signal.SIG_BLOCK, range(34, 65))
queued = 0
while queued < 1000000 and libc.sigqueue(os.getpid(), 40, ctypes.c_void_p(0)) == 0:
    queued += 1
print('signals', errno.errorcode[ctypes.get_errno()], flush=True)
queues = []
rt = ctypes.CDLL('librt.so.1', use_errno=True)
while len(queues) < 10000:
    q = rt.mq_open(b'/q%d' % len(queues), os.O_CREAT | os.O_RDWR, 0o600, None)
    if q < 0:
        break
    queues.append(q)
print('queues', errno.errorcode.get(ctypes.get_errno()), flush=True)
open(os.environ['HOME'] + '/.used', 'w').close()
while not os.path.exists(os.environ['HOME'] + '/.go'):
    time.sleep(0.1)
P
cat >"$T/need.py" <<'P'
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
rt = ctypes.CDLL('librt.so.1', use_errno=True)
name = b'/cowbell-test-%d' % os.getpid()
out = ['inotify' if libc.inotify_init1(0) < 0 else '', 'signals' if libc.sigqueue(os.getpid(), 40, ctypes.c_void_p(0)) else '']
q = rt.mq_open(name, os.O_CREAT | os.O_RDWR, 0o600, None)
out.append('queues' if q < 0 else '')
rt.mq_unlink(name)
print(' '.join(o for o in out if o) or 'nothing')
P
before=$(python3 "$T/need.py") # this machine may lack something by itself
cb run greedy -- python3 - <"$T/use.py" >"$T/used" 2>>"$T/notices" &
job=$!
for i in $(seq 300); do grep -q queues "$T/used" && break; sleep 0.1; done
like "an app gets what a user may have, and no more" "$(tr '\n' ' ' <"$T/used")" 'inotify [0-9]+ EMFILE signals EAGAIN queues (EMFILE|ENOSPC|ENOMEM)'
is "the host's root lacks nothing by it" "$(python3 "$T/need.py")" "$before"
is "nor does another app" "$(cb run modest -- python3 - <"$T/need.py" 2>>"$T/notices")" nothing
for i in $(seq 100); do cb exec greedy -- touch "$H/.go" </dev/null 2>/dev/null && break; sleep 0.1; done
wait $job
is "what it used is free again" "$(cb run greedy -- python3 - <"$T/need.py" 2>>"$T/notices")" nothing
