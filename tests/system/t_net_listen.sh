# SPDX-License-Identifier: MIT
# A server in an app: nobody reaches it until its person says so, and nobody else's
# port, nor for longer.

cat >"$T/serve.py" <<'P'
import socket, sys, threading, time
def talk(c, peer):
    try:
        what = c.recv(99)
        if what.startswith(b"stream"):
            while True: c.sendall(b"x" * 1000); time.sleep(0.05)
        c.sendall(("hello %s" % peer[0]).encode())
    except OSError: pass
    c.close()
def serve(s):
    while True:
        c, peer = s.accept()
        threading.Thread(target=talk, args=(c, peer), daemon=True).start()
for port in sys.argv[2:]:
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((sys.argv[1], int(port)))
    s.listen(16)
    threading.Thread(target=serve, args=(s,), daemon=True).start()
print("serves", flush=True)
threading.Event().wait()
P
# reach NAMESPACE HOST PORT: what a stranger gets: the server's word, or an error's name.
cat >"$T/reach.py" <<'P'
import socket, sys, errno
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
    s.sendall(b"who"); print(s.recv(99).decode() or "cut")
except OSError as e: print(errno.errorcode.get(e.errno, str(e)))
P
reach() { nsenter --net="/run/netns/$1" python3 "$T/reach.py" "$2" "$3"; }
serve_in() { # serve_in APP ADDRESS PORT...: in the background; waits until it serves
	local app=$1
	shift
	: >"$T/$app.out"
	cb shell "$app" -c "exec python3 -c '$(cat "$T/serve.py")' $*" </dev/null >"$T/$app.out" 2>"$T/$app.notices" &
	until_word "$T/$app.out" serves
}
until_word() { # until_word FILE WORD
	local i
	for i in $(seq 300); do
		grep -q -- "$2" "$1" && return
		sleep 0.1
	done
	echo "not ok '$2' comes in $(basename "$1")"
}
until_is() { # until_is DESCRIPTION WANTED COMMAND...: what comes soon
	local what=$1 want=$2 got i
	shift 2
	for i in $(seq 50); do
		got=$("$@")
		[ "$got" = "$want" ] && break
		sleep 0.1
	done
	is "$what" "$got" "$want"
}
ports() { in_device nft list chain inet "$(in_device nft list tables | awk '/cowbell-/ { print $3 }')" arrive | grep -c dnat; }
asks() { cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length'; }

app web
app other

# --- asked, while it goes on

serve_in web 0.0.0.0 8080
prompt=$(waiting)
is "a server is asked about" "$(jq -r .about <<<"$prompt")" "to be reached from the network (port 8080)"
like "with its program" "$(jq -r .program <<<"$prompt")" '^python3'
is "and two answers" "$(jq -c .answers <<<"$prompt")" '["no","allow"]'
is "it serves itself meanwhile" "$(cb exec web -- python3 -c "$(cat "$T/reach.py")" 127.0.0.1 8080 2>/dev/null)" "hello 127.0.0.1"
is "and nobody else" "$(reach "$W" 203.0.113.2 8080)" ECONNREFUSED
is "no port leads to it" "$(ports)" 0
cb answer "$(jq .id <<<"$prompt")" allow >"$T/says"
like "the answer says what it means" "$(cat "$T/says")" '^web can be reached from the network at port 8080 until it ends'
until_is "it is reached, and sees who comes" "hello 203.0.113.1" reach "$W" 203.0.113.2 8080
is "from the local network as well" "$(reach "$L" 192.168.77.2 8080)" "hello 192.168.77.1"
is "by IPv4 alone" "$(reach "$W" 2001:db8:1::2 8080)" ECONNREFUSED
is "at no other port" "$(reach "$W" 203.0.113.2 8081)" ECONNREFUSED
like "history has it" "$(cb history web)" 'used +listen:8080 .*python3'
like "it stands in the list" "$(cb permissions web)" '^listen:8080 +allow +run'
fails "its port is taken" 1 "in use" in_device python3 -c 'import socket; socket.socket().bind(("", 8080))'
is "what it sends is its own wish still" "$(cb --json prompts | jq '[.prompts[] | select(.permission | startswith("network"))] | length')" 0

# --- nobody but strangers comes in by it

cb grant other network allow >/dev/null
cb grant other network:local allow >/dev/null
app4=$(in_device nft list chain inet "$(in_device nft list tables | awk '/cowbell-/ { print $3 }')" arrive | grep -oE '198\.18\.[0-9.]+' | head -n 1)
is "no app comes to another by the host's port" "$(sh_in other "python3 -c '$(cat "$T/reach.py")' 203.0.113.2 8080")" ECONNREFUSED
like "nor past it" "$(sh_in other "python3 -c '$(cat "$T/reach.py")' $app4 8080")" 'ECONNREFUSED|EHOSTUNREACH|EACCES'

# --- taken back

in_world python3 -c '
import socket
s = socket.create_connection(("203.0.113.2", 8080), 5); s.sendall(b"stream")
n = 0
try:
    while True:
        d = s.recv(65536)
        if not d: break
        n += len(d)
        if n > 2000: print("flows", flush=True)
except OSError: pass
print("cut", flush=True)' >"$T/stream" 2>&1 &
until_word "$T/stream" flows
cb revoke web listen:8080 >/dev/null
until_is "who is connected is cut" cut tail -n 1 "$T/stream"
until_is "nobody comes any more" ECONNREFUSED reach "$W" 203.0.113.2 8080
is "no port leads to it" "$(ports)" 0
is "and it is not asked about by itself" "$(asks)" 0

# --- given while it runs, for a time

cb grant web listen allow --for 3s >/dev/null
until_is "given as a whole, it is open at once" "hello 203.0.113.1" reach "$W" 203.0.113.2 8080
until_is "until its time is over" ECONNREFUSED reach "$W" 203.0.113.2 8080
like "and who ran it is told" "$(cat "$T/web.notices")" 'the time of a permission has run out'
cb grant web listen:8080 allow --for always >/dev/null
until_is "for good" "hello 203.0.113.1" reach "$W" 203.0.113.2 8080

# --- the broker is replaced under it

kill -9 "$(pgrep -P "$pid" -x cowbell-broker)"
until_is "a broker comes again" 0 asks
until_is "what was given stays open" "hello 203.0.113.1" reach "$W" 203.0.113.2 8080
cb revoke web listen:8080 >/dev/null
until_is "and can be taken back" ECONNREFUSED reach "$W" 203.0.113.2 8080
cb grant web listen:8080 allow --for always >/dev/null
until_is "and given" "hello 203.0.113.1" reach "$W" 203.0.113.2 8080

# --- a port has one owner

serve_in other 0.0.0.0 8080 8081
cb grant other listen allow --for run >/dev/null
until_is "another app has another port" "hello 203.0.113.1" reach "$W" 203.0.113.2 8081
until_word "$T/other.notices" 'other cannot be reached: port 8080 of this device is in use'
ok "a port that is taken is told" true
cb stop web >/dev/null 2>&1
until_is "with its app's end a port is free" 1 ports
ok "for everybody" in_device python3 -c 'import socket; socket.socket().bind(("", 8080))'
cb stop other >/dev/null 2>&1
nsenter --net="/run/netns/$D" python3 -m http.server 8080 >/dev/null 2>&1 &
own=$!
until_is "a service of the host" 1 sh -c "nsenter --net=/run/netns/$D ss -Hltn 'sport = 8080' | wc -l"
serve_in web 0.0.0.0 8080
until_word "$T/web.notices" 'web cannot be reached: port 8080 of this device is in use'
unlike "keeps its port" "$(reach "$W" 203.0.113.2 8080)" hello
cb stop web >/dev/null 2>&1
kill $own
wait $own 2>/dev/null

# --- answers that stand

serve_in web 0.0.0.0 8080
until_is "always is for the next run too" "hello 203.0.113.1" reach "$W" 203.0.113.2 8080
is "unasked" "$(asks)" 0
cb stop web >/dev/null 2>&1
cb grant web listen:8080 no --for always >/dev/null
serve_in web 0.0.0.0 8080
until_is "a no is no question" 1 sh -c "\"$BIN/cowbell\" --root '$R' history web | grep -c 'refused  *listen:8080'"
is "and nobody comes" "$(reach "$W" 203.0.113.2 8080)" ECONNREFUSED
is "unasked" "$(asks)" 0
cb stop web >/dev/null 2>&1
serve_in web 127.0.0.1 8082
sleep 1
is "who serves only itself is not asked about" "$(asks)" 0
cb stop web >/dev/null 2>&1

# --- words

fails "a port is a number" 1 "'listen:http' names no port" cb grant web listen:http allow
fails "of those that there are" 1 "'listen:70000' names no port" cb grant web listen:70000 allow
fails "in one spelling" 1 "'listen:080' names no port" cb grant web listen:080 allow
fails "once is too little" 1 "'once' does not fit listen: a port that is open takes all who come" cb grant web listen:8080 allow --for once

# --- an app that asks for more than can be answered

cb revoke web listen >/dev/null 2>&1
serve_in web 0.0.0.0 $(seq 9001 9040)
sleep 3
is "forty ports are sixteen questions" "$(asks)" 16
cb stop web >/dev/null 2>&1
is "which go with it" "$(asks)" 0

cat >"$T/storm.py" <<'P'
import socket, time
s = socket.socket(); s.bind(("0.0.0.0", 9100))
end, n = time.time() + 6, 0
while time.time() < end:
    s.listen(1); n += 1
print(n, flush=True)
P
cb shell web -c "python3 -c '$(cat "$T/storm.py")'" </dev/null >"$T/storm" 2>/dev/null &
storm=$!
is "a storm of them is one question" "$(waiting | jq -r .about)" "to be reached from the network (port 9100)"
until_is "and nobody else waits for it" "hello 127.0.0.1" sh -c "\"$BIN/cowbell\" --root '$R' shell other -c 'echo hello 127.0.0.1' </dev/null 2>/dev/null"
is "still one" "$(asks)" 1
wait $storm
ok "they were many" test "$(cat "$T/storm")" -gt 1000
is "it goes with who asked" "$(asks)" 0

# --- try

cb try web -- timeout 4 python3 -c "$(cat "$T/serve.py")" 0.0.0.0 8080 >"$T/try.out" 2>&1
like "a trial tells of it" "$(cat "$T/try.out")" '8080'
