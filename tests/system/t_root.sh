# SPDX-License-Identifier: MIT
# board
# What an app sees, and what it cannot do.

app probe
status=$(sh_in probe 'cat /proc/self/status')
like "no capabilities" "$status" 'CapEff:.0000000000000000'
like "no capabilities in the bounding set" "$status" 'CapBnd:.0000000000000000'
like "no new privileges" "$status" 'NoNewPrivs:.1'
like "a seccomp filter" "$status" 'Seccomp:.2'
like "no groups of the host" "$status" 'Groups:.(60|60 65536|65536 60)[[:space:]]*$' # inside: the app's own games, and whom LEDs may be given to
is "the owner's uid inside" "$(sh_in probe 'id -u')" 1000
is "the owner's home inside" "$(sh_in probe 'echo $HOME')" "$H"
is "umask" "$(sh_in probe umask)" 0022
ok "open files are bounded" test "$(sh_in probe 'ulimit -Hn')" -le 8192
is "only the standard descriptors" "$(sh_in probe 'ls /proc/self/fd | tr "\n" " "')" "0 1 2 3 "
unlike "nothing of the caller's environment" "$(SECRET_TOKEN=x sh_in probe env)" 'SECRET_TOKEN|SUDO|SSH'
is "no host processes" "$(sh_in probe 'ls -d /proc/[0-9]* | wc -l | awk "{print (\$1 < 8)}"')" 1
for p in environ root exe; do
	unlike "pid 1 keeps its $p" "$(sh_in probe "cat /proc/1/$p 2>&1; readlink /proc/1/$p 2>&1")" '=|^/'
done
is "no store, no state" "$(sh_in probe "ls -d $R 2>/dev/null | wc -l")" 0
is "the host's own home folder is not there" "$(sh_in probe "ls -A /root 2>/dev/null | wc -l")" 0
is "password hashes are locked" "$(sh_in probe 'cut -d: -f2 /etc/shadow 2>/dev/null | grep -c "\\$"')" 0
is "no machine id" "$(sh_in probe 'cat /etc/machine-id 2>/dev/null | wc -c')" 0
# Of /etc shows what packages brought and nobody changed, and a list.
like "what programs need of /etc is there" "$(sh_in probe 'cd /etc; ls -d ld.so.cache localtime alternatives ssl/certs os-release fonts services debian_version 2>&1 | tr "\n" " "')" 'alternatives.*debian_version.*ld.so.cache.*localtime.*os-release.*ssl/certs'
for f in environment fstab profile motd subuid apt/trusted.gpg ssl/private .pwd.lock; do
	is "what this machine alone has is not: $f" "$(sh_in probe "ls -d /etc/$f 2>/dev/null")" ""
done
is "nor can it make it show" "$(sh_in probe 'cat /etc/../etc/fstab 2>/dev/null')" ""
unlike "the kernel's command line is hidden" "$(sh_in probe 'cat /proc/cmdline')" '[a-z]'
for f in diskstats partitions interrupts locks swaps config.gz sys/kernel/random/boot_id; do
	is "nothing of the host as a whole: /proc/$f" "$(sh_in probe "cat /proc/$f 2>/dev/null | wc -c")" 0
done
for f in stat meminfo cpuinfo loadavg uptime version sys/kernel/osrelease sys/kernel/random/uuid; do
	like "what programs run by is there: /proc/$f" "$(sh_in probe "cat /proc/$f 2>/dev/null | wc -c")" '^[1-9]'
done
is "when memory runs out apps go first, and cannot change that" "$(sh_in probe '(echo 0 >/proc/self/oom_score_adj) 2>/dev/null; cat /proc/self/oom_score_adj')" 500
limit=$(cat "$(find /sys/fs/cgroup -path '*/cowbell.*/*/memory.max' 2>/dev/null | head -n 1)" 2>/dev/null </dev/null)
if [ -z "$limit" ]; then
	skip "a bound on memory" "the memory controller on cgroup v2"
	like "and doctor says so" "$(cb doctor)" 'the kernel ends apps before anything else'
else
	cb run --detach probe -- sleep 1000 </dev/null >/dev/null 2>&1
	is "an app has a bound on its memory" "$(cat /sys/fs/cgroup/cowbell.*/*/memory.max | grep -cE '^[0-9]+$')" 1
	cb stop probe >/dev/null
