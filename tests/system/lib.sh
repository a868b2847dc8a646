# SPDX-License-Identifier: MIT
# lib.sh FILE: runs one test file on a system of its own. What it starts it ends.
set -u

name=$(basename "$1" .sh)
T=$BASE/$name
R=$T/root
H=$T/home
UID_OWNER=1000
pid=
START_IN=()
export T

ok() { # ok DESCRIPTION COMMAND...
	local what=$1
	shift
	if "$@" >"$T/out" 2>&1; then echo "ok $what"; else
		echo "not ok $what (status $?)"
		sed 's/^/    /' "$T/out"
	fi
}

fails() { # fails DESCRIPTION STATUS TEXT COMMAND...: the error text counts too
	local what=$1 want=$2 text=$3 got
	shift 3
	"$@" >"$T/out" 2>&1
	got=$?
	if [ $got = "$want" ] && grep -qF -- "$text" "$T/out"; then echo "ok $what"; else
		echo "not ok $what (status $got, wanted $want with '$text')"
		sed 's/^/    /' "$T/out"
	fi
}

is() { # is DESCRIPTION GOT WANTED
	if [ "$2" = "$3" ]; then echo "ok $1"; else
		echo "not ok $1"
		printf '    got:    %s\n    wanted: %s\n' "$2" "$3"
	fi
}

like() { # like DESCRIPTION TEXT REGEX
	if grep -qE -- "$3" <<<"$2"; then echo "ok $1"; else
		echo "not ok $1"
		printf '    text: %s\n    does not match: %s\n' "$2" "$3"
	fi
}

unlike() {
	if grep -qE -- "$3" <<<"$2"; then
		echo "not ok $1"
		printf '    text: %s\n    matches: %s\n' "$2" "$3"
	else echo "ok $1"; fi
}

skip() { echo "skip $1: this kernel lacks $2"; }

cb() { "$BIN/cowbell" --root "$R" "$@"; }
sh_in() { cb shell "$1" -c "$2" </dev/null 2>>"$T/notices"; }

make_home() {
	mkdir -p "$H/.local/share/contacts" "$H/Documents" "$H/Pictures" "$H/Downloads"
	printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:ada\r\nFN:Ada Lovelace\r\nN:Lovelace;Ada;;;\r\nEMAIL:ada@example.org\r\nEND:VCARD\r\n' \
		>"$H/.local/share/contacts/ada.vcf"
	printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:grace\r\nFN:Grace Hopper\r\nN:Hopper;Grace;;;\r\nEMAIL:grace@example.org\r\nEND:VCARD\r\n' \
		>"$H/.local/share/contacts/grace.vcf"
	echo 'dear diary' >"$H/Documents/letter.txt"
	chown -R $UID_OWNER:$UID_OWNER "$H"
}

# The owner's home, a line for each name: kind and mode, owners, time, attributes,
# content. Without what MAY_CHANGE names: folders (relative to the home) where the
# test writes, or lets an app write.
MAY_CHANGE=
home_print() {
	python3 - "$H" <<'P'
import hashlib, os, stat, sys
top = os.fsencode(sys.argv[1])
for folder, folders, files in os.walk(top):
    for name in [b''] + folders + files:
        path = os.path.join(folder, name) if name else folder
        if name in folders and not os.path.islink(path):
            continue
        st = os.lstat(path)
        what = os.readlink(path) if stat.S_ISLNK(st.st_mode) else b''
        if stat.S_ISREG(st.st_mode):
            with open(path, 'rb') as f:
                what = hashlib.sha256(f.read()).hexdigest().encode()
        attributes = [(a, os.getxattr(path, a, follow_symlinks=False)) for a in os.listxattr(path, follow_symlinks=False)]
        print(repr(os.path.relpath(path, top))[2:-1], oct(st.st_mode), st.st_uid, st.st_gid, st.st_mtime_ns, attributes, what)
P
}
home_rest() { # a home_print without what may change
	local f
	set -- -e '^$'
	for f in $MAY_CHANGE; do
		set -- "$@" -e "^${f//./\\.}[/ ]"
		while [ "$f" != . ]; do
			f=$(dirname "$f")
			set -- "$@" -e "^${f//./\\.} " # the folder that it lies in has a new time
		done
	done
	LC_ALL=C sort | grep -v "$@"
}

is_ready() { # cowbelld $pid said so on descriptor 8; a dead one is not waited for
	local i
	for i in $(seq 100); do
		read -r -t 0.2 _ <&8 && return 0
		kill -0 "$pid" 2>/dev/null || return 1
	done
	return 1
}

start() { # start [OPTIONS OF cowbelld]
	rm -f "$T/ready"
	mkfifo "$T/ready"
	exec 8<>"$T/ready"
	# The same devices everywhere, but for tests that are about another board.
	case " $* " in *" --board "* | *" --device-tree "*) ;; *) set -- --board generic "$@" ;; esac
	# Not ours but the daemon's descriptor: a dead one must not keep it open.
	"${START_IN[@]}" "$BIN/cowbelld" --root "$R" --user $UID_OWNER --home "$H" --ready-fd 9 "$@" 9>"$T/ready" 8>&- >>"$T/log" 2>&1 &
	pid=$!
	if ! is_ready; then
		echo "not ok cowbelld starts"
		cat "$T/log"
		exit 1
	fi
	exec 8>&-
}

stop() {
	[ -n "$pid" ] || return 0
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	local status=$?
	pid=
	return $status
}

on_exit() {
	local status=$?
	! declare -F net_down >/dev/null || net_down
	[ -z "$pid" ] || { kill -9 "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
	[ -z "${SERVER:-}" ] || tmux -L "$SERVER" kill-server 2>/dev/null
	for p in $(jobs -p); do kill -9 "$p" 2>/dev/null; done
	exit $status
}
trap on_exit EXIT

# An app without a package: a program of our own, or just a name.
app() { # app NAME [COMMAND...]
	local n=$1
	shift
	[ $# -gt 0 ] || set -- sh -c "printf '#!/bin/sh\nexec \"\$@\"\n' >/usr/local/bin/$n && chmod 755 /usr/local/bin/$n"
	cb install --name "$n" -- "$@" </dev/null >"$T/install.out" 2>&1 || { cat "$T/install.out"; return 1; }
}

waiting() { timeout 10 "$BIN/cowbell" --root "$R" --json prompts --wait | head -n 1; }
answer() { # answer ANSWER [FOR]: the next question
	local id
	id=$(waiting | jq .id)
	cb answer "$id" "$1" --for "${2:-run}"
}
# Whether the host's package manager has lists and an archive to fetch from.
has_archive() { command -v apt-get >/dev/null && tools/fetch-debs.sh build/debs sl >/dev/null 2>&1 && [ -n "$(ls /var/lib/apt/lists/*Packages* 2>/dev/null)" ]; }

daemon_log() { cat "$T/log"; }

# One that cannot be read would pass with nothing tested.
bash -n "$1" || { echo "not ok $1 is a script"; exit 1; }
mkdir -p "$T"
: >"$T/log"
make_home
case $name in
t_net*)
	. tests/system/net.sh
	net_up
	;;
t_names | t_update | t_inspect) ;; # the host's package manager reaches its archive
*) START_IN=(unshare --net) ;; # whatever a test grants, nothing leaves this machine
esac
home_print >"$T/home.before"
start
. "$1"
stop
is "cowbelld ends cleanly" $? 0
home_print >"$T/home.after"
ok "the owner's home is as it was" diff <(home_rest <"$T/home.before") <(home_rest <"$T/home.after")
