# SPDX-License-Identifier: MIT
# What is never given, what is taken back, and what a death leaves.

app web
app other
heard=$T/heard
: >"$heard"
serve "$W" "$heard" 80
serve "$L" "$heard" 80
serve "$D" "$T/device" 80

connect() {
	cat <<P
timeout 30 python3 -c '
import socket, errno
try:
    s = socket.create_connection(("$1", $2), 10); s.sendall(b"ping"); print(s.recv(9).decode())
except OSError as e: print(errno.errorcode.get(e.errno, str(e)))'
P
}
asks() { cb --json prompts | jq '[.prompts[] | select(.state == "waiting" and (.permission | startswith("network")))] | length'; }
quiet() { # quiet SCRIPT -> its output, and whether it was asked about
	sh_in web "$1"
	[ "$(asks)" = 0 ] || echo "asked"
}
answer_next() { cb answer "$(waiting | jq .id)" "$1" --for "${2:-run}" >/dev/null; }
wait_for() { # wait_for COMMAND...: until it is true, 20 s at most
	local i
	for i in $(seq 200); do
		"$@" && return
		sleep 0.1
	done
	return 1
}

# --- nothing of the device, of other apps, of the link itself: before any grant and after

never() { # never WHEN
	local to
	for to in 203.0.113.2 192.168.77.2 2001:db8:1::2 198.18.0.1 198.18.7.7 169.254.1.1 fe80::1 224.0.0.1 255.255.255.255 ff02::1 0.0.0.0; do
		like "$1: $to is not given" "$(quiet "$(connect $to 80)" | tr '\n' ' ')" '^(ECONNREFUSED|EACCES|EPERM|ENETUNREACH|EINVAL|EHOSTUNREACH) $'
	done
}
cb run --detach other -- python3 -c '
import socket, time
s = socket.socket(); s.bind(("", 80)); s.listen()
print(s.accept(), flush=True)' </dev/null >"$T/other.out" 2>>"$T/notices"
cb grant other network allow >/dev/null
cb run --detach web -- sleep 500 </dev/null >/dev/null 2>&1
never "before"
cb grant web network allow >/dev/null
cb grant web network:local allow >/dev/null
is "the internet and the local network are there" "$(quiet "$(connect 198.51.100.10 80); $(connect 192.168.77.1 80)" | tr '\n' ' ')" "ping ping "
never "after"
is "no multicast" "$(sh_in web "python3 -c '
import socket
for to in (\"224.0.0.251\", \"255.255.255.255\"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    try: s.sendto(b\"x\", (to, 5353)); print(\"sent\")
    except OSError as e: print(e.strerror)'" | sort -u)" "Operation not permitted"
app_of() { # the pid of a process of app NAME whose command line begins with TEXT
	local p
	for p in $(pgrep -f "^$2"); do grep -qa "$R" "/proc/$(awk '/^PPid/ { print $2 }' "/proc/$p/status")/cmdline" 2>/dev/null || echo "$p"; done | head -n 1
}
addr=$(nsenter --net="/proc/$(app_of web 'sleep 500')/ns/net" ip -o -4 addr show dev eth0 | awk '{ print $4 }' | cut -d/ -f1)
like "it has an address of the pool" "$addr" '^198\.18\.'
is "from the internet nothing comes in" "$(ip -n "$W" route add 198.18.0.0/16 via 203.0.113.2; in_world timeout 10 python3 -c "
import socket
try: socket.create_connection(('$addr', 80), 2); print('connected')
except OSError as e: print('nothing')")" nothing
is "nor from the device" "$(in_device timeout 10 python3 -c "
import socket
try: socket.create_connection(('$addr', 80), 2); print('connected')
except OSError as e: print('nothing')")" nothing
is "nobody reached the other app" "$(cat "$T/other.out")" ""
is "nobody reached the device" "$(cat "$T/device" 2>/dev/null)" ""
cb stop other >/dev/null

# --- an app cannot touch its own rules, links and queue, not as root of its own either

for what in 'ip link set lo down' 'ip route add 203.0.113.0/24 dev lo' 'ip addr add 10.9.9.9/32 dev lo' 'nft flush ruleset' \
	'nft list ruleset' 'ip link add x type dummy'; do
	is "an app cannot: $what" "$(sh_in web "$what >/dev/null 2>&1 && echo done || echo no")" no
done
is "nor write the network's settings" "$(sh_in web 'echo 1 >/proc/sys/net/ipv4/ip_forward; cat /proc/sys/net/ipv4/ip_forward' 2>/dev/null)" 0
is "nor open raw and packet sockets, or mark packets" "$(sh_in web "python3 -c '
import socket
out = []
for f, t, p in ((socket.AF_PACKET, socket.SOCK_RAW, 3), (socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_NETLINK, socket.SOCK_RAW, 12)):
    try: socket.socket(f, t, p); out.append(\"open\")
    except OSError: out.append(\"no\")
s = socket.socket()
for level, option in ((socket.SOL_SOCKET, 36), (socket.SOL_IP, 19)):
    try: s.setsockopt(level, option, 1); out.append(\"set\")
    except OSError: out.append(\"no\")
print(*out)'")" "no no no no no"

# --- taken back while it runs

cat >"$T/stream.py" <<'P'
import socket, sys, errno, time
s = socket.create_connection((sys.argv[1], 80), 20)
s.sendall(b"stream" if sys.argv[2] == "talk" else b"idle")
s.settimeout(30)
got = 0
t = time.time()
try:
    while True:
        n = len(s.recv(65536))
        if n == 0: print("closed"); break
        if got == 0: print("got", flush=True)
        got += n
except OSError as e: print(errno.errorcode.get(e.errno, str(e)), flush=True)
P
cut() { # cut NAME ADDRESS talk|idle COMMAND...
	local what=$1 job
	rm -f "$T/stream.out"
	cb exec web -- python3 -c "$(cat "$T/stream.py")" "$2" "$3" </dev/null >"$T/stream.out" 2>>"$T/notices" &
	job=$!
	wait_for grep -qs got "$T/stream.out" || echo "not ok it streams"
	shift 3
	"$@" >/dev/null 2>&1
	wait_for test "$(wc -l <"$T/stream.out")" != 1
	like "$what" "$(tail -n 1 "$T/stream.out")" 'ECONNABORTED|ECONNRESET'
	kill $job 2>/dev/null
	wait $job 2>/dev/null
}
cut "revoke cuts a transfer" 198.51.100.10 talk cb revoke web network
cb grant web network allow >/dev/null
cut "revoke cuts a reader who never sends" 198.51.100.10 idle cb revoke web network
sh_in web "$(connect 198.51.100.10 80)" >"$T/again.out" &
job=$!
like "afterwards it is asked again" "$(waiting)" 198.51.100.10
answer_next no
wait $job
cb grant web network:198.51.100.11 allow >/dev/null
cb exec web -- python3 -c "$(cat "$T/stream.py")" 192.168.77.1 talk </dev/null >"$T/stays.out" 2>>"$T/notices" &
stays=$!
cb grant web network:local allow >/dev/null
wait_for grep -q got "$T/stays.out"
cut "a no for one host cuts it" 198.51.100.11 talk cb grant web network:198.51.100.11 no
is "and leaves the others" "$(cat "$T/stays.out")" got
cb grant web network:198.51.100.13 allow --for 4s >/dev/null
cut "time that runs out cuts too" 198.51.100.13 talk sleep 4
kill $stays 2>/dev/null
wait $stays 2>/dev/null
cb stop web >/dev/null

# --- deaths: nothing leaves that was not allowed

in_device timeout 120 tcpdump -Z root -nU -i eth0 -w "$T/capture" 2>"$T/dump.err" &
dump=$!
wait_for grep -q 'listening on' "$T/dump.err"
in_device ping -c 1 -W 1 198.51.100.11 >/dev/null 2>&1 # of the device's own: a capture without it saw nothing
cb revoke web network >/dev/null
cb revoke web network:local >/dev/null
cb run --detach web -- sh -c 'while :; do timeout 3 python3 -c "
import socket
socket.create_connection((\"198.51.100.12\", 80), 2)"; done' </dev/null >/dev/null 2>&1
waiting >/dev/null
mine() { # processes of this test's cowbelld called NAME
	local p
	for p in /proc/[0-9]*; do
		case $(readlink "$p/exe" 2>/dev/null) in
		"$BIN/$1") [ "$(awk '/^PPid/ { print $2 }' "$p/status")" != "$pid" ] || echo "${p#/proc/}" ;;
		esac
	done
}
kill -9 $(mine cowbell-broker)
sleep 1.5
ok "a question outlives the broker" waiting
kill -9 $(mine cowbell-supervisor)
sleep 1
cb run --detach web -- sh -c 'while :; do timeout 3 python3 -c "
import socket
socket.create_connection((\"198.51.100.12\", 80), 2)"; done' </dev/null >/dev/null 2>&1
waiting >/dev/null
kill -9 "$pid"
wait "$pid" 2>/dev/null
sleep 1
is "the table went with a cowbelld that was killed" "$(in_device nft list tables | grep -c cowbell)" 0
kill $dump
wait $dump 2>/dev/null
is "the capture saw what the device sent itself" "$(tcpdump -Z root -nr "$T/capture" 'icmp and dst host 198.51.100.11' 2>/dev/null | wc -l)" 1
is "and no packet to where nobody allowed it left the device" "$(tcpdump -Z root -nr "$T/capture" 'host 198.51.100.12 or net 198.18.0.0/16' 2>/dev/null | wc -l)" 0
forwards=$(in_device cat /proc/sys/net/ipv4/conf/eth0/forwarding)
is "what it left is undone by the next" "$forwards $(start >/dev/null; stop; in_device cat /proc/sys/net/ipv4/conf/eth0/forwarding)" "1 0"
start
