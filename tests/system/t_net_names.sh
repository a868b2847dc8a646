# SPDX-License-Identifier: MIT
# Look-ups wait too: no name leaves the device before somebody said yes.

app web
app other
heard=$T/heard asked=$T/asked
: >"$heard"
: >"$asked"
serve "$W" "$heard" 80
serve "$L" "$heard" 80
serve_names "$asked"

names_asked() { grep -c 'query\[' "$asked"; }
look() { # what getaddrinfo says about a name, and what a connect to it does
	cat <<P
timeout 60 python3 -c '
import socket, errno
try:
    s = socket.create_connection(("$1", 80), 30); s.sendall(b"ping"); print(s.recv(9).decode())
except socket.gaierror as e: print("gai", e.errno)
except OSError as e: print(errno.errorcode.get(e.errno, str(e)))'
P
}
fresh() { cb stop web >/dev/null 2>&1; }
try() { # try SCRIPT ANSWER [FOR [ITEM]]
	local job id
	sh_in web "$1" >"$T/try.out" 2>&1 &
	job=$!
	id=$(waiting | jq .id)
	cb answer "$id" "$2" --for "${3:-run}" ${4:+--item "$4"} >"$T/says" 2>&1 || cat "$T/says"
	wait $job
	cat "$T/try.out"
}
asks() { cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length'; }

sh_in web "$(look ads.example.com)" >"$T/look.out" &
job=$!
prompt=$(waiting)
like "the question names the host" "$prompt" '"about": ?"to reach ads.example.com"'
like "and the program that looks it up" "$(jq -r .program <<<"$prompt")" '^python3'
is "no name has left" "$(names_asked)" 0
is "A and AAAA are one question" "$(asks)" 1
cb answer "$(jq .id <<<"$prompt")" no >/dev/null
wait $job
is "no is: there is no such name" "$(cat "$T/look.out")" "gai -2"
is "and still no name has left" "$(names_asked)" 0
fresh

is "chosen: found, and reached without another question" "$(try "$(look ads.example.com)" chosen)" ping
like "the host's resolver was asked" "$(cat "$asked")" 'query\[A\] ads.example.com'
fresh
is "once: found and reached" "$(try "$(look good.example.org)" chosen once)" ping
fresh
is "allow: all of the internet" "$(try "$(look ads.example.com); $(look good.example.org); $(look www.example.net)" allow | tr '\n' ' ')" "ping ping ping "
fresh

cb grant web network chosen --item '*.example.org' --item www.example.net >/dev/null
is "a domain, by a wildcard" "$(sh_in web "$(look good.example.org); $(look v6.example.org); $(look www.example.net)" | tr '\n' ' ')" "ping ping ping "
sh_in web "$(look ads.example.com)" >"$T/look.out" &
job=$!
like "what was not chosen is asked" "$(waiting)" 'ads.example.com'
cb answer "$(waiting | jq .id)" no >/dev/null
wait $job
fresh
cb revoke web 'network:*.example.org' >/dev/null
cb revoke web network:www.example.net >/dev/null

# --- names that lie

cb grant web network:evil.example.com allow >/dev/null
sh_in web "$(look evil.example.com)" >"$T/look.out" &
job=$!
prompt=$(waiting)
like "an internet name that leads home is asked about as what it is" "$prompt" 'devices on your own network: evil.example.com \(port 80\)'
cb answer "$(jq .id <<<"$prompt")" no >/dev/null
wait $job
is "and refused" "$(cat "$T/look.out")" ECONNREFUSED
fresh
is "a local name is the local network's" "$(try "$(look nas.lan)" allow)" ping
fresh

# What one app looked up names nothing for another.
cb grant web network:ads.example.com allow >/dev/null
is "one app knows the name" "$(sh_in web "$(look ads.example.com)")" ping
sh_in other "timeout 30 curl -sS http://198.51.100.10/ 2>&1" >"$T/other.out" &
job=$!
like "to another it is an address without a name" "$(waiting)" 'an address without a name, 198.51.100.10'
cb answer "$(waiting | jq .id)" no >/dev/null
wait $job
cb stop other >/dev/null

# A resolver that a program has built in.
is "hard-coded resolvers are ours" "$(sh_in web "dig +short +time=5 +tries=1 @8.8.8.8 ads.example.com A; dig +short +tcp +time=5 +tries=1 @2001:4860:4860::8888 ads.example.com A" | tr '\n' ' ')" "198.51.100.10 198.51.100.10 "
is "resolving over HTTPS is not welcome" "$(sh_in web 'dig +time=5 +tries=1 use-application-dns.net A | grep -c NXDOMAIN')" 1
like "a refusal says that it is one" "$(sh_in web 'dig +time=5 +tries=1 use-application-dns.net A')" 'EDE: 18|OPT=15: 00 12'
is "addresses are not looked up" "$(sh_in web 'dig +time=5 +tries=1 -x 198.51.100.10 | grep -c NXDOMAIN')" 1
sh_in web 'timeout 5 curl -sS https://1.1.1.1/ 2>&1' >"$T/doh.out" &
job=$!
like "a resolver of its own is named as that" "$(waiting)" 'a resolver of its own'
cb answer "$(waiting | jq .id)" no >/dev/null
wait $job

# The host's settings change while the app runs.
cb run --detach web -- sleep 300 </dev/null >/dev/null 2>&1
ip -n "$W" addr add 203.0.113.7/24 dev eth0
in_world dnsmasq --no-daemon --no-resolv --no-hosts --pid-file= --user=root --listen-address=203.0.113.7 --bind-interfaces \
	--host-record=ads.example.com,198.51.100.13 --address=/#/ >/dev/null 2>&1 &
sleep 0.5
echo 'nameserver 203.0.113.7' >"$T/resolv.conf"
is "a new resolver is asked from then on" "$(sh_in web 'getent ahostsv4 ads.example.com | head -n 1 | cut -d" " -f1')" 198.51.100.13
echo 'nameserver 203.0.113.99' >"$T/resolv.conf"
echo 'nameserver 203.0.113.1' >>"$T/resolv.conf"
is "a dead one is passed over" "$(sh_in web 'getent ahostsv4 ads.example.com | head -n 1 | cut -d" " -f1')" 198.51.100.10

# It dies: names wait for the next one.
dns=$(for p in /proc/[0-9]*; do [ "$(readlink "$p/exe")" = "$BIN/cowbell-dns" ] && grep -qF "$R" /proc/$(awk '/^PPid/ { print $2 }' "$p/status")/cmdline && echo "${p#/proc/}"; done)
kill -9 $dns
is "a resolver that was killed is replaced" "$(sh_in web 'getent ahostsv4 ads.example.com | head -n 1 | cut -d" " -f1')" 198.51.100.10
cb stop web >/dev/null
