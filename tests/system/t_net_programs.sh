# SPDX-License-Identifier: MIT
# Programs that people use, against servers of the same kind: each is held and named,
# answered each way, remembered, and cut while it transfers. LARGE=1: all of them.

. tests/system/servers.sh || return 0
asked=$T/asked
: >"$asked"
serve_names "$asked"
in_world nft -f - <<'N'
table inet seen {
	chain pre { type filter hook prerouting priority -300; iifname eth0 meta l4proto { tcp, udp, icmp } counter; }
}
N
HOST=good.example.org

# What came from the device until now: read when nothing more of an earlier session comes.
arrived() {
	local now last=-1 i
	for i in $(seq 50); do
		now=$(in_world nft list chain inet seen pre | sed -n 's/.*packets \([0-9]*\).*/\1/p')
		[ "$now" != "$last" ] || break
		last=$now
		sleep 0.2
	done
	echo "$now"
}

# Apps are called like that: one of the program's own name would hide it.
has() { # has NAME PROGRAM PACKAGE: an app with the base's program, or the package's
	if command -v "$2" >/dev/null && [ "$(dpkg-query -S "$(readlink -f "$(command -v "$2")")" 2>/dev/null)" ]; then app "my-$1"; else
		# shellcheck disable=SC2046
		cb install --name "my-$1" $(tools/fetch-debs.sh build/debs "$3" | tac) </dev/null >"$T/install.out" 2>&1 || cat "$T/install.out"
	fi
}
asks() { cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length'; }
begin_in() { # begin_in APP SCRIPT: in the background, as $job
	timeout 100 "$BIN/cowbell" --root "$R" shell "$1" -c "$2" </dev/null >"$T/said" 2>&1 &
	job=$!
}
answer_it() { # answer_it ANSWER [FOR]: the question that waits; then the program goes to its end
	cb answer "$(waiting | jq .id)" "$1" --for "${2:-run}" >"$T/says" 2>&1 || cat "$T/says"
	wait $job
}
down() { cb --json ps | jq "[.sessions[] | select(.app == \"$1\") | .traffic[] | select(.where == \"internet\") | .down] | add // 0"; }

# program NAME PROGRAM COMMAND WORKED REFUSED [LONG CUT [BYTES]]
#   PROGRAM as the bell names it; COMMAND prints WORKED, or what its person sees when it
#   is refused; LONG is a transfer that CUT tells the end of, BYTES of which show it runs.
program() {
	local app=my-$1 name=$2 command=$3 worked=$4 refused=$5 long=${6:-} cut=${7:-} bytes=${8:-60000} before prompt i
	before=$(arrived)
	begin_in "$app" "$command"
	prompt=$(waiting)
	like "$app: held, and its host is named" "$(jq -r .about <<<"$prompt")" "^to reach $HOST\$"
	like "$app: so is the program" "$(jq -r .program <<<"$prompt")" "^($name)\$"
	is "$app: nothing has left" "$(arrived)" "$before"
	answer_it no
	like "$app: no is said clearly" "$(cat "$T/said")" "$refused"
	is "$app: and nothing has left" "$(arrived)" "$before"
	cb stop "$app" >/dev/null 2>&1
	begin_in "$app" "$command"
	answer_it chosen always
	like "$app: this host" "$(cat "$T/said")" "$worked"
	cb stop "$app" >/dev/null 2>&1
	begin_in "$app" "$command"
	wait $job
	like "$app: remembered in the next run" "$(cat "$T/said")" "$worked"
	is "$app: without a question" "$(asks)" 0
	if [ -n "$long" ]; then
		begin_in "$app" "$long"
		for i in $(seq 200); do
			[ "$(down "$app")" -lt "$bytes" ] || break
			sleep 0.1
		done
		[ "$i" != 200 ] || echo "not ok $app: its transfer runs"
		cb revoke "$app" "network:$HOST" >"$T/says" 2>&1
		for i in $(seq 100); do # some try again, and are asked about
			kill -0 $job 2>/dev/null || break
			[ "$(asks)" = 0 ] || cb answer "$(waiting | jq .id)" no >/dev/null 2>&1
			sleep 0.1
		done
		is "$app: a revoke ends its transfer" "$(kill -0 $job 2>/dev/null && echo runs)" ""
		kill $job 2>/dev/null
		wait $job 2>/dev/null
		like "$app: and its person sees it" "$(tail -c 2000 "$T/said")" "$cut"
	else cb revoke "$app" "network:$HOST" >"$T/says" 2>&1; fi
	cb stop "$app" >/dev/null 2>&1
	begin_in "$app" "$command"
	answer_it allow
	like "$app: asked again, and all of the internet" "$(cat "$T/said")" "$worked"
	cb stop "$app" >/dev/null 2>&1
}

# On a terminal of its own, until it says TEXT or 30 s have passed.
cat >"$T/until.py" <<'P'
import os, pty, re, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[2], sys.argv[2:])
seen, end = b"", time.time() + 30
try:
    while time.time() < end and not re.search(sys.argv[1].encode(), seen):
        if select.select([fd], [], [], 1)[0]: seen += os.read(fd, 65536)
