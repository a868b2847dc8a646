# SPDX-License-Identifier: MIT
# First packets wait, and go where they were allowed to go.

app web
heard=$T/heard
: >"$heard"
serve "$W" "$heard" 80
serve "$W" "$heard" 81
serve "$L" "$heard" 80

try() { # try SCRIPT ANSWER [FOR [ITEM]] -> what the app printed
	local job id
	sh_in web "$1" >"$T/try.out" 2>&1 &
	job=$!
	id=$(waiting | jq .id)
	cb answer "$id" "$2" --for "${3:-run}" ${4:+--item "$4"} >"$T/says" 2>&1 || cat "$T/says"
	wait $job
	cat "$T/try.out"
}

# What a program sees of one TCP connect: the error's name, or what came back.
connect() {
	cat <<P
timeout 30 python3 -c '
import socket, sys, errno
try:
    s = socket.create_connection(("$1", $2), 25); s.sendall(b"ping"); print(s.recv(9).decode())
except OSError as e: print(errno.errorcode.get(e.errno, str(e)))'
P
}
udp() {
	cat <<P
timeout 40 python3 -c '
import socket, errno
s = socket.socket(socket.AF_INET6 if ":" in "$1" else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(${3:-30}); s.connect(("$1", $2))
try:
    s.send(b"ping"); print(s.recv(99).decode())
except OSError as e: print(errno.errorcode.get(e.errno, str(e)))'
P
}
asks() { cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length'; }
quiet() { # quiet SCRIPT -> its output, and whether it was asked about
	sh_in web "$1"
	[ "$(asks)" = 0 ] || echo "asked"
}

# --- held, named, and let go

sh_in web "curl -sS -m 20 http://198.51.100.10/ 2>&1; $(connect 198.51.100.10 80)" >"$T/first.out" &
job=$!
prompt=$(waiting)
is "the packet is held: nothing has left" "$(cat "$heard")" ""
like "the question names the destination" "$prompt" '"about": ?"to reach an address without a name, 198.51.100.10 \(port 80\)"'
is "and the program that connects" "$(jq -r .program <<<"$prompt")" curl
like "and what can be said" "$(jq -c .answers <<<"$prompt")" '\["no","allow","chosen"\]'
cb answer "$(jq .id <<<"$prompt")" chosen >"$T/says"
wait $job
is "after the answer curl goes on, and is not asked again" "$(tr '\n' ' ' <"$T/first.out")" "hello ping "
like "the answer says what it means" "$(cat "$T/says")" 'web can use the network: 198.51.100.10:80 until it ends'

# --- each way of saying it; one session after the other, so nothing is left of the last

fresh() { cb stop web >/dev/null 2>&1; }
is "no is refused at once" "$(try "$(connect 198.51.100.10 80)" no)" ECONNREFUSED
fresh
is "no, over IPv6" "$(try "$(connect 2001:db8:2::10 80)" no)" ECONNREFUSED
fresh
is "chosen, over IPv6" "$(try "$(connect 2001:db8:2::10 80)" chosen)" ping
fresh
is "allow is all of the internet" "$(try "$(connect 198.51.100.10 80); $(connect 198.51.100.11 81); $(connect 2001:db8:2::11 81)" allow | tr '\n' ' ')" "ping ping ping "
fresh
is "UDP waits and goes on" "$(try "$(udp 198.51.100.10 80)" chosen)" "echo ping"
fresh
is "UDP over IPv6 too" "$(try "$(udp 2001:db8:2::10 80)" allow)" "echo ping"
fresh
is "UDP is refused, the next at once" "$(try "$(udp 198.51.100.10 80 8); $(udp 198.51.100.10 80 8)" no | tr '\n' ' ')" "EHOSTUNREACH EPERM "
fresh
is "UDP over IPv6 too" "$(try "$(udp 2001:db8:2::10 80 8); $(udp 2001:db8:2::10 80 8)" no | tr '\n' ' ')" "EACCES EPERM "
fresh
is "once is this flow" "$(try "$(connect 198.51.100.10 80)" allow once)" ping
is "and the next is asked about" "$(try "$(connect 198.51.100.10 80)" no once)" ECONNREFUSED
fresh
is "ping waits and goes on" "$(try 'ping -c 1 -W 20 198.51.100.10 >/dev/null 2>&1 && echo pong' chosen)" pong
fresh
like "ping is refused" "$(try 'ping -c 1 -W 5 198.51.100.10' no)" 'Packet filtered|not permitted'
fresh

# --- kept

is "always is kept" "$(try "$(connect 198.51.100.12 80)" chosen always)" ping
fresh
is "for the next run" "$(quiet "$(connect 198.51.100.12 80)")" ping
like "and stands in the list" "$(cb permissions web)" '^network:198.51.100.12:80 +allow +always'
like "history has both" "$(cb history web)" 'answered +network:198.51.100.12:80 +allow, always'
like "also the use" "$(cb history web --permission network)" 'used +network:198.51.100.12:80'
cb grant web network:198.51.100.13 no >/dev/null
is "a granted no is no question" "$(quiet "$(connect 198.51.100.13 80)")" ECONNREFUSED
cb grant web network allow >/dev/null
is "all of the internet, but for one" "$(quiet "$(connect 198.51.100.11 80); $(connect 198.51.100.13 80)" | tr '\n' ' ')" "ping ECONNREFUSED "
