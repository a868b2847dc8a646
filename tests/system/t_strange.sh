# SPDX-License-Identifier: MIT
# What an app may leave in its home so that nobody can list, undo or delete it.

app strange
cat >"$T/strange.py" <<'P'
import ctypes, os, socket
assert os.path.exists('/.cowbell'), 'only inside an app'
home = os.environ['HOME']
os.chdir(home)
def dig(top, name, count):
    os.mkdir(top); os.chdir(top)
    for i in range(count):
        os.mkdir(name); os.chdir(name)
    open('leaf', 'w').write('x')
    os.chdir(home)
def stamp(name, s):
    try:
        os.utime(name, (s, s))
    except OverflowError:  # this python counts in 32 bits; the kernel does not (utimensat_time64)
        time = (ctypes.c_int64 * 4)(s, 0, s, 0)
        if ctypes.CDLL(None, use_errno=True).syscall(412, -100, name.encode(), time, 0):
            raise OSError(ctypes.get_errno(), name)
dig('long', 'd' * 200, 60)
dig('deep', 'd', 1500)
f = os.open('sparse', os.O_CREAT | os.O_RDWR)
os.ftruncate(f, 1 << 42); os.pwrite(f, b'x', 1 << 41); os.close(f)
os.mkdir('names')
for b in (b'\n', b'\x1b[2J', b'\xff\xfe', b'a\tb', b'"\\', b'x' * 255, b'-rf', b'..\n', b'\xe2\x80\xae'):
    open(b'names/' + b, 'w').write('1')
os.mkdir('links'); open('links/0', 'w').write('x')
for i in range(1, 2000):
    os.link('links/0', 'links/%d' % i)
os.mkdir('closed'); open('closed/f', 'w').write('a'); os.chmod('closed/f', 0); os.chmod('closed', 0)
for n, s in (('t1901', -2**31), ('t2446', 2**33 + 2**32), ('tmax', 2**62)):
    open(n, 'w').write('1'); stamp(n, s)
open('setid', 'w').write('1'); os.chmod('setid', 0o7777)
os.mkfifo('fifo'); socket.socket(socket.AF_UNIX).bind('socket')
for a in ('user.overlay.opaque', 'user.overlay.redirect', 'user.overlay.whiteout'):
    os.setxattr('names', a, b'/etc')
print('done')
P
strange() { cb run strange -- python3 - <"$T/strange.py" 2>>"$T/notices"; }
settled() { # the changes of a session are a generation after its end
	for i in $(seq 100); do
		[ "$(cb --json ps | jq '.sessions | length')" = 0 ] && return
		sleep 0.1
	done
}
is "an app makes all of it" "$(strange)" "done"
settled
like "it becomes a generation" "$(cb generations strange)" 'run .*some of it too deep to be listed'
like "what can be listed is" "$(cb versions strange)" 'names/'
unlike "nothing of it reaches a terminal" "$(cb versions strange; cb diff strange)" $'\033'
ok "it is undone" cb rollback strange
is "and gone for the app" "$(sh_in strange 'ls ~/long ~/deep 2>/dev/null')" ""
is "once more" "$(strange)" "done"
settled
ok "it is reset" cb --yes reset strange --now
is "and gone" "$(sh_in strange 'ls ~/long ~/deep 2>/dev/null')" ""
for i in $(seq 300); do # a folder that goes while find reads it hides those below: such a look says nothing
	left=$(find "$R/state/store" -name 'd*d' 2>/dev/null) && [ -z "$left" ] && break
	left=${left:-something that goes while it is looked for}
	sleep 0.2
done
is "also from the disk" "$left" ""

# What cannot be merged piles up until nothing more can be stacked; the person gets out.
is "once more" "$(strange)" "done"
for i in $(seq 26); do sh_in strange "echo $i >~/n$i" 2>/dev/null; settled; done
is "after many runs it is all there" "$(cb run strange -- python3 - 2>/dev/null <<'P'
import os
n = 0
os.chdir(os.environ['HOME'] + '/long')
while os.path.isdir('d' * 200):
    os.chdir('d' * 200); n += 1
print(n, open('leaf').read())
P
)" "60 x"
is "with what came later" "$(sh_in strange 'cat ~/n1 ~/n26')" "1
26"
settled
like "the next run says what was not kept" "$(cb run strange -- true 2>&1)" "not a generation yet"
settled
fails "no undo without a word" 1 "cowbell rollback strange --now goes back without it" cb rollback strange
ok "with one" cb rollback strange --now
is "what was kept is there, the rest is not" "$(sh_in strange 'cat ~/n1; ls ~/n26 2>&1 | grep -c "No such"')" "1
1"
ok "the app goes" cb --yes uninstall strange
