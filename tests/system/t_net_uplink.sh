# SPDX-License-Identifier: MIT
# The way to the internet moves, changes its address, and is gone, while an app runs
# that may use it: it goes on by the new one, and offline looks like offline.

app web
heard=$T/heard
: >"$heard"
ip -n "$D" link add eth2 type veth peer name eth1 netns "$W"
ip -n "$D" addr add 203.0.114.2/24 dev eth2
ip -n "$W" addr add 203.0.114.1/24 dev eth1
ip -n "$W" link set eth1 up
ip -n "$D" link set eth2 up
serve "$W" "$heard" 80
serve_names "$T/asked"

connect() {
	cat <<P
timeout 30 python3 -c '
import socket, errno
try:
    s = socket.create_connection(("$1", 80), 20); s.sendall(b"ping"); print(s.recv(9).decode())
except socket.gaierror as e: print("gai", e.errno)
except OSError as e: print(errno.errorcode.get(e.errno, str(e)))'
P
}
last_peer() { tail -n 1 "$heard" | cut -d' ' -f2; }
from() { # from DESCRIPTION ADDRESS: the app reaches the internet, which sees ADDRESS
	is "$1" "$(sh_in web "$(connect 198.51.100.10)") $(last_peer)" "ping $2"
}
said() { # said FILE TEXT: within 20 s
	local i
	for i in $(seq 200); do
		grep -qE "$2" "$1" && return
		sleep 0.1
	done
	return 1
}

cb grant web network allow >/dev/null
cb run --detach web -- sleep 300 </dev/null >/dev/null 2>&1
from "by the first uplink" 203.0.113.2
forwarding() { in_device cat /proc/sys/net/ipv4/conf/eth0/forwarding /proc/sys/net/ipv4/conf/eth2/forwarding | tr '\n' ' '; }
is "which alone forwards" "$(forwarding)" "1 0 "

cb exec web -- python3 -uc '
import socket, errno
s = socket.create_connection(("198.51.100.10", 80), 20); s.sendall(b"stream"); s.settimeout(60)
got = 0
try:
    while True:
        n = len(s.recv(65536))
        if n == 0: print("closed"); break
        if got == 0: print("got")
        got += n
        s.sendall(b"more")
except OSError as e: print(errno.errorcode.get(e.errno, str(e)))' </dev/null >"$T/stream.out" 2>&1 &
cb exec web -- python3 -uc '
import os, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(0.5); s.connect(("198.51.100.10", 80))
n = 0
while not os.path.exists(os.path.expanduser("~/enough")):
    try: s.send(b"x"); s.recv(99); n += 1; print("answer", n)
    except OSError: print("lost")
    time.sleep(0.1)' </dev/null >"$T/udp.out" 2>&1 &
datagrams=$!
ok "a transfer and datagrams are under way" said "$T/stream.out" got
ok "both" said "$T/udp.out" answer
ip -n "$D" route replace default via 203.0.114.1 dev eth2
from "by the second, once the route has moved" 203.0.114.2
ok "a transfer by the old one ends" said "$T/stream.out" 'ECONN|closed'
: >"$T/udp.out"
ok "datagrams go on" said "$T/udp.out" answer
is "nobody was asked" "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" 0

ip -n "$D" addr del 203.0.114.2/24 dev eth2
ip -n "$D" addr add 203.0.114.3/24 dev eth2
ip -n "$D" route replace default via 203.0.114.1 dev eth2
from "with its new address" 203.0.114.3

# A link that goes takes its settings along.
ip -n "$D" link del eth2
ip -n "$D" link add eth2 type veth peer name eth1 netns "$W"
ip -n "$W" addr add 203.0.114.1/24 dev eth1
ip -n "$W" link set eth1 up
ip -n "$D" link set eth2 up
ip -n "$D" addr add 203.0.114.4/24 dev eth2

# What the device's own programs see, the app sees. The kernel says "unreachable" to
# an app once a second: datagrams would take what the connection is to hear.
sh_in web 'touch ~/enough'
wait $datagrams
ip -n "$D" route del default 2>/dev/null
is "no way: the device itself" "$(in_device sh -c "$(connect 198.51.100.10)")" ENETUNREACH
like "the app: offline" "$(sh_in web "$(connect 198.51.100.10)")" '^(ENETUNREACH|EHOSTUNREACH)$'
echo 'nameserver 192.0.2.53' >"$T/resolv.conf"
is "names too" "$(sh_in web "$(connect good.example.org)")" "gai -3"
is "and nobody is asked" "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" 0
echo 'nameserver 203.0.113.1' >"$T/resolv.conf"

ip -n "$D" route add default via 203.0.114.1 dev eth2
from "a link that came back" 203.0.114.4
ip -n "$D" route replace default via 203.0.113.1 dev eth0
from "and the first again" 203.0.113.2
is "names as well" "$(sh_in web "$(connect good.example.org)")" ping
cb stop web >/dev/null
stop
is "forwarding is as it was" "$(forwarding)" "0 0 "
start
