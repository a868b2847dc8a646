# SPDX-License-Identifier: MIT
# The host's own firewall drops what an app was allowed: who sits at the app is told,
# doctor names whose it is and the cure, which is then done to the letter and works.
# The firewalls are Debian's, in a root of their own over the device's network.

tools/fetch-debs.sh build/debs ufw iptables firewalld >/dev/null 2>&1 || { echo "skip firewalls: this machine lacks a source of packages"; return 0; }

app web
serve "$W" "$T/heard" 80
serve "$L" "$T/heard" 80
cb grant web network allow >/dev/null
cb grant web network:local allow >/dev/null

# --- their programs, which write nowhere but into a file system in memory

mkdir -p "$T/mem" "$T/fw"
unshare --mount --propagation private sh -c '
	set -e
	mount -t tmpfs tmpfs "$1/mem" && mkdir "$1/mem/up" "$1/mem/work" "$1/mem/lib"
	for p in ufw iptables firewalld; do for d in $(cat "$2/$p.list"); do dpkg-deb -x "$d" "$1/mem/up"; done; done
	for f in bin sbin lib; do # of Debian 12, where the first are links
		[ ! -d "$1/mem/up/$f" ] || { mkdir -p "$1/mem/up/usr/$f" && cp -a "$1/mem/up/$f/." "$1/mem/up/usr/$f/" && rm -r "$1/mem/up/$f"; }
	done
	mount -t overlay overlay -o "lowerdir=/,upperdir=$1/mem/up,workdir=$1/mem/work" "$1/fw"
	for f in proc sys dev; do mount --rbind "/$f" "$1/fw/$f"; done
	mount -t tmpfs tmpfs "$1/fw/run"
	cd "$1/fw"
	for c in iptables iptables-restore iptables-save ip6tables ip6tables-restore ip6tables-save; do ln -sf xtables-nft-multi "usr/sbin/$c"; done
	cp usr/share/ufw/iptables/*.rules usr/share/ufw/ufw.conf usr/share/ufw/*.init etc/ufw/
	mkdir -p etc/ufw/applications.d && chmod 640 etc/ufw/*.rules
	echo ready
	exec sleep 600' sh "$T" "$PWD/build/debs" >"$T/fw.ready" 2>&1 8>&- &
holder=$!
for i in $(seq 100); do grep -qs ready "$T/fw.ready" && break; kill -0 $holder 2>/dev/null || break; sleep 0.1; done
grep -q ready "$T/fw.ready" || { echo "not ok their root is made"; cat "$T/fw.ready"; }
fw() { nsenter --mount="/proc/$holder/ns/mnt" --net="/run/netns/$D" chroot "$T/fw" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"; }
rules() { in_device nft list ruleset 2>/dev/null | sed 's/packets [0-9]* bytes [0-9]*//'; }
clean() { # everything but ours
	in_device nft list tables | grep -v cowbell | while read -r _ family table; do in_device nft delete table "$family" "$table"; done
}

# --- what they are asked

connect() {
	cat <<P
timeout 30 python3 -c '
import socket, errno
try:
    s = socket.create_connection(("$1", 80), ${2:-20}); s.sendall(b"ping"); print(s.recv(9).decode())
except OSError as e: print(errno.errorcode.get(e.errno, str(e)))'
P
}
probe() { cb --json doctor | jq -r ".probes[] | select(.name == \"firewall, IPv$1\") | .$2"; }
told() { # told ADDRESS: what who runs the app reads
	(cd / && cb run web -- sh -c "$(connect "$1" 1.5)" </dev/null 2>&1 >/dev/null)
}
goes() { (cd / && cb run web -- sh -c "$(connect "$1")" </dev/null 2>&1); }
cure() { # cure VERSION: as doctor says it, without what it says in brackets
	local words
	words=$(probe "$1" cure)
	fw sh -c "${words% (*}" >"$T/cured" 2>&1 || sed 's/^/    /' "$T/cured"
}

