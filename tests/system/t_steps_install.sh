# SPDX-License-Identifier: MIT
# kill -9 at each step of an install, an update, a bundle's install and update, a
# rebuild and an uninstall: the old state or the new one, and what was acknowledged
# stands. STEPS=all has more
# of them (minutes).

. tests/system/steps.sh
# A package database that this file may change, for the daemon and its family alone:
# another one is another base.
cp /var/lib/dpkg/status "$T/status"
printf '#!/bin/sh\nmount --bind "%s" /var/lib/dpkg/status && exec "$@"\n' "$T/status" >"$T/enter"
chmod 755 "$T/enter"
stop
START_IN=(unshare --net -m --propagation private "$T/enter")
start

make_deb() { # make_deb VERSION
	rm -rf "$T/mk" && mkdir -p "$T/mk/DEBIAN" "$T/mk/usr/bin"
	printf 'Package: bell\nVersion: %s\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: a bell\n' "$1" >"$T/mk/DEBIAN/control"
	printf '#!/bin/sh\necho %s $(cat ~/state 2>/dev/null)\n' "$1" >"$T/mk/usr/bin/bell"
	chmod 755 "$T/mk/usr/bin/bell"
	dpkg-deb --root-owner-group -b "$T/mk" "$T/bell_$1.deb" >/dev/null
}
make_deb 1
make_deb 2
minisign -G -W -p "$T/one.pub" -s "$T/one.key" >/dev/null
KEY=$(tail -n 1 "$T/one.pub")
make_bundle() { # make_bundle VERSION WORDS
	mkdir -p "$T/lamp/root/usr/bin"
	printf '#!/bin/sh\necho %s\n' "$2" >"$T/lamp/root/usr/bin/lamp"
	chmod 755 "$T/lamp/root/usr/bin/lamp"
	echo '{"format": 1, "id": "lamp", "version": "'"$1"'", "name": "Lamp", "arch": "all", "commands": ["/usr/bin/lamp"]}' >"$T/lamp/manifest.json"
	cb bundle "$T/lamp" -k "$T/one.key" -o "$T/lamp_$1.cowbell" >/dev/null
}
make_bundle 1 light

says() { timeout 60 "$BIN/cowbell" --root "$R" run "$@" </dev/null 2>>"$T/notices"; }
has() { cb --json list | jq -r --arg a "$1" '[.apps[] | select(.id == $a)] | length'; }

# cut_at WHERE CALL N COMMAND...: said is whether the command was acknowledged.
cut_at() {
	local where=$1 call=$2 n=$3
	shift 3
	case $where in
	broker) inject "$(pgrep -P "$pid" -x cowbell-broker)" "$call" "$n" ;;
	any) inject "$pid" "$call" "$n" -f ;;
	esac
	said=no
	timeout 60 "$BIN/cowbell" --root "$R" "$@" </dev/null >"$T/cut.out" 2>&1 && said=yes
	inject_end
	settle_down
}

new_app() { # new_app APP WORDS: there and whole, or not there
	local got
	if [ "$(has "$1")" = 1 ]; then
		got=$(says "$1")
		[ "$got" = "$2" ] || { echo "not ok $what: the app is there and says '$got'"; return; }
		echo "ok $what: new (acknowledged: $said)"
		cb --yes uninstall "$1" >/dev/null || echo "not ok $what: it cannot be uninstalled"
	elif [ $said = no ]; then
		echo "ok $what: not there"
	else
		echo "not ok $what: it said that it was installed, and is not there"
		cat "$T/cut.out"
	fi
}

updated() { # the version before, or the one that was asked for, with the state
	local got version
	got=$(says bell)
	version=$(cb --json info bell | jq -r .app.version)
	if [ "$got" != "$version kept" ] || { [ "$version" != "$want" ] && { [ "$version" != "$have" ] || [ $said = yes ]; }; }; then
		echo "not ok $what: it is $version and says '$got' (acknowledged: $said)"
		return
	fi
	echo "ok $what: $version (acknowledged: $said)"
	have=$version
	want=$((3 - version))
}

rebuilt() { # what was not rebuilt is, by the next attempt, and the state stays
	cb rebuild >"$T/rebuild.out" 2>&1 || { echo "not ok $what: it cannot be done again"; cat "$T/rebuild.out"; return; }
	is "$what: with its state" "$(says bell) $(cb list | grep -c 'old base')" "$have kept 0"
}

