# SPDX-License-Identifier: MIT
# Sessions that start, wait for an answer, use the network and end leave nothing, and
# none is in the way of the next. LARGE=1: 200 of them. And a resolver that dies while a look-up waits lets none out.

app web
serve "$W" "$T/heard" 80
serve_names "$T/asked"
connect='timeout 30 python3 -c "
import socket
s = socket.create_connection((\"198.51.100.10\", 80), 25); s.sendall(b\"ping\"); print(s.recv(9).decode())"'
one() {
	local job
	sh_in web "$connect" >"$T/one.out" 2>&1 &
	job=$!
	cb answer "$(waiting | jq .id)" chosen >/dev/null
	wait $job
	cat "$T/one.out"
	cb stop web >/dev/null 2>&1
}
links() { ip -n "$D" -o link | grep -c cbl; }
rules() { in_device nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//' | sha256sum; }
flows() { in_device cat /proc/sys/net/netfilter/nf_conntrack_count; }
files() { ls "/proc/$pid/fd" | wc -l; }
memory() { awk '/^RssAnon/ { print $2 }' "/proc/$pid/status"; } # its own: pages of programs come and go
spaces() { awk '$1 == "net_namespace" { print $2 }' /proc/slabinfo; }
settles() { # settles COMMAND MOST: what ends, ends by and by
	local i
	for i in $(seq 100); do
		[ "$($1)" -gt "$2" ] || return 0
		sleep 0.1
	done
	echo "$1: $($1), not at most $2"
	return 1
}

count=20
[ -z "${LARGE:-}" ] || count=200
is "one to begin with" "$(one)" ping
settles links 0 >/dev/null
rules_before=$(rules) files_before=$(files) memory_before=$(memory) spaces_before=$(spaces)
went=0
for i in $(seq $count); do [ "$(one)" != ping ] || went=$((went + 1)); done
is "each of $count was held, answered, and went on" $went $count
ok "no link to the host stays" settles links 0
is "the table is what it was" "$(rules)" "$rules_before"
ok "connections are forgotten with their addresses' time" test "$(flows)" -le $((4 * (count + 1)))
ok "cowbelld has the files that it had" settles files $((files_before + 2))
ok "and grew by no more than 4 kB for each" test $(($(memory) - memory_before)) -le $((4 * count + 256))
# Others on this machine have namespaces that come and go.
[ -z "$spaces_before" ] || ok "namespaces are gone in the kernel" settles spaces $((spaces_before + count / 2))

# --- one after the other

# The kernel removes an app's link a while after the app: it is in nobody's way.
app after
cb grant after network:198.51.100.10 allow >/dev/null
own='timeout 30 python3 -c "
import socket
s = socket.create_connection((\"198.51.100.10\", 80), 25); s.sendall(b\"ping\"); print(s.recv(9).decode(), s.getsockname()[0])"'
: >"$T/after"
for i in $(seq 30); do sh_in after "$own" >>"$T/after" 2>&1; done
is "each of 30 with no pause between has the network" "$(grep -c '^ping ' "$T/after")" 30
is "each has addresses that no other of them had" "$(grep '^ping ' "$T/after" | sort -u | wc -l)" 30

sh_in after "$own; sleep 2" >/dev/null 2>&1 &
job=$!
for i in $(seq 100); do
	link=$(ip -n "$D" -o link | grep -o 'cbl[0-9a-f]*' | tail -n 1)
	[ -z "$link" ] || break
	sleep 0.1
done
wait $job
settles links 0 >/dev/null
for i in $(seq 0 255); do printf 'link add %s%02x type veth peer name old%d\n' "${link%??}" "$i" "$i"; done | ip -n "$D" -batch -
is "every number has a link that is left" "$(ip -n "$D" -o link | grep -c ": cbl")" 256
like "a link that is left makes room" "$(sh_in after "$own" 2>&1)" '^ping '
for i in $(seq 0 255); do printf 'link del old%d\n' "$i"; done | ip -n "$D" -force -batch - 2>/dev/null
unlike "no link was in the way of another" "$(daemon_log)" "make the app's link"

# --- the resolver dies while a look-up waits

dns_of() { # our cowbell-dns
	local p
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/exe")" != "$BIN/cowbell-dns" ] || [ "$(awk '/^PPid/ { print $2 }' "$p/status")" != "$pid" ] || echo "${p#/proc/}"
	done
}
in_device timeout 60 tcpdump -Z root -nU -i any -w "$T/capture" 2>"$T/dump.err" &
dump=$!
for i in $(seq 50); do grep -q listening "$T/dump.err" && break; sleep 0.1; done
in_device ping -c 1 -W 1 198.51.100.11 >/dev/null 2>&1 # of the device's own: a capture without it saw nothing
: >"$T/asked"
cb run --detach web -- sh -c 'while :; do getent hosts ads.example.com; sleep 0.2; done' </dev/null >/dev/null 2>&1
like "a look-up waits" "$(waiting)" 'to reach ads.example.com'
first=$(dns_of)
kill -9 $first
for i in $(seq 100); do now=$(dns_of); [ -z "$now" ] || [ "$now" = "$first" ] || break; sleep 0.1; done
unlike "the resolver is another" " $now " " $first "
like "the look-up waits again" "$(waiting)" 'to reach ads.example.com'
kill -9 "$pid"
wait "$pid" 2>/dev/null
sleep 1
kill $dump
wait $dump 2>/dev/null
is "the capture saw what the device sent itself" "$(tcpdump -Z root -nr "$T/capture" 'icmp and dst host 198.51.100.11' 2>/dev/null | sort -u | grep -c .)" 1
is "no name has left, by any interface" "$(tcpdump -Z root -nr "$T/capture" 'port 53 or host 198.51.100.10' 2>/dev/null | wc -l) $(grep -c 'query\[' "$T/asked")" "0 0"
start
