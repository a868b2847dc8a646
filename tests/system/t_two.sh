# SPDX-License-Identifier: MIT
# board
# Two systems side by side.

app one
R1=$R pid1=$pid
R=$T/second pid=
start
app two
is "each has its own apps" "$(cb --json list | jq -r '.apps[].id') $("$BIN/cowbell" --root "$R1" --json list | jq -r '.apps[].id')" "two one"
base() { cb --json plan "$1" | jq -r '.steps[] | select(.what == "ids").detail' | sed 's/.* are \([0-9]*\)\.\..*/\1/'; }
two=$(base two)
R=$R1
one=$(base one)
ok "and its own host ids ($one, $two)" test "$one" != "$two"
sh_in one 'echo first >~/x'
R=$T/second
is "nothing of one shows in the other" "$(sh_in two 'cat ~/x 2>/dev/null; ls -d '"$R1"' 2>/dev/null')" ""
stop
is "one goes on when the other ends" "$(R=$R1; sh_in one 'cat ~/x')" first
R=$R1 pid=$pid1

long=$T/$(printf 'long%.0s' $(seq 40))
mkdir -p "$long"
R=$long/root pid=
start
ok "a root with a long path" app three
stop
R=$R1 pid=$pid1

# Its ids' claim, held by another process: one that is about to go, and one that stays.
claimed() { # claimed SECONDS
	python3 -c '
import fcntl, os, struct, sys, time
fd = os.open("/dev/autofs", os.O_RDWR)
block = int(open(sys.argv[1]).read().split()[0])
fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0x636f77 + block, 1, 0))
print("held", flush=True)
time.sleep(float(sys.argv[2]))' "$R/state/ids" "$1"
}
stop
claimed 1 >"$T/held" &
holder=$!
for i in $(seq 100); do [ -s "$T/held" ] && break; sleep 0.05; done
start
ok "a claim of what is just being killed is waited for" cb info one
wait $holder
stop
claimed 60 >"$T/held" &
holder=$!
for i in $(seq 100); do [ -s "$T/held" ] && break; sleep 0.05; done
fails "one that stays is told" 1 "another running system uses this one's host ids" "$BIN/cowbelld" --root "$R" --user $UID_OWNER --home "$H"
pkill -P $holder
wait $holder 2>/dev/null
start
