# SPDX-License-Identifier: MIT
# board
# What went through is counted, kept, shown, and capped; by the kernel alone.

app web
serve "$W" "$T/heard" 80
serve "$L" "$T/heard" 80
serve_names "$T/asked"

# send BYTES TO [TO...]: a connection to each, so many bytes there and back
cat >"$T/send.py" <<'P'
import socket, sys, errno
n = int(sys.argv[1])
for to in sys.argv[2:]:
    try:
        s = socket.create_connection((to, 80), 20); s.settimeout(20)
        sent = got = 0
        while sent < n:
            k = min(n - sent, 32768)
            s.sendall(b"x" * k); sent += k
            while got < sent:
                d = s.recv(65536)
                if not d: raise OSError(errno.ECONNRESET, "")
                got += len(d)
        s.close(); print("done")
    except OSError as e: print(errno.errorcode.get(e.errno, str(e)))
P
send() { sh_in web "python3 -c '$(cat "$T/send.py")' $*" | tr '\n' ' '; }
of() { jq -c ".traffic[] | select(.where == \"$1\") | [$2]" | tr -d '[]'; }
run_of() { cb --json ps | jq -c '.sessions[] | select(.app == "web")' | of "$@"; }
info_of() { cb --json info web | of "$@"; }
between() { # between DESCRIPTION VALUE LEAST MOST
	if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then echo "ok $1"; else echo "not ok $1: $2 is not from $3 to $4"; fi
}

cb grant web network allow >/dev/null
cb grant web network:local allow >/dev/null
cb grant web network:198.51.100.13 no >/dev/null
cb run --detach web -- sleep 300 </dev/null >/dev/null 2>&1
is "two hosts and one at home" "$(send 100000 ads.example.com good.example.org 192.168.77.1)" "done done done "
is "and one that is refused" "$(send 100 198.51.100.13)" "ECONNREFUSED "
between "bytes up, headers too" "$(run_of internet .up)" 200000 230000
between "bytes down" "$(run_of internet .down)" 200000 230000
is "connections" "$(run_of internet .flows) $(run_of local .flows)" "2 1"
is "what is refused is told apart" "$(run_of internet .refused) $(run_of local .refused)" "1 0"
between "the local network has its own" "$(run_of local .up)" 100000 115000
between "a host by its name" "$(run_of ads.example.com .up)" 100000 115000
is "a refused one too" "$(run_of 198.51.100.13 .up,.down,.flows,.refused)" "0,0,0,1"
is "over IPv6 as well" "$(send 50000 2001:db8:2::12)" "done "
between "under its address" "$(run_of 2001:db8:2::12 .down)" 50000 60000
like "ps says it in words" "$(cb ps)" '^  the internet +2[0-9]+ kB up +2[0-9]+ kB down, 3 connections, 1 packet refused$'
like "and the host" "$(cb ps)" '^  ads.example.com +1[0-9]+ kB up +1[0-9]+ kB down, 1 connection$'
before=$(info_of internet .up,.down,.flows,.refused)
cb stop web >/dev/null
is "the end of the run keeps it" "$(info_of internet .up,.down,.flows,.refused | cut -d, -f3-)" "$(cut -d, -f3- <<<"$before")"
between "to the byte, but for what was still under way" "$(($(info_of internet .up) - ${before%%,*}))" 0 2000
like "info says it in words" "$(cb info web)" '^  the internet +2[0-9]+ kB up'

# A broker that dies adds nothing twice.
cb run --detach web -- sleep 300 </dev/null >/dev/null 2>&1
was=$(info_of internet .up)
send 100000 198.51.100.10 >/dev/null
cb revoke web network:198.51.100.13 >/dev/null # a cut: added to the store
for p in /proc/[0-9]*; do
	[ "$(readlink "$p/exe")" = "$BIN/cowbell-broker" ] && [ "$(awk '/^PPid/ { print $2 }' "$p/status")" = "$pid" ] && kill -9 "${p#/proc/}"
done
for i in $(seq 50); do cb ps >/dev/null 2>&1 && break; sleep 0.1; done
send 100000 198.51.100.10 >/dev/null
between "it is counted once, whoever dies meanwhile" "$(($(info_of internet .up) - was))" 200000 230000
cb stop web >/dev/null
between "and so it is kept" "$(($(info_of internet .up) - was))" 200000 230000

# --- caps