fi
like "doctor knows the bound on processes" "$(cb doctor)" 'process limit: 4096 an app'
# All that an app can keep in memory as files: a quarter of it at most, and few names.
is "private file systems in memory are bounded" "$(sh_in probe 'df -k --output=size /tmp /dev/shm /run | awk "NR > 1 {n += \$1} END {getline l <\"/proc/meminfo\"; split(l, m, \" +\"); print (n > 0 && n <= m[2] / 4) ? \"ok\" : n \" of \" m[2]}"')" ok
is "and in names" "$(sh_in probe 'df --output=itotal /tmp /dev/shm /run | awk "NR > 1 {n += \$1} END {print (n > 0 && n <= 65536) ? \"ok\" : n}"')" ok
like "devices are the harmless few" "$(sh_in probe 'ls /dev | tr "\n" " "')" '^(core|fd|full|mqueue|null|ptmx|pts|random|shm|stderr|stdin|stdout|tty|urandom|zero|\.gate| )+$'
for c in 'mount -t tmpfs t /mnt' 'umount /proc' 'umount -l /tmp' 'mount -o remount,rw /' 'unshare -U true' \
	'unshare -m true' 'unshare -n true' 'chroot / true' 'mknod /tmp/n b 8 0' 'mknod /tmp/n c 1 1' 'dmesg' 'reboot -f' \
	'swapoff /dev/null' 'hostname x'; do
	fails "refused: $c" 0 refused sh_in probe "PATH=\$PATH:/sbin:/usr/sbin; $c >/dev/null 2>&1 && echo done || echo refused"
done
# What is covered by /dev/null takes everything, and does nothing.
for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/sys/vm/drop_caches /sys/kernel/uevent_helper \
	/sys/fs/cgroup/release_agent /proc/sys/kernel/modprobe; do
	is "not writable: $f" "$(sh_in probe "[ \"\$(stat -c %t:%T $f 2>/dev/null)\" != 1:3 ] && (echo x >$f) 2>/dev/null && echo written || echo refused")" refused
done

python=$(command -v python3)
is "system calls that could undo the gates" "$(sh_in probe "$(basename "$python") - <<'P'
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(nr, *args):
    ctypes.set_errno(0)
    r = libc.syscall(nr, *args)
    return errno.errorcode.get(ctypes.get_errno(), 'ok') if r < 0 else 'ok'
import platform, struct
cpu = 0 if platform.machine() == 'x86_64' else 1 if struct.calcsize('P') == 8 else 2 # 2: 32-bit ARM
nrs = dict(open_tree=428, move_mount=429, fsopen=430, fsmount=432, mount_setattr=442, clone3=435,
           io_uring_setup=425, bpf=(321, 280, 386)[cpu], keyctl=(250, 219, 311)[cpu], ptrace=(101, 117, 26)[cpu],
           userfaultfd=(323, 282, 388)[cpu], perf_event_open=(298, 241, 364)[cpu], pidfd_getfd=438,
           open_by_handle_at=(304, 265, 371)[cpu], statmount=457, listmount=458, open_tree_attr=467)
out = []
for name, nr in nrs.items():
    e = call(nr, 0, 0, 0, 0, 0)
    out.append(name if e not in ('EPERM', 'ENOSYS') else '')
for family in (17, 38, 40, 15, 31):
    try:
        socket.socket(family, socket.SOCK_RAW)
        out.append('family %d' % family)
    except OSError:
        pass
print(' '.join(x for x in out if x) or 'all refused')
P")" "all refused"

cb grant probe network no >/dev/null
is "a network that was refused is refused at once" "$(sh_in probe "timeout 5 python3 - <<'P'
import socket, errno, time
t = time.time()
out = []
for addr in ('203.0.113.1', '198.51.100.1'):
    s = socket.socket()
    s.settimeout(3)
    try:
        s.connect((addr, 80)); out.append('connected')
    except OSError as e:
        out.append(errno.errorcode[e.errno])
try:
    socket.getaddrinfo('example.org', 80); out.append('resolved')
except OSError:
    out.append('no name')
out.append('quick' if time.time() - t < 2 else 'slow')
print(' '.join(out))
P")" "ECONNREFUSED ECONNREFUSED no name quick"
is "loopback works" "$(sh_in probe "python3 - <<'P'
import socket
a = socket.socket(); a.bind(('127.0.0.1', 0)); a.listen(); b = socket.create_connection(a.getsockname()); print('connected')
P")" connected

is "an app cannot change what it sees of the host" "$(sh_in probe 'echo x >>/etc/hostname 2>/dev/null; rm -f /usr/bin/env 2>/dev/null; ls /usr/bin/env')" /usr/bin/env
ok "a session that changed nothing leaves no generation" test "$(cb --json generations probe | jq '.generations | length')" = 1
sh_in probe 'echo mine >~/note; mkdir -p ~/d/e; ln -s /etc/passwd ~/link; touch ~/.hidden'
is "one that did leaves one" "$(cb --json generations probe | jq '.generations | length')" 2
is "and the next session has it" "$(sh_in probe 'cat ~/note')" mine
is "exit statuses come through" "$(sh_in probe 'exit 37'; echo $?)" 37
is "signals come through" "$(cb shell probe -c 'kill -TERM $$' </dev/null 2>/dev/null; echo $?)" 143
is "standard input passes" "$(echo fed | cb shell probe -c cat 2>/dev/null)" fed
is "127 for no program" "$(sh_in probe 'exec /nonexistent' 2>/dev/null; echo $?)" 127
fails "folders are no standard input" 126 "files, pipes or stream sockets" bash -c "'$BIN/cowbell' --root '$R' shell probe -c true </"
fails "an unknown app" 126 "no app of this name" cb run nosuch