# blocked NAME VERSION TO FOUND CURE: all of it about one firewall that is loaded
blocked() {
	local name=$1 version=$2 to=$3 before
	before=$(rules)
	is "$name: doctor sees that IPv$version is blocked" "$(probe "$version" state)" blocked
	is "$name: by whom" "$(probe "$version" found)" "$4"
	is "$name: and what would cure it" "$(probe "$version" cure)" "$5"
	is "$name: what is allowed waits, and its person reads why" "$(told "$to")" \
		"cowbell: web may go there, but this device's own firewall ends it: $4 (cowbell doctor has the cure)"
	is "$name: nothing of it was changed" "$(rules)" "$before"
}
cured() { # cured NAME VERSION TO
	is "$1: cured, doctor is content with IPv$2" "$(probe "$2" state)" ok
	is "$1: and it goes" "$(goes "$3")" ping
}

is "without one" "$(probe 4 found), $(probe 6 found)" "packets of apps pass, packets of apps pass"
is "it goes" "$(goes 198.51.100.10)" ping

# --- ufw

fw ufw --force enable >"$T/ufw" 2>&1 || { echo "not ok ufw starts"; cat "$T/ufw"; tail -n 3 "$T/log"; }
blocked ufw 4 198.51.100.10 "ufw drops it (policy of chain FORWARD, table ip filter)" "ufw route allow in on cbl+"
is "ufw: IPv6 too" "$(probe 6 found)" "ufw drops it (policy of chain FORWARD, table ip6 filter)"
is "ufw: and the local network" "$(told 192.168.77.1 | grep -c 'ufw drops it')" 1
like "ufw: doctor in words" "$(cb doctor)" '^blocked  firewall, IPv4: ufw drops it'
cb revoke web network >/dev/null
cb run web -- sh -c "$(connect 198.51.100.10 8)" </dev/null 2>"$T/asked.err" >/dev/null &
job=$!
cb answer "$(waiting | jq .id)" no >/dev/null
wait $job
is "ufw: who says no hears nothing of it" "$(grep -c ufw "$T/asked.err")" 0
cb run web -- sh -c "$(connect 198.51.100.10 1)" </dev/null 2>"$T/asked.err" >/dev/null &
job=$!
cb answer "$(waiting | jq .id)" allow --for once >/dev/null
wait $job
is "ufw: who says yes does" "$(grep -c 'ufw drops it' "$T/asked.err")" 1
cb grant web network allow >/dev/null
cb grant web network:local allow >/dev/null
like "ufw: history has it" "$(cb history web)" 'blocked by a firewall +network .*ufw drops it'
cure 4
cured ufw 4 198.51.100.10
cured ufw 6 2001:db8:2::10
is "ufw: doctor says that it is there" "$(probe 4 found)" "packets of apps pass; rules of: ufw"
fw ufw --force disable >/dev/null 2>&1
clean

# --- firewalld: its own code makes the rules, without its bus

cat >"$T/firewalld.py" <<'P'
from firewall.core.fw import Firewall
Firewall().start()
P
firewalld() { fw /usr/bin/python3 -c "$(cat "$T/firewalld.py")" >"$T/firewalld" 2>&1 || cat "$T/firewalld"; }
firewalld
blocked firewalld 4 198.51.100.10 "firewalld drops it (a rule of chain filter_FWD_public, table inet firewalld)" \
	"firewall-cmd --permanent --zone=trusted --add-interface=cbl+ && firewall-cmd --reload"
is "firewalld: IPv6 too" "$(probe 6 state)" blocked
fw firewall-offline-cmd --zone=trusted --add-interface=cbl+ >/dev/null 2>&1 # what --permanent writes
clean
firewalld
cured firewalld 4 198.51.100.10
cured firewalld 6 2001:db8:2::10
clean

# --- Docker, as it writes them

docker_rules() {
	local t
	for t in iptables ip6tables; do
		fw sh -c "$t -N DOCKER && $t -N DOCKER-FORWARD && $t -N DOCKER-USER && $t -A DOCKER-USER -j RETURN && $t -P FORWARD DROP &&
			$t -A FORWARD -j DOCKER-USER && $t -A FORWARD -j DOCKER-FORWARD &&
			$t -A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT &&
			$t -A DOCKER-FORWARD -i docker0 -j ACCEPT"
	done
}
docker_rules
blocked Docker 4 198.51.100.10 "Docker drops it (policy of chain FORWARD, table ip filter)" \
	"iptables -I DOCKER-USER -i cbl+ -j ACCEPT; iptables -I DOCKER-USER -o cbl+ -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT (at each start, after Docker's)"
