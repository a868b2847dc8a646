# SPDX-License-Identifier: MIT
# Cards and sticks: each a gate of its own while it is there, let go when it leaves.
# All of it in a mount namespace of this test's own.

stop
name=$(getent passwd $UID_OWNER | cut -d: -f1)
name=${name:-user}
START_IN=(unshare --net --mount --propagation "${MEDIA_PROPAGATION:-private}")
inside() { nsenter -t "$pid" -m -- "$@"; }
card() { # card NAME: an image with one file on it
	truncate -s 16M "$T/$1.img"
	mkdir -p "$T/$1.dir"
	echo "a letter on $1" >"$T/$1.dir/letter.txt"
	chown -R $UID_OWNER:$UID_OWNER "$T/$1.dir"
	mkfs.ext4 -q -d "$T/$1.dir" -E root_owner=$UID_OWNER:$UID_OWNER "$T/$1.img"
}
plug() { # plug IMAGE PLACE
	inside mkdir -p "$2" && inside mount -o loop "$T/$1.img" "$2"
}
is_loose() { # the kernel has let the image go: nobody has it mounted
	local i
	for i in $(seq 100); do losetup -j "$T/$1.img" | grep -q . || return 0; sleep 0.1; done
	losetup -j "$T/$1.img"
	return 1
}
until_text() { # until_text FILE TEXT
	local i
	for i in $(seq 100); do grep -qF -- "$2" "$1" 2>/dev/null && return 0; sleep 0.1; done
	cat "$1"
	return 1
}
# What a test mounted goes with its namespace; its images, with the last mount.
declare -F net_down >/dev/null || net_down() { [ -z "$pid" ] || inside umount -l /media 2>/dev/null; }

card HOLIDAY
card WORK
card 'MY CARD'
start
inside mount -t tmpfs none /media
app toy || exit 1
looks() { (cd / && exec timeout 60 "$BIN/cowbell" --root "$R" shell toy -c "$1") </dev/null >"$T/toy.out" 2>"$T/toy.err" & toy=$!; }

# --- there when the app starts

ok "a card is put in" plug HOLIDAY /media/HOLIDAY
looks 'ls /media; cat /media/HOLIDAY/letter.txt; echo rc $?'
for i in $(seq 50); do [ "$(cb --json prompts | jq -r '.prompts[0].permission // empty')" ] && break; sleep 0.1; done
is "it is asked about by its name" "$(cb --json prompts | jq -r '.prompts[0] | .permission, .about')" "$(printf 'removable:HOLIDAY\nyour cards and sticks: HOLIDAY')"
is "the app waits" "$(cat "$T/toy.out")" HOLIDAY
ok "a yes" cb answer "$(waiting | jq .id)" read --for always
wait $toy
like "gives it" "$(cat "$T/toy.out")" 'a letter on HOLIDAY'
is "to read, no more" "$(sh_in toy 'echo x >/media/HOLIDAY/x 2>&1 | sed "s/.*: //"; ls /media/HOLIDAY | grep -c x$')" 0
like "who has what tells" "$(cb permissions toy)" '^removable:HOLIDAY +read +always'
ok "it can be taken out" inside umount /media/HOLIDAY
ok "and nobody holds it" is_loose HOLIDAY
is "an app sees that nothing is there" "$(sh_in toy 'ls -a /media | wc -l; cat /media/HOLIDAY/letter.txt 2>&1 | sed "s/.*: //"')" "$(printf '2\nNo such file or directory')"

# --- it comes while the app runs

looks 'echo looks; until cat /media/*/*/letter.txt 2>/dev/null; do sleep 0.1; done; until cat /media/HOLIDAY/letter.txt 2>/dev/null; do sleep 0.1; done; echo done'
ok "an app runs, and nothing is there" until_text "$T/toy.out" looks
ok "one comes, in its owner's own folder" plug WORK "/media/$name/WORK"
ok "it is asked about" cb answer "$(waiting | jq .id)" write
ok "and the app goes on" until_text "$T/toy.out" 'a letter on WORK'
ok "one that it was given before comes" plug HOLIDAY /media/HOLIDAY
ok "it has it, unasked" until_text "$T/toy.out" 'a letter on HOLIDAY'
wait $toy
is "somebody else's is not there" "$(inside mkdir -p /media/mallory/X; plug 'MY CARD' /media/mallory/X; sh_in toy 'ls /media' | tr '\n' ' ')" "HOLIDAY $name "
inside umount /media/mallory/X

# --- it leaves while it is asked about, and while it is in use

