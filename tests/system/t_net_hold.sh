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
