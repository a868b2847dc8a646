# SPDX-License-Identifier: MIT
# The inner half of t_full.sh. Fills a disk: only inside the image that was
# mounted for it.
set -u
[ "${IN_FULL:-}" = 1 ] && grep -q " $T/disk ext4 " /proc/self/mounts || { echo "not ok full_inner runs in its image only"; exit 1; }
export FULL_DISK=$T/disk
sed -e '/^mkdir -p "\$T"$/,$d' tests/system/lib.sh >"$T/functions.sh"
set -- tests/system/t_full.sh
. "$T/functions.sh"
R=$T/disk/root
: >"$T/log"
start
app hog
sh_in hog 'echo good >~/data; echo a >~/a'
sh_in hog 'echo spoiled >~/data'

# One that fills the disk is held before it is full, and nobody else is.
left() { df --output=avail -k "$T/disk" | tail -n 1; }
is_held() { cb --json ps | jq -e --arg a "$1" '.sessions[] | select(.app == $a) | .held' >/dev/null; }
until_held() { local i; for i in $(seq 200); do is_held "$1" && return 0; sleep 0.05; done; return 1; }
dd if=/dev/zero of="$T/disk/ballast" bs=1M count=30 2>/dev/null
app calm
cb run --detach calm -- sh -c 'while :; do date >~/now; sleep 0.05; done' </dev/null >/dev/null 2>&1
(cd / && exec "$BIN/cowbell" --root "$R" shell hog -c 'while :; do head -c 256k /dev/zero >>~/slow; sleep 0.02; done') </dev/null >"$T/slow.out" 2>"$T/slow.err" &
slow=$!
ok "an app that fills the disk is held" until_held hog
ok "there is room left ($(left) kB)" test "$(left)" -gt 1000
like "its person is told" "$(cat "$T/slow.err")" 'the disk is nearly full \([0-9]+ MB left, [0-9]+ are kept free\): hog is held until there is room \(cowbell stop hog ends it\)'
like "so does ps" "$(cb ps)" '^hog .*, held: the disk is nearly full$'
is "one that hardly writes is not" "$(is_held calm || echo free)" free
size=$(stat -c %s "$R"/state/store/layers/*/fs"$H/slow" | sort -n | tail -n 1)
sleep 0.3
is "what is held writes nothing" "$(stat -c %s "$R"/state/store/layers/*/fs"$H/slow" | sort -n | tail -n 1)" "$size"
rm "$T/disk/ballast"
for i in $(seq 200); do [ "$(stat -c %s "$R"/state/store/layers/*/fs"$H/slow" | sort -n | tail -n 1)" -gt "$size" ] && break; sleep 0.05; done
like "with room it goes on" "$(cat "$T/slow.err")" 'there is room on the disk again: hog goes on'
ok "until there is none" until_held hog
ok "and can be stopped" timeout 20 "$BIN/cowbell" --root "$R" stop hog
wait $slow
like "history says so" "$(cb history hog)" 'held'
cb generations hog >/dev/null
cb rollback hog >/dev/null
cb stop calm >/dev/null
cb --yes uninstall calm >/dev/null

# Whoever is faster than the watch is held afterwards.
cb grant hog contacts read >/dev/null
sh_in hog 'cat /dev/zero >~/fill 2>/dev/null; sync; ls -la ~/fill >/dev/null' &
fast=$!
for i in $(seq 400); do kill -0 $fast 2>/dev/null && ! is_held hog || break; sleep 0.05; done
cb stop hog >/dev/null 2>&1
wait $fast
free=$(df --output=avail "$T/disk" | tail -n 1)
dd if=/dev/zero of="$T/disk/rest" bs=4k 2>/dev/null
ok "the disk is full ($free kB were left)" test "$(df --output=avail "$T/disk" | tail -n 1)" -lt 64
ok "list works" cb list
ok "an answer can be taken back" cb revoke hog contacts
like "and is" "$(cb explain hog contacts)" 'is ask'
cb grant hog storage:Music read >/dev/null 2>"$T/grant.err" || like "an answer that cannot be stored says so" "$(cat "$T/grant.err")" 'disk|full|stored'
ok "rollback works" cb rollback hog 2
fails "a run that has nowhere to write says why" 125 "No space left" cb shell hog -c 'cat ~/data'
ok "reset works and makes room" cb --yes reset --now hog
sleep 1
rm -f "$T/disk/rest"
ok "room is back" test "$(df --output=avail "$T/disk" | tail -n 1)" -gt 20000
ok "an app runs again" sh_in hog true
ok "an answer can be stored again" cb grant hog storage:Music read
ok "the store opens again" stop
start
like "with what was said last" "$(cb explain hog storage:Music)" 'is read'
ok "uninstall" cb --yes uninstall hog
stop
is "cowbelld on that disk ends cleanly" $? 0