lamp_updated() { # one version or the next
	local got
	got=$(cb --json info lamp | jq -r .app.version)
	if [ "$(says lamp)" != "$got" ] || { [ "$got" != "$want" ] && { [ "$got" != "$have" ] || [ $said = yes ]; }; }; then
		echo "not ok $what: it is $got and says '$(says lamp)' (acknowledged: $said)"
		return
	fi
	echo "ok $what: $got (acknowledged: $said)"
	have=$got
}

removed() { # gone, or there and whole; one whose files could not be deleted goes at the next try
	local state i
	for i in $(seq 20); do # a new broker goes on with it
		state=$(cb --json list | jq -r '.apps[] | select(.id == "lamp").state')
		[ "$state" = removing ] || break
		sleep 0.1
	done
	if [ $said = yes ] && [ -n "$state" ]; then
		echo "not ok $what: it said that it was gone, and is $state"
	elif [ "$state" = ready ]; then
		is "$what: there" "$(says lamp)" "$have"
		return
	elif [ "$state" = removing ]; then
		fails "$what: half of it does not run" 126 "is being removed (cowbell uninstall lamp)" cb run lamp
		cb --yes uninstall lamp >/dev/null 2>&1 || echo "not ok $what: it does not go"
	fi
	is "$what: gone (acknowledged: $said)" "$(has lamp)" 0
	cb install --key "$KEY" "$T/lamp_$have.cowbell" >/dev/null 2>&1 || echo "not ok $what: it cannot be installed again"
}

if ! can_inject; then
	skip "kill at each step of an install" "ptrace for strace"
else
	steps='broker:fdatasync:1 broker:fdatasync:2 broker:fdatasync:6 broker:sendmsg:4 broker:sendmsg:9 broker:sendmsg:25 any:fsync:1 any:renameat:1 any:mkdirat:1 any:recvmsg:3'
	[ "${STEPS:-}" != all ] || for n in 1 2 3 4 5 6 8 10 13 16 20 25; do
		steps="$steps broker:fdatasync:$n broker:pwrite64:$n broker:sendmsg:$n any:fsync:$n any:renameat:$n any:syncfs:$n any:mkdirat:$n any:unlinkat:$n any:recvmsg:$n"
	done
	for s in $steps; do
		what="install cut at ${s//:/ }"
		# shellcheck disable=SC2086
		cut_at ${s//:/ } install "$T/bell_1.deb"
		new_app bell "1"
		what="bundle cut at ${s//:/ }"
		# shellcheck disable=SC2086
		cut_at ${s//:/ } install --key "$KEY" "$T/lamp_1.cowbell"
		new_app lamp light
	done
	cb install "$T/bell_1.deb" >/dev/null 2>&1
	sh_in bell 'echo kept >~/state'
	have=1 want=2
	for s in $steps; do
		what="update cut at ${s//:/ }"
		# shellcheck disable=SC2086
		cut_at ${s//:/ } update bell "$T/bell_$want.deb"
		updated
		what="rebuild cut at ${s//:/ }"
		echo >>"$T/status"
		# shellcheck disable=SC2086
		cut_at ${s//:/ } rebuild
		rebuilt
	done
	make_bundle 2 2
	cb install --key "$KEY" "$T/lamp_2.cowbell" >/dev/null 2>&1
	have=2
	[ "${STEPS:-}" = all ] || steps='broker:fdatasync:2 broker:fdatasync:3 broker:sendmsg:4 broker:sendmsg:9 any:renameat:1 any:unlinkat:2 any:recvmsg:3'
	for s in $steps; do
		what="uninstall cut at ${s//:/ }"
		# shellcheck disable=SC2086
		cut_at ${s//:/ } --yes uninstall lamp
		removed
		what="bundle's update cut at ${s//:/ }"
		want=$((have + 1))
		make_bundle $want $want
		# shellcheck disable=SC2086
		cut_at ${s//:/ } update lamp "$T/lamp_$want.cowbell"
		lamp_updated
	done
	cb --yes uninstall lamp >/dev/null
	unlike "cowbelld dies only by our hand" "$(cat "$T/died")" '[0-9]'
	cb --yes uninstall bell >/dev/null
	stop
	start
	is "and nothing is left of all that" "$(cd "$R/state/store" && find layers trash tmp -mindepth 1 -maxdepth 1)" ""
fi
