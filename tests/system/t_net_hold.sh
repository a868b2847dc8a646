# SPDX-License-Identifier: MIT
# A person may think: what waits goes on, asked once, however it waits.

app web
heard=$T/heard
: >"$heard"
serve "$W" "$heard" 80

cat >"$T/many.py" <<'P'
import socket, select, threading, errno, sys
out = []
def blocking(to):
    s = socket.create_connection((to, 80), 100); s.sendall(b"ping"); return s.recv(9).decode()
def polled(to):
    s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET); s.setblocking(False)
    s.connect_ex((to, 80)); select.select([], [s], [], 100)
    e = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if e: return errno.errorcode[e]
    s.setblocking(True); s.sendall(b"ping"); return s.recv(9).decode()
def run(f, to):
    try: out.append(f(to))
    except OSError as e: out.append(errno.errorcode.get(e.errno, str(e)))
jobs = [threading.Thread(target=run, args=(f, sys.argv[1])) for f in (blocking, blocking, blocking, polled, polled)]
for j in jobs: j.start()
for j in jobs: j.join()
print(*out)
P
for to in 198.51.100.10 2001:db8:2::10; do
	cb run web -- python3 -c "$(cat "$T/many.py")" "$to" </dev/null >"$T/many.out" 2>>"$T/notices" &
	job=$!
	prompt=$(waiting)
	sleep "${THINK_SECONDS:-8}" # a first SYN is sent again after 1, 3 and 7 seconds
	is "$to: asked once, however many wait and however often they try" "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" 1
	is "$to: nothing has left meanwhile" "$(cat "$heard")" ""
	cb answer "$(jq .id <<<"$prompt")" chosen >/dev/null
	wait $job
	is "$to: all of them go on" "$(cat "$T/many.out")" "ping ping ping ping ping"
	: >"$heard"
done

# More datagrams than are kept: the rest is lost, as on any network, and no error of it
# says that there is no way before anybody said so.
cat >"$T/burst.py" <<'P'
import errno, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("198.51.100.11", 80)); s.settimeout(20)
wrong = []
for i in range(300):
    try: s.send(b"%03d" % i)
    except OSError as e: wrong.append(errno.errorcode[e.errno])
    if i % 50 == 49: time.sleep(0.2)
first, n = s.recv(99).decode(), 1
s.settimeout(1)
try:
    while s.recv(99): n += 1
except OSError: pass
print(len(wrong), first, n)
P
cb run web -- python3 -c "$(cat "$T/burst.py")" </dev/null >"$T/burst.out" 2>>"$T/notices" &
job=$!
prompt=$(waiting)
sleep 2
cb answer "$(jq .id <<<"$prompt")" chosen >/dev/null
wait $job
is "of a burst the first go on, and none is an error" "$(cat "$T/burst.out")" "0 echo 000 32"