except OSError: pass
os.kill(pid, 9)
print(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()].", " ", seen.decode(errors="replace")))
P
on_tty() { echo "python3 -c '$(cat "$T/until.py")' $*"; }

run_w3m() {
	has w3m w3m w3m
	program w3m w3m "w3m -dump http://$HOST/" 'hello from the world' "Can't load http://$HOST/" \
		"w3m -dump_source http://$HOST/slow/big | wc -c" '^[1-3]?[0-9]{1,6}$'
}
run_git() {
	has git git git
	program git git-remote-http "git clone -q http://$HOST/git/repo.git /tmp/a && cat /tmp/a/index.html" 'hello from the world' \
		"Could not resolve host: $HOST" "git clone http://$HOST/slow/git/repo.git /tmp/b" 'RPC failed|early EOF|fetch-pack|reset by peer|abort'
}
run_ssh() {
	local options="-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i ~/key me@$HOST"
	has ssh ssh openssh-client
	sh_in my-ssh "echo '$(cat "$SRV/key")' >~/key && chmod 600 ~/key"
	program ssh ssh "ssh $options echo hello from the world" 'hello from the world' "Could not resolve hostname $HOST" \
		"ssh $options cat $PAGES/slow/big /dev/zero | wc -c" 'abort|reset|closed|Broken'
}
run_python() {
	has python python3 python3
	program python 'python3.*' "python3 -c 'import urllib.request; print(urllib.request.urlopen(\"http://$HOST/\").read())'" 'hello from the world' \
		'urlopen error.*Name or service not known' \
		"python3 -c 'import urllib.request; print(len(urllib.request.urlopen(\"http://$HOST/slow/big\").read()))'" \
		'ConnectionAbortedError|ConnectionResetError|IncompleteRead'
}
run_dig() {
	has dig dig bind9-dnsutils
	program dig 'dig|isc-.*' "dig +noall +comments +answer +time=20 +tries=1 $HOST A" '198.51.100.11' 'NXDOMAIN'
}
run_curl() {
	has curl curl curl
	program curl curl "curl -sS http://$HOST/" 'hello from the world' "Could not resolve host: $HOST" "curl -sS http://$HOST/slow/big | wc -c" \
		'transfer closed|Recv failure|abort'
}
run_ping() {
	has ping ping iputils-ping
	program ping ping "ping -c 1 -W 20 $HOST" ' 1 received' 'Name or service not known' "ping -i 0.2 -c 60 $HOST" \
		'filtered|not permitted|[1-9][0-9]?% packet loss' 500
}
run_rsync() {
	has rsync rsync rsync
	program rsync rsync "rsync rsync://$HOST/pages/index.html /tmp/i && cat /tmp/i" 'hello from the world' 'Name or service not known' \
		"rsync --bwlimit=100 rsync://$HOST/pages/slow/big /tmp/b" 'rsync error|connection unexpectedly closed|read error'
}
run_asyncio() {
	local get="import asyncio
async def get(path):
    r, w = await asyncio.open_connection(\"$HOST\", 80)
    w.write((\"GET %s HTTP/1.0\\r\\n\\r\\n\" % path).encode())
    print((await r.read())[-40:])"
	has asyncio python3 python3
	program asyncio 'python3.*|asyncio_.*' "python3 -c '$get
asyncio.run(get(\"/\"))'" 'hello from the world' 'Name or service not known' "python3 -c '$get
asyncio.run(get(\"/slow/big\"))'" 'ConnectionAbortedError|ConnectionResetError'
}
run_node() {
	command -v node >/dev/null || { echo "# node is not on this machine: its row is left out"; return 0; }
	has node node nodejs
	local get="require(\"http\").get(\"http://$HOST/PATH\", r => { let n = \"\"; r.on(\"data\", d => n += d.toString(\"latin1\")); r.on(\"error\", e => console.log(e.code));
r.on(\"end\", () => console.log(n.slice(0, 40))) }).on(\"error\", e => console.log(e.code))"
	program node 'node|MainThread' "node -e '${get/PATH/}'" 'hello from the world' ENOTFOUND "node -e '${get/PATH/slow\/big}'" 'ECONNABORTED|ECONNRESET|aborted'
}
run_irssi() {
	has irssi irssi irssi
	program irssi irssi "$(on_tty "'hello from the world|Unable to connect'" irssi --connect=$HOST --nick=bell)" 'hello from the world' \
		'Unable to connect.*(not known|not found)' "$(on_tty "'Connection lost|Connection to .* lost|aborted|reset by'" irssi --connect=$HOST --nick=bell)" 'lost|abort|reset' 500
}
run_iperf3() {
	has iperf3 iperf3 iperf3
	program iperf3 iperf3 "iperf3 -c $HOST -n 100k" 'iperf Done' 'unable to connect to server|Name or service' \
		"iperf3 -c $HOST -R -b 1M -t 60" 'iperf3: (error|interrupt)|abort|closed|reset'
}
# A browser with its background networking off, which it is not quite: it asks for hosts
# of its maker, too. A page with a tracker of a third party is shown without the tracker.
run_chromium() {
	local browse="timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --disable-default-apps --no-first-run --user-data-dir=\$HOME/profile --dump-dom" owner
	has chromium chromium chromium
	cat >"$PAGES/tracked.html" <<-P
		<title>a page</title><p>hello from the world</p>
		<img src="http://ads.example.com/pixel.png" onload="document.title = 'tracked'" onerror="document.title = 'not tracked'">
	P
	printf '<title>a page</title><script src="/slow/big" onerror="document.title = %s"></script>' "'cut'" >"$PAGES/long.html"
	printf '\211PNG\r\n\032\n\0\0\0\rIHDR\0\0\0\001\0\0\0\001\b\006\0\0\0\037\025\304\211\0\0\0\rIDATx\332c\374\317\300P\017\0\004\205\001\200\204\251\214!\0\0\0\0IEND\256B`\202' >"$PAGES/pixel.png"
	in_world nft -f - <<-'N'
		table inet tracker { chain pre { type filter hook prerouting priority -300; ip daddr 198.51.100.10 counter; }; }
	N
	tracked() { in_world nft list chain inet tracker pre | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
	# answers HOST=ANSWER=FOR...: as an owner would who knows what he wants; the rest is no
	answers() {
		local id host rule how
		while :; do
			while read -r id host; do
				how=no=run
				for rule; do [ "${rule%%=*}" != "$host" ] || how=${rule#*=}; done
				echo "$host $how" >>"$T/asked-for"
				cb answer "$id" "${how%=*}" --for "${how#*=}" >/dev/null 2>&1
			done < <(cb --json prompts | jq -r '.prompts[] | select(.state == "waiting") | "\(.id) \(.about | sub("^to reach "; ""))"')
			sleep 0.2
		done
	}
	visit() { # visit PAGE ANSWERS...: what the browser made of it, as $T/said
		local page=$1
		shift
		: >"$T/asked-for"
		answers "$@" &
		owner=$!
		begin_in my-chromium "$browse $page 2>/tmp/log"
		wait $job
		kill $owner
		wait $owner 2>/dev/null
		cb stop my-chromium >/dev/null 2>&1
	}
	cb shell my-chromium -c "cat >~/refused.html" >"$T/says" 2>&1 <<-P
		<title>a page</title><img src="http://$HOST/pixel.png" onload="document.title = 'shown'" onerror="document.title = 'not shown'">
	P
	visit file://\$HOME/refused.html
	like "chromium: no is an error for the page at once" "$(cat "$T/said")" '<title>not shown</title>'
	like "chromium: its page was asked for" "$(cat "$T/asked-for")" "^$HOST no"
	visit http://$HOST/tracked.html $HOST=chosen=always ads.example.com=no=always
	like "chromium: the page" "$(cat "$T/said")" 'hello from the world'
	like "chromium: without the tracker" "$(cat "$T/said")" '<title>not tracked</title>'
	like "chromium: which was asked for" "$(cat "$T/asked-for")" '^ads.example.com no'
	visit http://$HOST/tracked.html
	like "chromium: the same in the next run" "$(cat "$T/said")" '<title>not tracked</title>'
	is "chromium: without a question about either" "$(grep example "$T/asked-for")" ""
	is "chromium: and the tracker never saw it" "$(tracked)" 0
	like "chromium: its maker's hosts are in the history" "$(cb history my-chromium --json 2>&1)" 'google'
	cb grant my-chromium network:ads.example.com allow >"$T/says" 2>&1
	visit http://$HOST/tracked.html
	like "chromium: with a yes it is tracked" "$(cat "$T/said")" '<title>tracked</title>'
	answers &
	owner=$!
	begin_in my-chromium "$browse http://$HOST/long.html 2>/tmp/log"
	for i in $(seq 200); do [ "$(down my-chromium)" -lt 200000 ] || break; sleep 0.1; done
	[ "$i" != 200 ] || echo "not ok chromium: its transfer runs"
	cb revoke my-chromium "network:$HOST" >"$T/says" 2>&1
	wait $job
	kill $owner
	wait $owner 2>/dev/null
	like "chromium: a revoke ends a transfer, and the page sees it" "$(cat "$T/said")" '<title>cut</title>'
	cb stop my-chromium >/dev/null 2>&1
}

serve_web
serve_ssh
few='w3m git ssh python dig'
[ -z "${LARGE:-}" ] || {
	serve_rsync
	serve_irc
	serve_iperf
	few="$few curl ping rsync asyncio node irssi iperf3 chromium"
}
for row in ${ROWS:-$few}; do "run_$row"; done
