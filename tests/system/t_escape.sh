# SPDX-License-Identifier: MIT
# Ways out of a session that are no system call which is simply refused (t_abi, t_root)
# and no way round a gate (t_hostile).

app evil
cat >"$T/try.py" <<'P'
import array, ctypes, fcntl, os, resource, signal, socket, stat, struct, sys, time
assert os.path.exists('/.cowbell'), 'only inside an app'
home = os.environ['HOME']
os.chdir(home)
libc = ctypes.CDLL(None, use_errno=True)
WORD = ctypes.sizeof(ctypes.c_long)
HIGH = 1 << 32 if WORD == 8 else 0 # the kernel does not look at it, a filter may
bad = []

def refused(name, fn):
    """fn has to fail, or to return something false."""
    try:
        got = fn()
    except (OSError, ValueError):
        return
    if got:
        bad.append('%s: %r' % (name, got))

def done(fn, *args):
    return lambda: (fn(*args), 'done')[1]

def number(x86_64, arm64, arm):
    return {'x86_64': x86_64, 'armv7l': arm, 'armv8l': arm}.get(os.uname().machine, arm64) if WORD == 8 else arm

def call(nr, *args):
    if libc.syscall(nr, *[ctypes.c_ulong(a) if isinstance(a, int) else a for a in args]) < 0:
        raise OSError(ctypes.get_errno(), '')

def put(path, what):
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, what)
    finally:
        os.close(fd)

# Descriptors that it was not given: the list itself is closed by now.
for n in [int(n) for n in os.listdir('/proc/self/fd')]:
    try:
        if n > 2 and os.fstat(n):
            bad.append('descriptor %d is %s' % (n, os.readlink('/proc/self/fd/%d' % n)))
    except OSError:
        pass

# Marks of overlayfs in the app's own layer.
os.makedirs('d/e', exist_ok=True)
open('d/f', 'w').write('x')
for x in ('trusted.overlay.opaque', 'trusted.overlay.redirect', 'trusted.overlay.metacopy', 'security.capability'):
    refused('set ' + x, done(os.setxattr, 'd', x, b'/etc'))
    refused('see ' + x, lambda: os.getxattr('d', x))
refused('make a whiteout', done(os.mknod, 'd/w', stat.S_IFCHR | 0o600, os.makedev(0, 0)))
refused('a device of a disk', done(os.mknod, 'd/b', stat.S_IFBLK | 0o600, os.makedev(8, 0)))
RENAME_WHITEOUT = 4
refused('leave a whiteout', done(call, number(316, 276, 382), -100, b'd/f', -100, b'd/g', RENAME_WHITEOUT))

# Flags and project ids on the file system that everybody's layers are on.
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS = 0x80006601 | WORD << 16, 0x40006602 | WORD << 16
FSGETXATTR, FSSETXATTR = 0x801c581f, 0x401c5820
fd = os.open('d/f', os.O_RDONLY)
def flags(bit):
    b = array.array('L', [0])
    fcntl.ioctl(fd, FS_IOC_GETFLAGS, b)
    b[0] |= bit
    fcntl.ioctl(fd, FS_IOC_SETFLAGS, b)
refused('immutable', done(flags, 0x10))
refused('append only', done(flags, 0x20))
def project():
    b = bytearray(28)
    fcntl.ioctl(fd, FSGETXATTR, b)
    struct.pack_into('I', b, 12, 12345)
    fcntl.ioctl(fd, FSSETXATTR, b)
refused('a project id', done(project))

# Who guards it.
for p in ('root', 'cwd', 'exe', 'fd', 'mem', 'maps', 'environ', 'ns/mnt', 'map_files', 'task/1/root', 'fdinfo'):
    p = '/proc/1/' + p
    refused(p, lambda: os.listdir(p) or 'empty' if os.path.isdir(p) else open(p, 'rb').read(1) or 'empty')
refused('the program of pid 1, for writing', lambda: open('/proc/1/exe', 'r+b'))
for f in ('oom_score_adj', 'coredump_filter', 'uid_map', 'gid_map', 'setgroups', 'attr/current', 'timens_offsets'):
    refused('write to %s of pid 1' % f, done(put, '/proc/1/' + f, b'0\n'))
