# SPDX-License-Identifier: MIT
# board
# What is refused to a program of one ABI is refused to one of every other that this
# kernel serves; and a program that this kernel cannot map is told so.

refused='unshare setns mount umount2 pivot_root ptrace bpf perf_event_open keyctl add_key request_key userfaultfd
open_by_handle_at name_to_handle_at process_vm_readv process_vm_writev init_module finit_module delete_module swapon acct
reboot quotactl fanotify_init syslog vhangup settimeofday clock_settime adjtimex kcmp sethostname clone pidfd_getfd'
absent='open_tree move_mount fsopen clone3 mount_setattr io_setup io_uring_setup io_uring_enter memfd_secret statmount listmount'

# refusals: the lines of a probe on stdin that are not as they have to be
wrong() {
	awk -F': ' -v refused="$refused" -v absent="$absent" '
	BEGIN {
		n = split(refused, names, /[ \n]+/); for (i = 1; i <= n; i++) want[names[i]] = "EPERM"
		n = split(absent, names, /[ \n]+/); for (i = 1; i <= n; i++) want[names[i]] = "ENOSYS"
		want["clone NEWNS"] = want["clone NEWNET"] = want["TIOCSTI"] = want["TIOCLINUX"] = "EPERM"
		n = split("PACKET VSOCK ALG BLUETOOTH netfilter", names, " "); for (i = 1; i <= n; i++) want["socket " names[i]] = "EAFNOSUPPORT"
		want["socketpair TIPC"] = "EOPNOTSUPP"
		want["setrlimit CORE"] = want["prlimit CORE"] = want["prlimit CORE, look"] = "done"
		want["setrlimit NOFILE"] = want["prlimit NOFILE"] = "EFAULT"
		want["getpid"] = want["socket UNIX"] = want["socket INET"] = want["socket routes"] = "done"
	}
	{ seen[$1] = 1; if (want[$1] != $2) print $0 " and not " want[$1] }
	END { for (name in want) if (!seen[name]) print name ": not tried" }'
}

fails "a probe does nothing outside of a session" 3 "not in a session" "$BIN/abi-probe" refused
ok "a probe installs" cb install --name probe "$BIN/abi-probe"
cb run probe -- refused </dev/null >"$T/native" 2>/dev/null
is "this CPU's own calls are refused" "$(wrong <"$T/native")" ""

case $(uname -m) in
x86_64)
	if "$BIN/abi-probe" int80 >/dev/null 2>&1; then
		cb run probe -- refused int80 </dev/null >"$T/other" 2>/dev/null
		is "and those of 32 bits" "$(wrong <"$T/other")" ""
	else
		skip "calls of 32 bits" "IA32_EMULATION"
	fi
	;;
aarch64)
	if "$BIN/abi-probe-armhf" >/dev/null 2>&1; then
		ok "a probe of 32 bits installs beside 64" cb install --name probe32 "$BIN/abi-probe-armhf"
		cb run probe32 -- refused </dev/null >"$T/other" 2>/dev/null
		is "and its calls are refused as well" "$(wrong <"$T/other")" ""
	else
		skip "programs of armhf" "AArch32"
	fi
	;;
*) skip "a second ABI" "programs of other CPUs" ;;
esac

# Segments that begin within a page, as many programs for armhf have them.
if [ "$(getconf PAGESIZE)" -gt 4096 ]; then
	cat >"$T/bend.py" <<'P'
import struct, sys
data = bytearray(open(sys.argv[1], 'rb').read())
at, size, n = struct.unpack_from('<Q', data, 32)[0], *struct.unpack_from('<HH', data, 54)
loads = [at + i * size for i in range(n) if struct.unpack_from('<I', data, at + i * size)[0] == 1]
offset, = struct.unpack_from('<Q', data, loads[-1] + 8)
struct.pack_into('<Q', data, loads[-1] + 8, offset ^ 0x1000)
open(sys.argv[2], 'wb').write(data)
P
	python3 "$T/bend.py" "$BIN/abi-probe" "$T/small-pages"
	chmod 755 "$T/small-pages"
	ok "a program for smaller pages installs" cb install --name small "$T/small-pages"
	fails "and is told why it does not run" 126 "is built for pages of 4096 bytes, this kernel has $(getconf PAGESIZE)" cb run small
	printf '#!%s\n' /usr/local/bin/small-pages >"$T/script"
	fails "also as what runs a script" 126 "is built for pages of 4096 bytes" cb run small -- x
else
	skip "programs for smaller pages" "pages larger than 4 KiB"
fi
