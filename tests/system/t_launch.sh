# SPDX-License-Identifier: MIT
# board
# The supervisor and pid 1 by themselves: launch-driver plays cowbelld and the
# broker, so that layers can be shaped as no broker would let them be.

owner=$(getent passwd $UID_OWNER | cut -d: -f1)
owner=${owner:-$UID_OWNER:somebody} # a fresh machine has no account yet
name=${owner#*:}
ids=1879048192 # the driver's range; the app's own 0
store=$T/store
upper=$store/layers/0000000000000001/fs
home=/home/$name
docs="--gate 3:$home/Documents"
mkdir -p "$T/real/sub"
echo secret >"$T/real/a.txt"
echo more >"$T/real/sub/b.txt"
chown -R $UID_OWNER:$UID_OWNER "$T/real"

fresh() {
	rm -rf "$store"
	mkdir -p "$upper" "${upper%fs}work"
	chown $ids:$ids "$upper"
}

drive() { # drive [OPTIONS] COMMAND...: what the driver saw is in $T/events
	rm -f "$T/events"
	timeout -k 5 30 "$BIN/launch-driver" --bin "$BIN" --store "$store" --user "$owner" --home "$home" \
		--log "$T/events" "$@" </dev/null 2>&1 | cat
}
saw() { cat "$T/events"; }

# --- who it is

fresh
is "an ordinary session ends untouched" "$(drive id -u; saw | grep -o 'ENDED 0 untouched 1')" "$(printf '1000\nENDED 0 untouched 1')"
like "pid 1 has no capability in effect" "$(drive --install sh -c 'grep CapEff /proc/1/status')" '0000000000000000'
like "an installer has its ten capabilities" "$(drive --install grep CapPrm /proc/self/status)" '00000000800400ff'
like "an installer cannot get more" "$(drive --install grep CapBnd /proc/self/status)" '00000000800400ff'
for p in environ exe root fd/3 mem; do
	like "pid 1 keeps its $p from an installer's root" "$(drive --install head -c 1 /proc/1/$p)" 'Permission denied'
done
is "pid 1 cannot be killed from inside" "$(drive sh -c 'kill -9 1; kill -STOP 1; kill -TERM 1; echo alive')" alive
is "only the standard descriptors are open" "$(drive sh -c 'ls /proc/self/fd | tr "\n" " "')" "0 1 2 3 "
like "the environment is what was asked for" "$(SECRET=x drive env | sort | tr '\n' ' ')" "^HOME=$home LANG=C.UTF-8 PATH=[^ ]* (PWD=[^ ]* )?TERM=dumb $"
is "the control group is the app's root" "$(drive sh -c 'grep ^0: /proc/self/cgroup')" "0::/"
is "also when the group is known late" "$(drive --late-cgroup sh -c 'grep ^0: /proc/self/cgroup')" "0::/"
is "core files are off" "$(drive sh -c 'ulimit -c')" 0

# A package made here: its script runs as root inside.
mkdir -p "$T/deb/DEBIAN" "$T/deb/usr/games"
printf 'Package: probe-tool\nVersion: 1\nArchitecture: all\nMaintainer: Test <t@example.org>\nDescription: probe\n' >"$T/deb/DEBIAN/control"
printf '#!/bin/sh\nadduser --system --quiet --no-create-home probed && chown probed /usr/games/probe-tool\n' >"$T/deb/DEBIAN/postinst"
printf '#!/bin/sh\necho probed\n' >"$T/deb/usr/games/probe-tool"
chmod 755 "$T/deb/DEBIAN/postinst" "$T/deb/usr/games/probe-tool"
dpkg-deb --root-owner-group -b "$T/deb" "$T/probe.deb" >/dev/null
fresh
is "a package installs, with its script, and dpkg is content" "$(timeout 60 "$BIN/launch-driver" --bin "$BIN" --store "$store" --user "$owner" --install \
	sh -c 'cat >/tmp/p.deb; dpkg -i /tmp/p.deb >/tmp/out 2>&1 || cat /tmp/out; dpkg --audit; stat -c %U /usr/games/probe-tool' <"$T/probe.deb" 2>&1)" probed
rm -rf "${upper%fs}work"
is "and the next session has it" "$(drive --upper 2 --layers 1 /usr/games/probe-tool)" probed

# --- the command

is "a program that is not there" "$(drive nosuchprogram)" "driver: start 'nosuchprogram': No such file or directory"
is "a death by signal" "$(drive sh -c 'kill -SEGV $$'; saw | grep EXITED)" "EXITED 139"
is "a signal for the command and what it started" "$(drive --signal 15:300 sh -c 'exec 2>/dev/null; trap "echo caught; exit 3" TERM; sleep 20; echo over'; saw | grep EXITED)" "$(printf 'caught\nEXITED 3')"
is "the current folder is kept" "$(drive --cwd /usr/share pwd)" /usr/share
is "or replaced by the home" "$(drive --cwd "$T" pwd; saw | grep -o 'cwd_changed 1')" "$(printf '%s\ncwd_changed 1' "$home")"
like "a terminal of the session's own" "$(drive --tty sh -c 'tty; stty size; echo said >/dev/tty')" '/dev/pts/0.*'
like "with a size" "$(drive --tty stty size)" '24 80'
like "and job control" "$(drive --tty sh -c 'ps -o tty= -p $$')" 'pts/0'
refused_fd() { timeout 20 "$BIN/launch-driver" --bin "$BIN" --store "$store" --user "$owner" true; }
fails "a folder is no standard fd" 126 "standard fd 0 is a folder" bash -c "$(declare -f refused_fd); BIN='$BIN' store='$store' owner='$owner' refused_fd </"
fails "nor is a device" 126 "standard fd 0 is a device other than /dev/null" bash -c "$(declare -f refused_fd); BIN='$BIN' store='$store' owner='$owner' refused_fd </dev/zero"

# --- answers

fresh
is "no" "$(drive $docs ls $home/Documents 2>&1)" "ls: cannot open directory '$home/Documents': Permission denied"
like "one question for one use" "$(saw | grep -c NEED)" '^1$'
is "empty" "$(drive $docs --answer 3=empty sh -c 'ls ~/Documents; echo kept >~/Documents/n; cat ~/Documents/n')" kept
is "what was written to the empty one stays with the app" "$(drive $docs --answer 3=empty cat $home/Documents/n)" kept
is "read" "$(drive $docs --answer 3=read:$T/real sh -c 'cat ~/Documents/a.txt; echo x 2>/dev/null >~/Documents/new || echo refused')" "$(printf 'secret\nrefused')"
drive $docs --answer 3=write:$T/real sh -c 'echo y >~/Documents/new'
is "write, as the owner" "$(stat -c '%u %g' "$T/real/new")" "$UID_OWNER $UID_OWNER"
rm -f "$T/real/new"
is "copy" "$(drive $docs --answer 3=copy:$T/real sh -c 'cat ~/Documents/a.txt ~/Documents/sub/b.txt; echo mine >~/Documents/a.txt')" "$(printf 'secret\nmore')"
is "the original is as it was" "$(cat "$T/real/a.txt")" secret
is "the copy is used again under its serial" "$(drive $docs --answer 3=copy cat $home/Documents/a.txt)" mine
is "another serial is another copy" "$(drive $docs --serial 2 --answer 3=copy:$T/real cat $home/Documents/a.txt)" secret
is "and the old one is gone" "$(ls "$upper/.cowbell/3" | grep -c 'copy\.1')" 0
drive $docs --serial 3 --max-bytes 5 --answer 3=copy:$T/real ls $home/Documents >/dev/null
like "a copy beyond its bound is refused" "$(saw)" 'give copy code 27 .*more than a private copy may'
is "and leaves nothing" "$(ls "$upper/.cowbell/3" | grep -c copy)" 0
is "nobody inside reaches what was given" "$(drive --install $docs sh -c 'ls -A /.cowbell 2>&1; mv /.cowbell /x 2>/dev/null || echo stays')" "$(printf "ls: cannot open directory '/.cowbell': Permission denied\nstays")"
is "an installer is told no without asking" "$(drive --install $docs sh -c 'ls '$home'/Documents >/dev/null 2>&1 || echo refused'; saw | grep -c NEED)" "$(printf 'refused\n0')"
drive $docs --answer 3=write:$T/real --revoke 3:300 sh -c 'exec 5<~/Documents/a.txt; sleep 1; ls ~/Documents >/dev/null' >/dev/null
like "a revoked gate says who still holds it" "$(saw)" 'REVOKED gate 3 code 0 held [1-9]'
is "and asks again" "$(saw | grep -c NEED)" 2
drive $docs --rebroker --answer 3=empty ls $home/Documents >/dev/null
is "a question outlives its broker, under its number" "$(saw | grep -o 'NEED 1 gate 3' | wc -l)" 2

# --- layers

fresh
drive sh -c 'mkdir ~/d; echo 1 >~/d/f' >/dev/null
rm -rf "${upper%fs}work"
is "a frozen layer is seen, and its folders can be renamed" "$(drive --upper 2 --layers 1 sh -c 'cat ~/d/f; mv ~/d ~/e; cat ~/e/f')" "$(printf '1\n1')"
like "a layer that is not there" "$(drive --upper 3 --layers 99 true)" "session failed: open layer 'layers/0000000000000099/fs'"
held_open() { # a writer outside of the app keeps a file of it
	local p=
	drive sh -c 'while [ ! -e ~/held ]; do sleep 0.1; done; sleep 0.5' >/dev/null &
	until p=$(pgrep -f "^$BIN/launch-driver .*--store $store") && p=$(pgrep -P "$p" -x cowbell-supervi) &&
		p=$(pgrep -P "$p" | head -n 1) && [ -d "/proc/$p/root$home" ] && pgrep -P "$p" >/dev/null; do sleep 0.1; done 2>/dev/null
	exec 7>"/proc/$p/root$home/held"
	wait $!
	exec 7>&-
}
fresh
held_open
like "a writer that is left is told" "$(saw)" 'ENDED 16 untouched 0 .*read-only: Device or resource busy'

# --- layers that an app shaped

fresh
mkdir -p "$upper$home"
ln -s / "$upper$home/Documents"
echo file >"$upper$home/.local"
for d in dev proc sys tmp run; do ln -s /etc "$upper/$d"; done
ln -s /root "$upper/.cowbell"
chown -hR $((ids + UID_OWNER)):$((ids + UID_OWNER)) "$upper"
like "links in the way of mount points are put aside" "$(drive $docs --gate 5:$home/.local/share/contacts --answer 3=empty sh -c \
	'stat -f -c %T /dev /proc /sys /tmp /run | tr "\n" " "; ls ~/Documents | wc -l; ls -d ~/Documents.cowbell-saved /dev.cowbell-saved')" 'tmpfs proc tmpfs tmpfs tmpfs 0'
is "a file in the way of a gate too" "$(cat "$upper$home/.local.cowbell-saved")" file
is "nothing was mounted on the host by it" "$(grep -c "$T" /proc/self/mounts)" 0
fresh
mkdir -p "$upper/home"
ln -s /etc "$upper$home"
is "a link instead of the home" "$(drive sh -c 'ls ~ | wc -l; touch ~/x && echo ok')" "$(printf '0\nok')"
fresh
mkdir -p "$upper$home"
for i in '' .1 .2; do ln -s / "$upper$home/Documents.cowbell-saved$i"; done
ln -s / "$upper$home/Documents"
is "names that are taken do not stop it" "$(drive $docs --answer 3=empty ls $home/Documents; saw | grep -c 'EXITED 0')" 1

# --- the base

is "a home below /tmp is the app's own" "$(fresh; drive --home "$T/h/me" sh -c 'echo x >~/k' ; drive --home "$T/h/me" cat "$T/h/me/k")" x
for m in /usr /etc /var /var/lib; do
	like "$m as a mount of its own is refused" "$(fresh; unshare -m --propagation private bash -c \
		"mount --bind $m $m; exec '$BIN/launch-driver' --bin '$BIN' --store '$store' --user '$owner' true" 2>&1)" "'$m' is a mount of its own"
done
on_overlay() {
	local m=$T/overlay
	mkdir -p "$m/u" "$m/w" "$m/r" && mount -t tmpfs t "$m" && mkdir "$m/u" "$m/w" "$m/r" &&
		mount -t overlay o -o "lowerdir=/,upperdir=$m/u,workdir=$m/w" "$m/r" &&
		mount --rbind /proc "$m/r/proc" && mount --rbind /dev "$m/r/dev" && mount --rbind /sys "$m/r/sys" &&
		chroot "$m/r" "$BIN/launch-driver" --bin "$BIN" --store "$store" --user "$owner" true
}
like "a host root that is an overlay is refused" "$(export T BIN store owner; unshare -m --propagation private bash -c "$(declare -f on_overlay); on_overlay" 2>&1)" \
	"the host's root is an overlay itself"
is "a mount below it is hidden" "$(unshare -m --propagation private bash -c \
	"mount -t tmpfs t /usr/share/doc; '$BIN/launch-driver' --bin '$BIN' --store '$store' --user '$owner' ls -d /usr/share/doc /usr/share" 2>/dev/null)" /usr/share
is "hidden paths are hidden" "$(drive --hidden /usr/share/doc --hidden "$T" ls -d /usr/share/doc /usr/share 2>/dev/null | grep -v cannot)" /usr/share
is "unknown top-level names are not there" "$(drive sh -c 'ls -A / | tr "\n" " "')" \
	"$(cd / && ls -Ad .cowbell bin boot dev etc home lib* media mnt opt proc root run sbin srv sys tmp usr var 2>/dev/null | grep -v '^\.cowbell$' | sed '1i .cowbell' | tr '\n' ' ')"
is "no host account but system ones and the owner" "$(drive sh -c 'awk -F: "\$3 >= 1000 && \$3 != 65534 {print \$1}" /etc/passwd')" "$name"

# --- death

fresh
drive --kill-live sleep 987 >/dev/null
is "a killed supervisor takes the app with it" "$(sleep 0.3; pgrep -cf '^sleep 987$')" 0
drive --kill-on-need $docs ls $home/Documents >/dev/null
is "also one that waits at a gate" "$(sleep 0.3; pgrep -cf "^ls $home/Documents")" 0
supervisor_of() { pgrep -P "$(pgrep -f "^$BIN/launch-driver .*--store $store")" -x cowbell-supervi; }
kill_in_a_second() { # kill_in_a_second WHAT: what is killed while a session runs
	drive sleep 986 >/dev/null &
	sleep 1
	case $1 in
	pid1) kill -9 "$(pgrep -P "$(supervisor_of)")" ;;
	daemon) kill -9 "$(pgrep -f "^$BIN/launch-driver .*--store $store")" ;;
	esac
	wait $!
	sleep 0.3
}
kill_in_a_second pid1
like "pid 1 that dies by itself ends the session in order" "$(saw)" 'ENDED 0'
kill_in_a_second daemon
is "nothing outlives its daemon" "$(pgrep -cf '^sleep 986$'; pgrep -cf "^$BIN/launch-driver .*--store $store")" "$(printf '0\n0')"
find /sys/fs/cgroup -maxdepth 2 -name 'cowbell-test-*' -exec rmdir {} + 2>/dev/null
is "no control group is left" "$(find /sys/fs/cgroup -maxdepth 2 -name 'cowbell-test-*' 2>/dev/null | wc -l)" 0