for f in ('uid_map', 'gid_map'):
    refused('write to its own ' + f, done(put, '/proc/self/' + f, b'0 0 1\n'))
def kill_init():
    os.kill(1, signal.SIGKILL) # "works", and does nothing: it is the first of its namespace
    os.kill(1, signal.SIGTERM)
    time.sleep(0.1)
try:
    kill_init()
except PermissionError:
    pass

# Cores are the host's to write: they stay off, no program is started for one, and who
# switches them off is not told that it failed.
for want in ((0, 0), (resource.RLIM_INFINITY, resource.RLIM_INFINITY)):
    resource.setrlimit(resource.RLIMIT_CORE, want)
core = [l.split() for l in open('/proc/self/limits') if l.startswith('Max core')][0]
if core[4:6] != ['1', '1']:
    bad.append('cores: %s' % core)
refused('the old size of cores with a new one', done(resource.prlimit, 0, resource.RLIMIT_CORE, (0, 0)))
child = os.fork()
if child == 0:
    os.abort()
status = os.waitpid(child, 0)[1]
if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGABRT or os.WCOREDUMP(status):
    bad.append('a crash ends with %x' % status)

# Controls of terminals, also under numbers with bits that the kernel cuts off.
pty = os.open('/dev/ptmx', os.O_RDWR | os.O_NOCTTY)
for name, request in (('TIOCSTI', 0x5412), ('TIOCCONS', 0x541d), ('TIOCVHANGUP', 0x5437), ('TIOCSETD', 0x5423),
                      ('TIOCLINUX', 0x541c)):
    for high in {0, HIGH}:
        refused('%s %x' % (name, high), done(call, number(16, 29, 54), pty, request | high, b'\1\0\0\0'))
refused('/dev/autofs', lambda: os.open('/dev/autofs', os.O_RDONLY))

# Sockets of services, and sockets that no rule sees.
def walk_sockets():
    found = []
    for top, dirs, files in os.walk('/'):
        dirs[:] = [d for d in dirs if os.path.join(top, d) not in ('/proc', '/sys', '/usr', home)]
        found += [p for p in (os.path.join(top, f) for f in files) if stat.S_ISSOCK(os.lstat(p).st_mode)]
    return found
refused('sockets of services', walk_sockets)
refused('abstract sockets', lambda: [l.split()[-1] for l in open('/proc/net/unix') if '@' in l])
SOCKET, PAIR = number(41, 198, 281), number(53, 199, 288)
pair = ctypes.create_string_buffer(8)
for family, protocol in ((16, 12), (17, 0), (30, 0), (38, 0), (40, 0), (44, 0)):
    for high in {0, HIGH}:
        refused('socket %d %x' % (family, high), done(call, SOCKET, family | high, socket.SOCK_RAW, protocol | high))
        refused('pair %d %x' % (family, high), done(call, PAIR, family | high, socket.SOCK_SEQPACKET, 0, pair))
s = socket.socket()
for name, level, option, value in (('SO_MARK', 1, 36, 1), ('IP_TRANSPARENT', 0, 19, 1), ('SO_PRIORITY', 1, 12, 7),
                                   ('IPV6_TRANSPARENT', 41, 75, 1)):
    refused(name, done(s.setsockopt, level, option, value))
refused('a raw socket', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))

for what, fn in (('nice -5', done(os.nice, -5)),
                 ('a real-time turn', done(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))),
                 ('the clock', done(time.clock_settime, time.CLOCK_REALTIME, time.time())),
                 ('more files', done(resource.setrlimit, resource.RLIMIT_NOFILE, (10**6, 10**6))),
                 ('chroot', done(os.chroot, '/tmp')), ('uid 0', done(os.setuid, 0))):
    refused(what, fn)
for b in bad:
    print(b)
print('end')
P
is "none of them leads anywhere" "$(cb run evil -- python3 - <"$T/try.py" 2>&1 | grep -v 'current folder')" end
