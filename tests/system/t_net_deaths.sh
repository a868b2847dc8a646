# SPDX-License-Identifier: MIT
# Whoever dies, without a word and in the middle of it: on no interface of the device
# goes out anything but what was answered, and nobody reaches the device itself.

app web
serve "$W" "$T/heard" 80
serve "$L" "$T/heard" 80
serve "$D" "$T/device" 80
serve_names "$T/asked"

mine() { # processes of this test's cowbelld called NAME
	local p
	[ "$1" != cowbelld ] || { echo "$pid"; return; } # not what is there to outlive it
	for p in /proc/[0-9]*; do
		case $(readlink "$p/exe" 2>/dev/null) in
		"$BIN/$1") [ "$(awk '/^PPid/ { print $2 }' "$p/status" 2>/dev/null)" != "$pid" ] || echo "${p#/proc/}" ;;
		esac
	done
}
# All at once and for ever: what is allowed, what is refused, what nobody is given.
cat >"$T/all.py" <<'P'
import socket, threading, time
def forever(f):
    while True:
        try: f()
        except OSError: time.sleep(0.001)
def tcp(to):
    def f():
        with socket.create_connection((to, 80), 1) as s:
            s.sendall(b"ping")
            s.recv(9)
            time.sleep(0.01)
    return f
def udp(to):
    def f():
        with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"ping", (to, 80))
        time.sleep(0.005)
    return f
def stream():
    with socket.create_connection(("198.51.100.13", 80), 1) as s:
        s.sendall(b"stream")
        while s.recv(65536): s.sendall(b"more")
def name():
    socket.getaddrinfo("ads.example.com", 80)
    time.sleep(0.05)
for to in ("198.51.100.10", "198.51.100.12", "2001:db8:2::12", "192.168.77.1", "203.0.113.2", "192.168.77.2", "2001:db8:1::2"):
    for f in (tcp(to), udp(to)): threading.Thread(target=forever, args=(f,), daemon=True).start()
for f in (stream, name): threading.Thread(target=forever, args=(f,), daemon=True).start()
threading.Event().wait()
P
wait_for() { # wait_for COMMAND...: until it is true, 20 s at most
	local i
	for i in $(seq 200); do
		"$@" && return
		sleep 0.1
	done
	return 1
}
captured() { in_device tcpdump -nr "$T/capture" "$@" 2>/dev/null; } # captured [FILTER]; there the interfaces have their names
out_of_device() { captured "$@" | grep -E ' eth[01] +Out '; }

# death VICTIM WHEN COMMAND: kills it once COMMAND says that all is under way
death() {
	local dump
	: >"$T/heard"
	: >"$T/device"
	: >"$T/dump.err"
	in_device timeout 60 tcpdump -Z root --immediate-mode -nU -i any -w "$T/capture" 2>"$T/dump.err" &
	dump=$!
	ok "$1, $2: the capture begins" wait_for grep -q 'listening on' "$T/dump.err"
	in_device ping -c 1 -W 1 198.51.100.11 >/dev/null 2>&1 # of the device's own: a capture without it saw nothing
	cb run --detach web -- python3 -c "$(cat "$T/all.py")" </dev/null >/dev/null 2>>"$T/notices"
	ok "$1, $2: all is under way" "$3"
	kill -9 $(mine "$1") 2>/dev/null
	if [ "$1" = cowbelld ]; then
		wait "$pid" 2>/dev/null
		ok "$1, $2: its table goes, and its links" wait_for nothing_left
	fi
	sleep 1
	kill $dump
	wait $dump 2>/dev/null
	like "$1, $2: the capture saw what the device itself sent" "$(out_of_device icmp)" '203.0.113.2 > 198.51.100.11'
	is "$1, $2: nothing left as the app's own address" "$(out_of_device 'src net 198.18.0.0/15 or (ip6 and src net fc00::/7)' | head -n 3)" ""
	is "$1, $2: nothing went to who was refused" "$(out_of_device 'host 198.51.100.12 or host 2001:db8:2::12 or host 192.168.77.1' | head -n 3)" ""
	is "$1, $2: nobody reached the device" "$(head -n 3 "$T/device")" ""
	[ "$1" != cowbelld ] || start >/dev/null
	cb stop web >/dev/null 2>&1
}
nothing_left() { [ "$(in_device nft list tables | grep -c cowbell)$(in_device ip -o link | grep -vcE ' (lo|eth[01])[:@]')" = 00 ]; }
held() { waiting | grep -q . && [ -z "$(cat "$T/heard")" ]; }
moves() { [ "$(grep -c '^udp' "$T/heard")" -gt 20 ] && grep -q '^tcp' "$T/heard"; }
transfers() { wait_for moves; }

for victim in cowbell-dns cowbell-supervisor cowbell-broker cowbelld; do
	death $victim "while it is asked" held
	is "$victim, while it is asked: nothing was heard" "$(head -n 3 "$T/heard")" ""
done
cb grant web network allow >/dev/null
cb grant web network:198.51.100.12 no >/dev/null
cb grant web network:2001:db8:2::12 no >/dev/null
for victim in cowbell-dns cowbell-supervisor cowbell-broker cowbelld; do
	death $victim "while it sends" transfers
done
