# SPDX-License-Identifier: MIT
# The disk of the state turns read-only while apps run: in an image of its own, mounted
# in a namespace of its own, where the file system is told to find an error.

stop
if [ -z "${DISK:-}" ]; then
	truncate -s 64M "$T/disk.img"
	mkfs.ext4 -q -m 0 -e remount-ro "$T/disk.img"
	mkdir -p "$T/disk" "$T/in"
	DISK=$T/disk unshare -m --propagation private bash -c '
		mount -o loop "$T/disk.img" "$DISK" || { echo "skip a disk that fails: this kernel lacks loop devices"; exit 0; }
		[ -e "/sys/fs/ext4/$(basename "$(findmnt -no SOURCE "$DISK")")/trigger_fs_error" ] ||
			{ echo "skip a disk that fails: this kernel lacks a way to make ext4 find an error"; exit 0; }
		BASE=$T/in bash tests/system/lib.sh tests/system/t_readonly.sh
		umount "$DISK" || umount -l "$DISK"' || echo "not ok the inner half of this test (status $?)"
	start
	return
fi

R=$DISK/root
: >"$T/log"
start
app keep
cb grant keep contacts read >/dev/null
cb run --detach keep -- sh -c "ls ~/.local/share/contacts; sleep 1000.$$" </dev/null >/dev/null 2>&1
for i in $(seq 100); do cb ps | grep -q 'has contacts' && break; sleep 0.1; done
like "an app has what it was given" "$(cb ps)" 'has contacts: read'
echo test >"/sys/fs/ext4/$(basename "$(findmnt -no SOURCE "$DISK")")/trigger_fs_error"
fails "the disk is read-only now" 1 "Read-only file system" touch "$DISK/x"
ok "what is known can be read" cb list
fails "an answer is not taken" 1 "Read-only file system" cb grant keep storage:Music read
like "and not given" "$(cb explain keep storage:Music)" 'is ask'
cb shell keep -c 'ls ~/Documents' </dev/null >/dev/null 2>"$T/held" &
job=$!
id=$(waiting | jq .id)
fails "nor is one to a question" 1 "Read-only file system" cb answer "$id" read
fails "what is taken back and cannot be written down is not left to the app" 1 \
	"cowbell: keep: the answer could not be taken back, so it was stopped: write to the store" cb revoke keep contacts
for i in $(seq 100); do pgrep -f "sleep 1000.$$" >/dev/null || break; sleep 0.1; done
is "it is stopped" "$(pgrep -fc "sleep 1000.$$")" 0
wait $job
unlike "the held one got nothing" "$(cat "$T/held")" 'letter|jpg'
fails "no app is started" 125 "Read-only file system" cb run keep -- true
stop
fails "and no cowbelld" 1 "Read-only file system" timeout 30 "$BIN/cowbelld" --root "$R" --user $UID_OWNER --home "$H" --board generic
umount "$DISK"
mount -o loop "${DISK%/*}/disk.img" "$DISK"
start
like "on a disk that was mended all that was taken for written stands" "$(cb explain keep contacts)" 'is read'
ok "and the app runs" cb run keep -- true