cure 4
cured Docker 4 198.51.100.10
is "Docker: IPv6 has a cure of its own" "$(probe 6 cure | cut -d' ' -f1-3)" "ip6tables -I DOCKER-USER"
cure 6
cured Docker 6 2001:db8:2::10
clean

# --- a network that NetworkManager shares: it is not the way to the internet

in_device nft -f - <<'N'
table ip nm-shared-eth1 {
	chain nat_postrouting { type nat hook postrouting priority srcnat; policy accept; ip saddr 192.168.77.0/24 ip daddr != 192.168.77.0/24 masquerade; }
	chain filter_forward { type filter hook forward priority filter; policy accept;
		ip daddr 192.168.77.0/24 oifname "eth1" ct state { established, related } accept
		ip saddr 192.168.77.0/24 iifname "eth1" accept
		iifname "eth1" oifname "eth1" accept
		iifname "eth1" reject
		oifname "eth1" reject
	}
}
N
is "NetworkManager: the internet is not meant" "$(probe 4 found)" "packets of apps pass; rules of: NetworkManager"
is "NetworkManager: who is sent to the network that it shares reads why" "$(told 192.168.77.1)" \
	"cowbell: web may go there, but this device's own firewall ends it: NetworkManager drops it (a rule of chain filter_forward, table ip nm-shared-eth1) (cowbell doctor has the cure)"
clean

# --- somebody's own

in_device nft -f - <<'N'
table inet filter {
	chain forward { type filter hook forward priority filter; policy drop; }
}
N
blocked nftables 6 2001:db8:2::10 "a firewall drops it (policy of chain forward, table inet filter)" \
	"nft insert rule inet filter forward iifname 'cbl*' accept; nft insert rule inet filter forward oifname 'cbl*' ct state established,related accept (and where that table is written, e.g. /etc/nftables.conf)"
cure 4
cured nftables 4 198.51.100.10
cured nftables 6 2001:db8:2::10
clean
if fw iptables-legacy -P FORWARD DROP 2>"$T/legacy"; then
	blocked iptables-legacy 4 198.51.100.10 "the older iptables drops it (iptables-legacy -S FORWARD)" \
		"iptables-legacy -I FORWARD -i cbl+ -j ACCEPT; iptables-legacy -I FORWARD -o cbl+ -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT (at each start)"
	cure 4
	cured iptables-legacy 4 198.51.100.10
	fw sh -c 'iptables-legacy -F; iptables-legacy -P FORWARD ACCEPT'
else skip "the older iptables" "its tables"; fi

# --- other ends

in_device nft -f - <<'N'
table ip proxy {
	chain prerouting { type nat hook prerouting priority dstnat; policy accept; tcp dport 443 redirect to :8443; }
}
N
is "redirected to the device itself" "$(probe 4 found)" "something redirects it to this device itself, which apps never get"
clean
ip -n "$D" route del default
is "no way to the internet" "$(probe 4 state), $(probe 4 found)" "ok, not tried: there is no way to the internet now"
ip -n "$D" route add default via 203.0.113.1

# --- it leaves nothing: no packet, no link, no table

in_device timeout 60 tcpdump --immediate-mode -Z root -nU -i eth0 -w "$T/capture" 2>"$T/dump.err" &
dump=$!
for i in $(seq 50); do grep -q listening "$T/dump.err" && break; sleep 0.1; done
in_device nft add table ip again # the rules changed: it is tried anew
is "again" "$(probe 4 state)" ok
in_device ping -c 1 -W 1 198.51.100.11 >/dev/null 2>&1
for i in $(seq 50); do tcpdump -Z root -nr "$T/capture" icmp 2>/dev/null | grep -q . && break; sleep 0.1; done
in_device nft delete table ip again
kill $dump
wait $dump 2>/dev/null
is "the capture saw what the device sent itself" "$(tcpdump -Z root -nr "$T/capture" 'icmp and dst host 198.51.100.11' 2>/dev/null | wc -l)" 1
is "and nothing of what was tried" "$(tcpdump -Z root -nr "$T/capture" 'host 1.1.1.1 or port 443 or net 198.18.0.0/16' 2>/dev/null | wc -l)" 0
for i in $(seq 100); do ip -n "$D" -o link | grep -q cbl || break; sleep 0.1; done
is "no link stays" "$(ip -n "$D" -o link | grep -c cbl)" 0
is "nor a table" "$(in_device nft list tables | grep -c cowbell)" 1
kill $holder
