#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# packages-table.sh [PACKAGE...]: installs packages of different kinds by name on a
# private system, runs each, takes it away again, and prints a table of what came,
# how long it took and what it said. As root; needs the host's package lists.
set -u
bin=$(cd "$(dirname "$0")/.." && pwd)/build/bin
cd /
[ "$(id -u)" = 0 ] || { echo "packages-table: not root (sudo)" >&2; exit 1; }
T=$(mktemp -d /var/tmp/cowbell-packages.XXXXXX)
chmod 755 "$T"
pid=
trap '[ -z "$pid" ] || { kill $pid; wait $pid; } 2>/dev/null; rm -rf "$T"' EXIT
mkdir "$T/home" && chown 1000:1000 "$T/home"
cb() { timeout 300 "$bin/cowbell" --root "$T/root" "$@"; }
inside() { timeout 60 "$bin/cowbell" --root "$T/root" shell "$1" -c "cd ~ && $2" </dev/null 2>/dev/null; }
run() { timeout 60 "$bin/cowbell" --root "$T/root" run "$@" </dev/null 2>&1; }

mkfifo "$T/ready"
exec 8<>"$T/ready"
"$bin/cowbelld" --root "$T/root" --user 1000 --home "$T/home" --ready-fd 9 9>"$T/ready" 8>&- 2>"$T/log" &
pid=$!
read -r -t 20 _ <&8 || { cat "$T/log"; exit 1; }

# What each is asked to do, and what must be in its answer.
use() {
	case $1 in
	khard) run khard -- --version ;;
	w3m) inside w3m 'echo "<h1>Ring</h1><p>the bell" >p.html && w3m -dump p.html' ;;
	mc) run mc -- --version ;;
	nano) run nano -- --version ;;
	sqlite3) run sqlite3 -- :memory: 'select 6 * 7' ;;
	python3-minimal) run python3-minimal -- -c 'print("python", 6 * 7)' ;;
	nginx-light)
		inside nginx-light 'mkdir -p w && echo rung >w/index.html && printf "pid /tmp/n.pid; error_log stderr; events {} http { access_log off; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s; server { listen 127.0.0.1:8080; root %s/w; } }" "$HOME" >n.conf'
		cb run --detach nginx-light -- -c "$T/home/n.conf" -g 'daemon off;' </dev/null >"$T/service" 2>&1
		answers nginx-light 8080 'GET / HTTP/1.0\r\n\r\n'
		;;
	redis-server)
		cb run --detach redis-server -- --port 6379 --save '' </dev/null >"$T/service" 2>&1
		answers redis-server 6379 'PING\r\n'
		;;
	git) inside git 'git init -q r && cd r && git config user.name a && git config user.email a@example.org && echo 1 >f && git add f && git commit -qm "rang once" && git log --oneline' ;;
	figlet) run figlet -- hi ;;
	cowsay) run cowsay -- moo ;;
	tmux) run tmux -- -V ;;
	irssi) run irssi -- --version ;;
	newsboat) run newsboat -- --version ;;
	jq) inside jq 'echo "{\"a\": 42}" | jq .a' ;;
	busybox) run busybox -- echo it is busy ;;
	rsync) inside rsync 'mkdir -p a && echo x >a/f && rsync -a a/ b && cat b/f && rsync --version | head -n 1' ;;
	ranger) run ranger -- --version ;;
	links2) inside links2 'echo "<h1>Ring</h1>" >p.html && links2 -dump p.html' ;;
	ack) inside ack 'echo "ring the bell" >f && ack bell f' ;;
	ronn) inside ronn 'printf "# bell(1) -- rings\n" >b.md && ronn --pipe -r b.md' ;;
	memcached)
		cb run --detach memcached -- -p 11311 </dev/null >"$T/service" 2>&1
		answers memcached 11311 'version\r\n'
		;;
	icecast2) run icecast2 -- --version ;;
	menu) inside menu 'command -v su-to-root && test -e /var/lib/dpkg/info/menu.triggers && echo menu has triggers' ;;
	molly-guard) inside molly-guard 'dpkg-divert --list | grep /sbin/halt' ;;
	nvi) inside nvi 'printf "a\nrang\n.\nw! f\nq\n" | nex -s f; cat f; cat /var/lib/dpkg/alternatives/vi | grep nvi' ;;
	bsdgames) run --command primes bsdgames -- 40 43 ;;
	fonts-hack) inside fonts-hack 'ls /usr/share/fonts/truetype/hack' ;;
	libzip4) inside libzip4 'ls /usr/lib/*/libzip.so.4' ;;
	slapd) inside slapd '/usr/sbin/slapd -VV 2>&1; test -e /etc/ldap/slapd.d/cn=config.ldif && echo set up' ;;
	*) run "$1" -- --version ;;
	esac
}
wanted() {
	case $1 in
	w3m | links2) echo Ring ;;
	sqlite3 | python3-minimal | jq) echo 42 ;;
	nginx-light) echo rung ;;
	redis-server) echo PONG ;;
	git) echo 'rang once' ;;
	figlet) echo '| |' ;;
	cowsay) echo moo ;;
	busybox) echo 'it is busy' ;;
	vim-tiny) echo VIM ;;
	mc) echo 'Midnight Commander' ;;
	khard) echo 'Khard version' ;;
	ack) echo 'ring the bell' ;;
	ronn) echo '.TH "BELL"' ;;
	memcached) echo 'VERSION 1' ;;
	icecast2) echo 'Icecast 2' ;;
	menu) echo 'menu has triggers' ;;
	molly-guard) echo 'by molly-guard' ;;
	nvi) echo '/usr/bin/nvi' ;;
	bsdgames) echo 41 ;;
	fonts-hack) echo Hack-Bold ;;
	libzip4) echo libzip.so.4 ;;
	slapd) echo OpenLDAP ;;
	*) echo "${1%%-*}" ;;
	esac
}

