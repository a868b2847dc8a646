# SPDX-License-Identifier: MIT
# An answer that stands is laid out before its first use: that takes no broker, and
# is taken back, told and forgotten all the same.

MAY_CHANGE="Documents Music .local/share/contacts"
contacts=$H/.local/share/contacts

supervisor() { # of the one session that runs
	for p in $(pgrep -P "$pid" -x cowbell-supervi); do
		[ ! -e "/proc/$p/root$H/.marker" ] || echo "$p"
	done
}
laid_out() { # FOLDER: the supervisor holds its mount
	local i p ino
	ino=$(stat -c %i "$1")
	for i in $(seq 100); do
		p=$(supervisor)
		[ -z "$p" ] || ! grep -qsx "ino:[[:space:]]*$ino" "/proc/$p/fdinfo/"* || return 0
		sleep 0.05
	done
	return 1
}
# Runs an app that looks at Documents when its person puts a file among the contacts.
begin() { # SCRIPT
	rm -f "$contacts/go"
	cb run --detach standy -- sh -c "touch ~/.marker; until test -e ~/.local/share/contacts/go; do sleep 0.05; done; $1" </dev/null >/dev/null 2>&1
}
go() { touch "$contacts/go"; }
seen() { cat "$H/Documents/seen" 2>/dev/null; rm -f "$H/Documents/seen"; }

app standy
cb grant standy contacts read >/dev/null
cb grant standy storage:Documents write >/dev/null

begin 'cat ~/Documents/letter.txt >~/Documents/seen; sleep 1000'
ok "the mount of an answer that stands is made ahead" laid_out "$H/Documents"
unlike "that is no use of it" "$(cb ps)" 'Documents: write'
broker=$(pgrep -P "$pid" -x cowbell-broker)
kill -STOP "$broker"
go
for i in $(seq 100); do [ -s "$H/Documents/seen" ] && break; sleep 0.05; done
is "its first use does not wait for the broker" "$(seen)" "dear diary"
kill -9 "$broker"
for i in $(seq 100); do cb ps >/dev/null 2>&1 && break; sleep 0.1; done
like "and history knows of it, though that broker wrote nothing" "$(cb history standy --permission storage:Documents)" 'used +storage:Documents +write'
like "so does ps" "$(cb ps)" 'Documents: write'
cb stop standy >/dev/null

# Who changes the answer, changes the next use.
begin 'cat ~/Documents/letter.txt; echo $? >/tmp/rc; sleep 1000'
laid_out "$H/Documents"
ok "an answer can be taken back before its use" cb grant standy storage:Documents no
go
for i in $(seq 100); do rc=$(cb exec standy -- cat /tmp/rc </dev/null 2>/dev/null) && [ -n "$rc" ] && break; sleep 0.1; done
is "and the use meets the new one" "$rc" 1
cb stop standy >/dev/null 2>&1
like "which history says" "$(cb history standy --permission storage:Documents)" 'refused +storage:Documents'

cb grant standy storage:Documents write >/dev/null
begin 'echo x >~/Documents/new; echo $? >/tmp/rc; sleep 1000'
laid_out "$H/Documents"
cb grant standy storage:Documents read >/dev/null
laid_out "$H/Documents"
go
for i in $(seq 100); do rc=$(cb exec standy -- cat /tmp/rc </dev/null 2>/dev/null) && [ -n "$rc" ] && break; sleep 0.1; done
is "write turned to read before the use takes no change" "$rc $(test -e "$H/Documents/new" && echo there)" "2 "
cb stop standy >/dev/null 2>&1

cb grant standy storage:Documents write >/dev/null
begin 'sleep 1000'
laid_out "$H/Documents"
ok "revoke of what was never used" cb revoke standy storage:Documents
go
cb exec standy -- ls "$H/Documents" </dev/null >/dev/null 2>&1 &
job=$!
like "then it asks" "$(waiting)" '"permission":"storage:Documents"'
answer no >/dev/null
wait $job
cb stop standy >/dev/null 2>&1

# Time runs out also for what lies ready.
cb grant standy storage:Documents write --for 3s >/dev/null
begin 'sleep 1000'
laid_out "$H/Documents"
for i in $(seq 100); do cb explain standy storage:Documents | grep -q 'is ask' && break; sleep 0.1; done
cb exec standy -- ls "$H/Documents" </dev/null >/dev/null 2>&1 &
job=$!
like "what has run out is asked about" "$(waiting)" '"permission":"storage:Documents"'
answer no >/dev/null
wait $job
cb stop standy >/dev/null 2>&1

# Policy counts as much.
mkdir -p "$R/etc/policy.d"
cb grant standy storage:Documents write >/dev/null
begin 'sleep 1000'
laid_out "$H/Documents"
echo 'standy storage:Documents no enforce' >"$R/etc/policy.d/50-no.rules"
for i in $(seq 100); do cb explain standy storage:Documents | grep -q 'is no' && break; sleep 0.1; done
fails "a policy that came takes back what lies ready" 2 "Permission denied" cb exec standy -- ls "$H/Documents"
cb stop standy >/dev/null 2>&1
rm "$R/etc/policy.d/50-no.rules"
for i in $(seq 100); do cb explain standy storage:Documents | grep -q 'is write' && break; sleep 0.1; done

# What the person did with the folder since.
begin 'cat ~/Documents/letter.txt >~/Documents/seen; sleep 1000'
laid_out "$H/Documents"
mv "$H/Documents/letter.txt" "$T/letter"
rm -r "$H/Documents"
mkdir "$H/Documents"
echo 'new diary' >"$H/Documents/letter.txt"
chown -R $UID_OWNER:$UID_OWNER "$H/Documents"
go
for i in $(seq 100); do [ -s "$H/Documents/seen" ] && break; sleep 0.05; done
is "a folder made anew is the one that is seen" "$(seen)" "new diary"
cb stop standy >/dev/null 2>&1

cb grant standy storage:Music write >/dev/null
begin 'touch ~/Music/here; sleep 1000'
laid_out "$H/Documents"
is "a folder that is not there is not made ahead" "$(test -e "$H/Music" || echo none)" none
go
for i in $(seq 100); do [ -e "$H/Music/here" ] && break; sleep 0.05; done
is "but when it is used" "$(test -e "$H/Music/here" && echo there)" there
cb stop standy >/dev/null 2>&1
rm -rf "$H/Music" "$contacts/go"
