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
