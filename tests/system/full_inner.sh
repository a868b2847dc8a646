# SPDX-License-Identifier: MIT
# The inner half of t_full.sh. Fills a disk: only inside the image that was
# mounted for it.
set -u
[ "${IN_FULL:-}" = 1 ] && grep -q " $T/disk ext4 " /proc/self/mounts || { echo "not ok full_inner runs in its image only"; exit 1; }
export FULL_DISK=$T/disk
sed -e '/^mkdir -p "\$T"$/,$d' tests/system/lib.sh >"$T/functions.sh"
set -- t_full.sh
. "$T/functions.sh"
R=$T/disk/root
: >"$T/log"
start
app hog
sh_in hog 'echo good >~/data; echo a >~/a'
sh_in hog 'echo spoiled >~/data'
cb grant hog contacts read >/dev/null
sh_in hog 'cat /dev/zero >~/fill 2>/dev/null; sync; ls -la ~/fill >/dev/null'
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
