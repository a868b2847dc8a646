# SPDX-License-Identifier: MIT
# Odd words, odd descriptors, odd files.

app odd
B="$BIN/cowbell"

# --- standard descriptors that are closed, full or gone
for n in 0 1 2; do
	is "run with descriptor $n closed" "$(eval "cb run odd -- sh -c 'exit 3' $n>&- 2>/dev/null"; echo $?)" 3
	ok "list with descriptor $n closed" eval "cb list $n>&-"
	is "install with descriptor $n closed" "$(eval "cb install --name c$n -- touch /opt/c$n $n>&- >/dev/null 2>&1 </dev/null"; echo $?)" 0
done
is "run with all of them closed" "$(cb run odd -- sh -c 'exit 3' 0>&- 1>&- 2>&-; echo $?)" 3
for words in list "info odd" permissions "generations odd" "versions odd" "plan odd" doctor mark --help "list --help" --version \
	"explain odd contacts" "--json list" "--json history"; do
	fails "a full disk behind: $words" 1 "No space left on device" sh -c "'$B' --root '$R' $words >/dev/full"
done
is "a reader that leaves" "$(cb history 2>&1 | head -c 0; true)" ""

# --- words
for verb in info run stop shell generations rollback plan versions permissions; do
	fails "$verb: a word that is no text" 2 "is not UTF-8 text" cb $verb $'\xff\xfe'
	fails "$verb: an option that is not there" 2 "$verb has no option '-x' (cowbell $verb --help)" cb $verb -x
done
fails "a name of many letters" 1 "no app of this name" cb info "$(printf 'a%.0s' $(seq 5000))"
mkfifo -m 666 "$T/fifo.deb"
fails "a pipe that is called a package" 1 "not a .deb file" timeout 10 "$B" --root "$R" install "$T/fifo.deb"
printf '#!/bin/sh\necho hi\n' >"$T/"$'n\xff.sh'
chmod 755 "$T/"$'n\xff.sh'
fails "a program whose name is no text" 1 "is not allowed" cb install "$T/"$'n\xff.sh'
ok "it can be given a name" cb install --name byname "$T/"$'n\xff.sh'
fails "a program that is not there" 127 "has no program 'nope'" cb run --command nope odd
fails "a path as a program" 127 "has no program" cb run --command ../../bin/sh odd
fails "a program that an app does not find" 127 "not found" cb run odd -- nonexistent
sh_in odd 'echo two >~/icon@2x.png; echo x >~/f'
is "a name with an @" "$(cb cat odd "$H/icon@2x.png")" two
for p in '../../../../etc/shadow' "$H/../../../../etc/shadow" /etc/passwd "$H/f@99"; do
	fails "cat $p" 1 "cowbell: " cb cat odd "$p"
	unlike "nothing of the host: $p" "$(cb cat odd "$p" 2>/dev/null)" .
done
fails "cat as JSON" 2 "leave --json out" cb --json cat odd "$H/f"

# A number that is cut short names another generation; one below zero named the last run.
sh_in odd 'echo more >~/more'
for n in 4294967297 4294967298 18446744073709551617; do
	fails "rollback to $n" 1 "no generation" cb rollback odd $n
done
like "a number below zero is no undo" "$(python3 - "$R/run/cowbell/io.cowbell" <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(b'{"method":"io.cowbell.Rollback","parameters":{"app":"odd","generation":-1}}\0'); print(s.recv(4096))
P
)" "no generation"
is "what it changed is there" "$(sh_in odd 'cat ~/more')" more

# --- JSON is JSON, one object or one a line
cb grant odd contacts empty >/dev/null
for words in list "info odd" ps permissions "permissions odd" "permissions --by-permission" "explain odd contacts" prompts history \
	"history odd" "generations odd" "versions odd" "diff odd" "plan odd" mark doctor "lock odd contacts" "unlock odd contacts" \
	"pin odd 1" "grant odd storage no" "revoke odd storage" "rollback odd" "reset odd" "uninstall c0"; do
	ok "JSON: $words" sh -c "'$B' --root '$R' --yes --json $words | python3 -c '
import json, sys
lines = sys.stdin.read().splitlines()
assert lines
for l in lines: assert isinstance(json.loads(l), dict)'"
done
for verb in $(cb --help | awk '/^  [a-z]/ { print $1 }'); do
	like "help of $verb" "$(cb $verb --help)" "^cowbell $verb"
done

# --- a small device allows fewer processes than Cowbell would
stop
many=$(ulimit -Hu)
ulimit -u 700
start
is "its own bound is kept" "$(sh_in odd 'bash -c "ulimit -Hu"')" 700
stop
ulimit -Hu "$many"
start

# --- where one starts, and what is too much

app place
mkdir "$T/gone"
like "a current folder that is gone is told" "$(cd "$T/gone" && rmdir "$T/gone" && cb run place -- pwd </dev/null 2>&1)" 'the current folder is gone; the app starts in its home'
mkdir "$T/"$'x\xff'
like "one whose name is no text, too" "$(cd "$T/"$'x\xff' && cb run place -- pwd </dev/null 2>&1)" 'the name of the current folder is not UTF-8 text; the app starts in its home'
like "one that the app can see is kept" "$(cd /usr && cb run place -- pwd </dev/null 2>&1)" '^/usr$'
# One rule: what cannot be said is 2, what is refused is 126.
fails "a word that is no text" 2 "is not UTF-8 text" cb run place -- echo $'\xff'
fails "too many words" 126 "more than 1024 words" cb run place -- echo $(seq 2000)
fails "too long a word" 126 "64 kB" cb run place -- echo "$(head -c 70000 /dev/zero | tr '\0' a)"
fails "all too long together" 126 "64 kB" cb run place -- echo "$(head -c 65300 /dev/zero | tr '\0' a)"
fails "a file that cannot be given" 126 "cannot give '/nonexist'" cb run --give /nonexist place -- true
fails "an app that is not there" 126 "there is no app of this name" cb run nosuch -- true
like "one without a version is named without a hole" "$(cb info place)" '^place, ready$'
sh_in place 'ls ~/Pictures' >/dev/null &
job=$!
is "in questions, too" "$(waiting | jq -r .title)" place
answer no >/dev/null
wait $job
mkdir -p "$T/v/DEBIAN"
printf 'Package: longish\nVersion: 1.2.3+really.4.5.6~very.long-7\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' >"$T/v/DEBIAN/control"
dpkg-deb --root-owner-group -b "$T/v" "$T/longish.deb" >/dev/null
cb install "$T/longish.deb" </dev/null >/dev/null 2>&1
like "a version that is cut is marked" "$(cb list)" '^longish +ready +1\.2\.3\+really\.{4} '