# A service's answer on its port, asked for in its own session.
answers() {
	local i out
	for i in $(seq 50); do
		out=$(timeout 20 "$bin/cowbell" --root "$T/root" exec "$1" -- bash -c "exec 3<>/dev/tcp/127.0.0.1/$2 && printf '$3' >&3 && while read -t 1 -r l <&3; do echo \"\$l\"; done" </dev/null 2>/dev/null)
		[ -z "$out" ] || break
		sleep 0.1
	done
	echo "$out"
	cat "$T/service"
	cb stop "$1" >/dev/null 2>&1
}

size() { numfmt --to=si --format=%.1f "${1:-0}"; }
now() { date +%s%N; }

[ $# -gt 0 ] || set -- khard w3m mc nano sqlite3 python3-minimal nginx-light redis-server git vim-tiny figlet cowsay tmux \
	irssi newsboat jq busybox rsync ranger links2
failed=0
echo "| package | packages | fetched | layer | install | run | program | result |"
echo "|---|--:|--:|--:|--:|--:|---|---|"
for p; do
	dry=$(cb --json install --dry-run "$p" 2>"$T/err")
	count=$(jq '[.packages[] | select(.in_base | not)] | length' <<<"$dry" 2>/dev/null)
	bytes=$(jq '[.packages[] | select(.in_base | not).download] | add // 0' <<<"$dry" 2>/dev/null)
	t0=$(now)
	if ! cb install "$p" </dev/null >"$T/out" 2>&1; then
		echo "| $p | ${count:-?} | $(size "$bytes") | | | | | not installed: $(tail -n 1 "$T/out" | tr '|' '/') |"
		failed=1
		continue
	fi
	t1=$(now)
	info=$(cb --json info "$p")
	out=$(use "$p")
	t2=$(now)
	if grep -qF -- "$(wanted "$p")" <<<"$out"; then result=runs; else
		result="answered: $(tail -n 1 <<<"$out" | tr '|' '/')"
		failed=1
	fi
	[ "$(jq .app.from_base <<<"$info")" = false ] || result="$result; this system's own"
	if ! cb --yes uninstall "$p" >"$T/out" 2>&1; then
		result="$result; not uninstalled: $(tail -n 1 "$T/out")"
		failed=1
	fi
	printf '| %s | %s | %s | %s | %.1f s | %.1f s | %s | %s |\n' "$p" "$count" "$(size "$bytes")" \
		"$(size "$(jq .app.disk.install <<<"$info")")" "$(((t1 - t0) / 100000000))e-1" "$(((t2 - t1) / 100000000))e-1" \
		"$(jq -r .app.main <<<"$info")" "$result"
done
left=$(find "$T/root/state/store" -mindepth 2 | wc -l)
[ "$left" = 0 ] || { echo "$left files are left in the store" >&2; failed=1; }
exit $failed
