# SPDX-License-Identifier: MIT
# A network of the test's own, for t_net*.sh. The system runs in the namespace
# "device": its only uplink leads to "world", which is the internet, with the
# servers, and to "lan", the local network. Nothing leads out of them.
#
#   device  eth0 203.0.113.2/24, 2001:db8:1::2/64  --  world .1  ::1
#           eth1 192.168.77.2/24                   --  lan   .1

NET=cbt$$
D=$NET-device W=$NET-world L=$NET-lan

# Not "ip netns exec", which hides the control groups.
in_world() { nsenter --net="/run/netns/$W" "$@"; }
in_lan() { nsenter --net="/run/netns/$L" "$@"; }
in_device() { nsenter --net="/run/netns/$D" "$@"; }

# The host's resolver as the test wants it, in cowbelld's mount namespace alone.
echo 'nameserver 203.0.113.1' >"$T/resolv.conf"
START_IN=(nsenter "--net=/run/netns/$D" unshare --mount sh -c
	'mount --bind "$1" "$(readlink -f /etc/resolv.conf)" && shift && exec "$@"' sh "$T/resolv.conf")

net_down() {
	local n p
	for n in "$D" "$W" "$L"; do
		for p in $(ip netns pids "$n" 2>/dev/null); do kill -9 "$p" 2>/dev/null; done
		ip netns del "$n" 2>/dev/null
	done
}

net_up() {
	local n
	for n in "$D" "$W" "$L"; do
		ip netns add "$n"
		ip -n "$n" link set lo up
		nsenter --net="/run/netns/$n" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	done
	ip -n "$D" link add eth0 type veth peer name eth0 netns "$W"
	ip -n "$D" link add eth1 type veth peer name eth0 netns "$L"
	ip -n "$D" addr add 203.0.113.2/24 dev eth0
	ip -n "$D" addr add 2001:db8:1::2/64 dev eth0 nodad
	ip -n "$D" addr add 192.168.77.2/24 dev eth1
	ip -n "$W" addr add 203.0.113.1/24 dev eth0
	ip -n "$W" addr add 2001:db8:1::1/64 dev eth0 nodad
	ip -n "$L" addr add 192.168.77.1/24 dev eth0
	for n in 10 11 12 13; do
		ip -n "$W" addr add 198.51.100.$n/32 dev lo
		ip -n "$W" addr add 2001:db8:2::$n/128 dev lo nodad
	done
	ip -n "$D" link set eth0 up
	ip -n "$D" link set eth1 up
	ip -n "$W" link set eth0 up
	ip -n "$L" link set eth0 up
	ip -n "$D" route add default via 203.0.113.1
	ip -n "$D" -6 route add default via 2001:db8:1::1
	# Where a kernel cannot forward IPv6 by interface, a router's device may.
	[ -e /proc/sys/net/ipv6/conf/all/force_forwarding ] || in_device sysctl -qw net.ipv6.conf.all.forwarding=1
}

# serve NAMESPACE FILE: a TCP echo of one line and a UDP echo, on many addresses;
# writes what it hears into FILE.
cat >"$T/server.py" <<'P'
import socket, sys, threading
log = open(sys.argv[1], "a", buffering=1)
port = int(sys.argv[2])
def tcp(s):
    while True:
        c, peer = s.accept()
        threading.Thread(target=talk, args=(c, peer), daemon=True).start()
def talk(c, peer):
    log.write("tcp %s %d\n" % (peer[0], port))
    try:
        while True:
            data = c.recv(65536)
            if not data: break
            if data.startswith(b"GET "):
                c.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"); break
            if data.startswith(b"stream"):
                while True: c.sendall(b"x" * 1000); threading.Event().wait(0.05)
            c.sendall(data)
    except OSError as e:
        log.write("cut %s\n" % e)
    c.close()
def udp(s):
    while True:
        data, peer = s.recvfrom(65536)
        log.write("udp %s %d %s\n" % (peer[0], port, data[:20]))
        s.sendto(b"echo " + data, peer)
import subprocess
own = [a.split()[3].split("/")[0] for a in subprocess.run(["ip", "-o", "addr"], stdout=subprocess.PIPE, text=True).stdout.splitlines()]
for any in ["0.0.0.0", "::"] + [a for a in own if not a.startswith("fe80")]:
    fam = socket.AF_INET6 if ":" in any else socket.AF_INET
    # A datagram's answer comes from the address that was asked.
    for kind, loop in ((socket.SOCK_STREAM, tcp), ) if any in ("0.0.0.0", "::") else ((socket.SOCK_DGRAM, udp), ):
        s = socket.socket(fam, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if fam == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((any, port))
        if kind == socket.SOCK_STREAM: s.listen(64)
        threading.Thread(target=loop, args=(s,), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
P

serve() { # serve NAMESPACE LOG PORT
	local pipe
	pipe=$T/serve.$RANDOM
	mkfifo "$pipe"
	nsenter --net="/run/netns/$1" python3 "$T/server.py" "$2" "$3" >"$pipe" 2>&1 &
	read -r -t 10 _ <"$pipe" || echo "not ok a test server starts"
	rm -f "$pipe"
}

# Names of the world: dnsmasq answers for a few, and knows no others.
serve_names() { # serve_names LOG [OPTION...]
	local log=$1
	shift
	in_world dnsmasq --no-daemon --no-resolv --no-hosts --log-queries --log-facility="$log" --pid-file= --user=root \
		--listen-address=203.0.113.1 --bind-interfaces \
		--host-record=ads.example.com,198.51.100.10,2001:db8:2::10 --host-record=good.example.org,198.51.100.11 \
		--host-record=www.example.net,198.51.100.12 --host-record=evil.example.com,192.168.77.1 \
		--host-record=v6.example.org,2001:db8:2::13 --host-record=nas.lan,192.168.77.1 \
		--address=/#/ "$@" >/dev/null 2>&1 &
	local i
	for i in $(seq 50); do
		in_world python3 -c 'import socket; s = socket.create_connection(("203.0.113.1", 53), 1)' 2>/dev/null && return
		sleep 0.1
	done
	echo "not ok the names' server starts"
}