cb revoke toy removable >/dev/null
looks "cat /media/$name/WORK/letter.txt; echo rc \$?; sleep 600"
waiting >/dev/null
ok "taken out while it is asked about" inside umount "/media/$name/WORK"
ok "the app goes on, without" until_text "$T/toy.out" 'rc 1'
like "with an error that says it" "$(cat "$T/toy.err")" 'No such device'
is "nobody is asked any more" "$(cb --json prompts | jq '[.prompts[] | select(.state == "waiting")] | length')" 0
ok "nobody holds it" is_loose WORK
ok "it comes again" plug WORK "/media/$name/WORK"
timeout 60 "$BIN/cowbell" --root "$R" exec toy -- sh -c "cat /media/$name/WORK/letter.txt; echo more >>/media/$name/WORK/letter.txt; echo rc \$?" </dev/null >"$T/exec.out" 2>&1 &
job=$!
ok "and is asked about again, at once" cb answer "$(waiting | jq .id)" write
wait $job
like "and can be written to" "$(cat "$T/exec.out")" 'rc 0'
is "by its owner, as the card has it" "$(inside stat -c %u "/media/$name/WORK/letter.txt")" "$(inside stat -c %u "/media/$name/WORK")"
ok "taken out of a running app that holds nothing of it" inside umount "/media/$name/WORK"
ok "which lets go" is_loose WORK
is "and runs on" "$(cb --json ps | jq '[.sessions[] | select(.app == "toy")] | length')" 1
ok "in again" plug WORK "/media/$name/WORK"
cb grant toy removable:WORK write >/dev/null
timeout 60 "$BIN/cowbell" --root "$R" exec toy -- sh -c "exec 3<>/media/$name/WORK/letter.txt; echo holds; sleep 600" </dev/null >"$T/exec.out" 2>"$T/exec.err" &
job=$!
ok "an app holds a file of it" until_text "$T/exec.out" holds
ok "taken out" inside umount "/media/$name/WORK"
ok "whoever holds it is ended, so that nothing on it is lost" is_loose WORK
wait $job $toy
like "and is told" "$(cat "$T/exec.err")" 'toy is ended: it still held [0-9]+ open files? of WORK, which was taken out'

# --- it comes and leaves under the hands of an app that does nothing but look

looks 'for k in 1 2 3 4; do (while [ ! -e ~/enough ]; do cat /media/*/letter.txt >/dev/null 2>&1; done) & done; echo looking; wait; echo all out'
until_text "$T/toy.out" looking >/dev/null
# More often than there is room for gates: of those that are gone none is kept.
inside sh -c 'mkdir -p /media/COMES; for i in $(seq 60); do mount -t tmpfs none /media/COMES && umount /media/COMES; done'
for i in 1 2 3 4 5; do
	plug HOLIDAY /media/HOLIDAY
	inside umount /media/HOLIDAY && is_loose HOLIDAY >/dev/null
done
cb exec toy -- sh -c '>~/enough' </dev/null 2>/dev/null
ok "nobody hangs, and nobody is ended" until_text "$T/toy.out" 'all out'
wait $toy
ok "and the card is loose" is_loose HOLIDAY
plug HOLIDAY /media/HOLIDAY
sh_in toy 'rm ~/enough'

# --- what was answered

raw=$'/media/\377\n*'
ok "a name that is no text" plug WORK "$raw"
is "is called as it can be shown" "$(cb --json plan toy | jq -r '.steps[].detail' | grep -c 'removable:.xff.x0a')" 1
ok "by that name it is given" cb grant toy 'removable:\xff\x0a*' read
is "under its own it is there" "$(sh_in toy 'cat /media/*/letter.txt 2>/dev/null | grep -c "a letter on WORK"')" 1
ok "and goes" inside umount "$raw"
ok "like others" is_loose WORK

ok "an odd name" plug 'MY CARD' '/media/MY CARD'
cb grant toy removable empty >/dev/null
is "an empty one" "$(sh_in toy 'ls -A "/media/MY CARD" | wc -l; echo x >"/media/MY CARD/x" 2>/dev/null; echo $?')" "$(printf '0\n2')"
is "of all of them, but the one that was named" "$(cb grant toy removable:HOLIDAY write >/dev/null; sh_in toy 'ls /media/HOLIDAY | grep letter; ls "/media/MY CARD"')" letter.txt
is "no is an error" "$(cb grant toy removable no >/dev/null; sh_in toy 'ls "/media/MY CARD" 2>&1 | sed "s/.*: //"')" 'Permission denied'
inside mkdir -p /run/media
inside mount -t tmpfs none /run/media
ok "where other systems mount them" plug WORK "/run/media/$name/WORK"
is "they are found too" "$(cb grant toy removable:WORK read >/dev/null; sh_in toy "cat /run/media/$name/WORK/letter.txt" | head -n 1)" 'a letter on WORK'
ok "and let go" inside umount "/run/media/$name/WORK"
ok "as well" is_loose WORK
fails "a copy is none" 1 "'copy' is no answer for removable (no, ask, empty, read, write)" cb grant toy removable copy
cb revoke toy removable >/dev/null
is "an installer gets nothing" "$(cb install --name thief -- sh -c 'cat /media/HOLIDAY/letter.txt; true' </dev/null 2>&1 | grep -c 'a letter on')" 0
is "cat of what nobody mounted there" "$(inside mkdir -p /media/plain; inside sh -c 'echo secret >/media/plain/f'; sh_in toy 'cat /media/plain/f 2>&1 | sed "s/.*: //"')" 'No such file or directory'
# What may hang, or stands where volumes are put, is not given.
inside mkdir -p /media/DEAD "/media/$name"
ok "a file system whose program never answers" inside sh -c \
	"exec 3<>/dev/fuse; mount -t fuse -o fd=3,rootmode=40000,user_id=$UID_OWNER,group_id=$UID_OWNER,allow_other none /media/DEAD; sleep 600 >/dev/null 2>&1 & echo \$! >'$T/fuse.pid'"