fails "a cap is a size" 1 "'much' is not a size" cb cap web network much
fails "of a scope" 1 "a cap is on the internet or the local network" cb cap web contacts 1M
used=$(($(cb --json cap web | of internet .month_up,.month_down | tr , +)))
like "none at first" "$(cb cap web)" 'web, the internet: .* this month, no cap'
cb cap web network "$((used + 300000))" >/dev/null
cb run --detach web -- sleep 300 </dev/null >/dev/null 2>&1
is "below its cap it goes on" "$(send 50000 198.51.100.10)" "done "
cb exec web -- python3 -c "$(cat "$T/send.py")" 4000000 198.51.100.10 </dev/null >"$T/cap.out" 2>"$T/cap.err" &
idle=$!
wait $idle
like "a transfer that reaches it is cut" "$(cat "$T/cap.out")" 'ECONNABORTED|ECONNRESET|ECONNREFUSED'
like "its person is told, with what to do" "$(cat "$T/cap.err")" 'web has used its [0-9.]+ [kM]B of the internet for this month and is refused there \(cowbell cap web network SIZE\)'
is "the next is refused at once" "$(send 10 198.51.100.10)" "ECONNREFUSED "
is "a name too" "$(sh_in web 'getent hosts www.example.net || echo none')" none
is "and nobody is asked" "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" 0
is "the local network is not meant" "$(send 1000 192.168.77.1)" "done "
like "cap says so" "$(cb cap web)" 'web, the internet: [0-9.]+ [kM]B this month of [0-9.]+ [kM]B; refused until the next'
is "for machines" "$(cb --json cap web | of internet .spent)" true
like "history says why" "$(cb history web --permission network)" 'refused .*\(its monthly cap of [0-9.]+ [kM]B is used up\)'
over=$(($(cb --json cap web | of internet .month_up,.month_down | tr , +) - used - 300000))
between "the cap is kept to a packet or two" "$over" -70000 1000
cb stop web >/dev/null
cb run --detach web -- sleep 300 </dev/null >/dev/null 2>&1
is "the next run does not begin anew" "$(send 10 198.51.100.10)" "ECONNREFUSED "
cb cap web network "$((used + 900000))" >/dev/null
is "a larger one opens it at once" "$(send 10 198.51.100.10)" "done "
cb cap web network off >/dev/null
is "and none" "$(send 1000000 198.51.100.10)" "done "
like "history has who said it" "$(cb history web)" 'capped .*the internet: no cap, by uid 0'
cb cap web network:local 1k >/dev/null
is "the local network can have one of its own" "$(send 5000 192.168.77.1)$(send 10 198.51.100.10)" "ECONNREFUSED done "
cb stop web >/dev/null

# A record that rotted: its cap may have been anything, so it is no way out.
cb cap web network:local off >/dev/null
cb cap web network 1G >/dev/null
stop
python3 - "$R" <<'P'
import glob, sys
name = glob.glob(sys.argv[1] + '/**/data.mdb', recursive=True)[0]
data = bytearray(open(name, 'rb').read())
at, n = data.find(b'web\0\0\x01'), 0  # its key, and how every value begins
while at >= 0:
    data[at + 30] ^= 1
    at, n = data.find(b'web\0\0\x01', at + 1), n + 1
open(name, 'r+b').write(data)
assert n
P
start
like "a cap that cannot be read is told" "$(cb cap web)" 'web, the internet: .*, refused: its cap cannot be read \(cowbell cap web network SIZE\|off\)'
cb run --detach web -- sleep 300 </dev/null >/dev/null 2>&1
cb exec web -- python3 -c "$(cat "$T/send.py")" 10 198.51.100.10 </dev/null >"$T/rot.out" 2>"$T/rot.err"
is "and nothing goes there" "$(cat "$T/rot.out")" "ECONNREFUSED"
like "its person is told why" "$(cat "$T/rot.err")" "web is refused the internet: the record of what 'web' sent and received is damaged"
cb stop web >/dev/null
like "the end of the run does not make it none" "$(cb cap web)" 'its cap cannot be read'
cb cap web network off >/dev/null
cb run --detach web -- sleep 300 </dev/null >/dev/null 2>&1
is "said anew it opens" "$(send 10 198.51.100.10)" "done "
cb stop web >/dev/null
python3 - "$R/run/cowbell/io.cowbell" >"$T/negative" <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(b'{"method":"io.cowbell.Cap","parameters":{"app":"web","permission":"network","bytes":-1}}\0'); print(s.recv(4096))
P
like "less than nothing is no cap" "$(cat "$T/negative")" 'a cap is a number of bytes'
cb --yes uninstall web >/dev/null
app web
is "an app that goes takes its sums and caps along" "$(cb --json cap web | of internet .up,.cap)$(cb --json cap web | of local .cap)" "0,00"
