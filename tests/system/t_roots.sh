# SPDX-License-Identifier: MIT
# Odd places for a system and for its owner's home.

B="$BIN/cowbell"

# --- hang-up ends it as a stop does
kill -HUP "$pid"
wait "$pid"
is "cowbelld ends cleanly when its terminal goes" $? 0
pid=

# --- roots
try() { # try ROOT HOME [FOLDER]: starts a system there and runs one app; says how far it came
	rm -f "$T/ready"
	mkfifo "$T/ready"
	exec 8<>"$T/ready"
	(cd "$T" && exec "$BIN/cowbelld" --root "$1" --user $UID_OWNER --home "$2" --ready-fd 9 9>"$T/ready" 8>&- >"$T/try.log" 2>&1) &
	pid=$!
	if is_ready; then
		(
			cd "$T" || exit
			timeout 30 "$B" --root "$1" install --name x -- sh -c "printf '#!/bin/sh\nexec \"\$@\"\n' >/usr/local/bin/x; chmod 755 /usr/local/bin/x" </dev/null
			timeout 10 "$B" --root "$1" grant x storage read
			timeout 30 "$B" --root "$1" run x -- sh -c 'ls ~/"$1"; echo hi >~/new && echo ran' - "${3:-Documents}" </dev/null
			timeout 30 "$B" --root "$1" --yes uninstall x
		) >"$T/try.out" 2>&1
	else
		cat "$T/try.log" >"$T/try.out"
	fi
	exec 8>&-
	stop
	cat "$T/try.out"
}
long=$(printf 'l%.0s' $(seq 120))
mkdir "$T/$long"
for r in "$T/$long/x" "$T/a b  c" "$T/"$'r\xff\xfe' "$T/"$'r\nx' "$T/a,b:c\\d" relative; do
	like "root $(printf %q "${r#"$T/"}")" "$(try "$r" "$H" | tr '\n' ' ')" 'letter.txt ran x is gone'
done
mkdir "$T/real" "$T/mnt" && ln -s "$T/real" "$T/link"
like "a root behind a symlink" "$(try "$T/link" "$H" | tr '\n' ' ')" 'letter.txt ran x is gone'
mount -t tmpfs -o nosuid,nodev,noexec none "$T/mnt"
like "a root on a bare tmpfs" "$(try "$T/mnt/r" "$H" | tr '\n' ' ')" 'letter.txt ran x is gone'
mkdir "$T/mnt/ro"
mount -o remount,ro "$T/mnt"
like "a root that cannot be written" "$(try "$T/mnt/ro" "$H")" "make folder '.*': Read-only file system"
umount "$T/mnt"
mkdir -p "$T/ov/lower" "$T/ov/upper" "$T/ov/work"
mount -t overlay none -o "lowerdir=$T/ov/lower,upperdir=$T/ov/upper,workdir=$T/ov/work" "$T/mnt"
like "a root on an overlay" "$(try "$T/mnt/r" "$H")" 'cannot hold the changes of apps: .*choose a --root on ext4'
umount "$T/mnt"
like "the host's root" "$(try / "$H")" "is the host's own root .leave --root out"
is "nothing was made there" "$(ls -d /state 2>/dev/null)" ""
for link in state state/store state/meta state/store/layers run/cowbell; do
	rm -rf "$T/sym"
	mkdir -p "$T/sym/$(dirname $link)"
	ln -s "$T/bait" "$T/sym/$link"
	mkdir -p "$T/bait"
	before=$(stat -c '%u %g %a' "$T/bait")
	like "a symlink at $link" "$(try "$T/sym" "$H")" "is not a folder"
	is "what it leads to is as it was: $link" "$(stat -c '%u %g %a' "$T/bait")" "$before"
done

# --- homes
new_home() { rm -rf "$T/h2" && cp -a "$H" "$T/h2" && mkdir -p "$T/h2/.config"; }
new_home && mkfifo "$T/h2/.config/user-dirs.dirs"
like "a pipe for user-dirs.dirs" "$(try "$T/hr" "$T/h2" | tr '\n' ' ')" 'letter.txt ran'
new_home && ln -s /etc/shadow "$T/h2/.config/user-dirs.dirs"
like "a symlink for user-dirs.dirs" "$(try "$T/hr" "$T/h2" | tr '\n' ' ')" 'letter.txt ran'
new_home
printf 'XDG_DOCUMENTS_DIR="/etc"\nXDG_MUSIC_DIR="$HOME/../../../root"\nXDG_PICTURES_DIR="$HOME"\nXDG_DOWNLOAD_DIR="/"\nXDG_DESKTOP_DIR="/proc"\n' \
	>"$T/h2/.config/user-dirs.dirs"
like "a hostile user-dirs.dirs" "$(try "$T/hr" "$T/h2" | tr '\n' ' ')" 'letter.txt ran'
new_home && rm -r "$T/h2/Documents" && mkdir -m 700 "$T/h2/private" && chown 1234 "$T/h2/private" && echo s >"$T/h2/private/secret"
ln -s private "$T/h2/Documents"
unlike "a folder of somebody else" "$(try "$T/hr" "$T/h2")" secret
for to in . .local/share /; do
	new_home && rm -r "$T/h2/Documents" && ln -s "$to" "$T/h2/Documents"
	out=$(try "$T/hr" "$T/h2")
	like "Documents as a symlink to $to" "$out" 'leads to a folder that also holds'
	unlike "is not given: $to" "$out" '^(contacts|Pictures|usr)$'
done
new_home && mkdir "$T/h2/Documents/cb"
like "a root in a folder that apps may have" "$(try "$T/h2/Documents/cb" "$T/h2")" "leads to a folder that also holds '.*/cb/state'"
# A link that an app can make in a folder that it was given must not open another.
new_home && mkdir -m 700 "$T/h2/.ssh" && echo key >"$T/h2/.ssh/id" && chown -R $UID_OWNER "$T/h2/.ssh"
rm -rf "$T/h2/Pictures" && ln -s Documents/pics "$T/h2/Pictures" && ln -s ../.ssh "$T/h2/Documents/pics"
out=$(try "$T/hr" "$T/h2" Pictures)
like "a link through a shared folder" "$out" 'leads through a link in a folder that apps may be given'
unlike "opens nothing" "$out" '^(id|key)$'
rm "$T/h2/Pictures" && mkdir "$T/pics" && touch "$T/pics/cat.jpg" && chown -R $UID_OWNER "$T/pics" && ln -s "$T/pics" "$T/h2/Pictures"
like "a link of the owner's alone is followed" "$(try "$T/hr" "$T/h2" Pictures)" 'cat.jpg'
ln -s "$H" "$T/h3"
like "a home behind a symlink" "$(try "$T/hr" "$T/h3" | tr '\n' ' ')" 'letter.txt ran'
rm -rf "$T/h2" "$T/hr"
start