cb grant toy removable:DEAD read >/dev/null
timeout 20 "$BIN/cowbell" --root "$R" shell toy -c 'ls /media/DEAD; echo rc $?' </dev/null >"$T/fuse.out" 2>&1
like "is not given" "$(cat "$T/fuse.out")" 'rc [12]'
ok "and holds nobody up" timeout 10 "$BIN/cowbell" --root "$R" list
inside umount -l /media/DEAD
kill "$(cat "$T/fuse.pid")"
like "and why is told" "$(cat "$T/fuse.out")" 'DEAD.* lies on a file system \(fuse\)'
ok "one that is called like its owner" plug WORK "/media/$name"
ok "and one where its owner's are" inside sh -c "mkdir -p '/media/$name/IN' && mount -t tmpfs none '/media/$name/IN'"
is "only the latter is there" "$(cb grant toy removable write >/dev/null; sh_in toy "ls /media/$name")" IN
inside sh -c "umount '/media/$name/IN'; rmdir '/media/$name/IN'; umount '/media/$name'"
cb revoke toy removable >/dev/null

# One over the other, as automounters have it: the upper one is there, and stays.
ok "a mount, and another over it" plug WORK /media/HOLIDAY
cb grant toy removable:HOLIDAY read >/dev/null
looks 'exec 3</media/HOLIDAY/letter.txt; echo holds; while [ ! -e ~/enough ]; do sleep 0.1; done; cat <&3'
ok "in use" until_text "$T/toy.out" holds
for i in 1 2 3; do inside mount -t tmpfs none /mnt; inside umount /mnt; done
cb exec toy -- sh -c '>~/enough' </dev/null 2>/dev/null
wait $toy
like "others come and go beside it" "$(cat "$T/toy.out")" 'a letter on WORK'
ok "the upper one leaves" inside umount /media/HOLIDAY
is "the lower one is there" "$(sh_in toy 'rm ~/enough; cat /media/HOLIDAY/letter.txt')" 'a letter on HOLIDAY'
cb revoke toy removable:HOLIDAY >/dev/null

for i in 1 2 3 4 5 6 7 8 9 10; do inside mkdir -p "/media/many$i" && inside mount -t tmpfs none "/media/many$i"; done
for i in $(seq 50); do daemon_log | grep -q 'too many' && break; sleep 0.1; done
like "there is a bound" "$(daemon_log)" "the volume 'many[0-9]+' is not offered: there are too many"
for i in 1 2 3 4 5 6 7 8 9 10; do inside umount "/media/many$i"; done

# --- the broker dies

cb grant toy removable:HOLIDAY read >/dev/null
looks 'cat /media/HOLIDAY/letter.txt; echo in; while sleep 0.1; do cat /media/HOLIDAY/letter.txt >/dev/null 2>&1 || { echo gone; break; }; done; until cat "/media/MY CARD/letter.txt" 2>/dev/null; do sleep 0.1; done; sleep 600'
ok "an app uses one" until_text "$T/toy.out" in
kill -STOP "$pid"
kill -9 "$(pgrep -P "$pid" -x cowbell-broker)"
inside umount /media/HOLIDAY
inside umount '/media/MY CARD'
kill -CONT "$pid"
for i in $(seq 50); do cb list >/dev/null 2>&1 && break; sleep 0.1; done
ok "taken out meanwhile, it is let go by the next" is_loose HOLIDAY
ok "and the app sees it" until_text "$T/toy.out" gone
ok "another comes" plug 'MY CARD' '/media/MY CARD'
ok "and is asked about" cb answer "$(waiting | jq .id)" read
ok "as ever" until_text "$T/toy.out" 'a letter on MY CARD'
cb stop toy >/dev/null
wait $toy
ok "a spare that stands ready holds none" inside umount '/media/MY CARD'
ok "of them" is_loose 'MY CARD'
