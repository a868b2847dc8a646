# SPDX-License-Identifier: MIT
# Kinds of packages that people ask for by name and that went wrong once.

package() { # package NAME [FIELD...]: builds $T/NAME.deb of the tree $T/NAME
	local n=$1
	shift
	mkdir -p "$T/$n/DEBIAN"
	{
		printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n' "$n"
		[ $# = 0 ] || printf '%s\n' "$@"
		printf 'Description: a kind of package\n'
	} >"$T/$n/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$T/$n" "$T/$n.deb" >/dev/null
}
program() { # program NAME PATH [LINE]
	mkdir -p "$(dirname "$T/$1/$2")"
	printf '#!/bin/sh\n%s\n' "${3:-echo ${2##*/}}" >"$T/$1/$2"
	chmod 755 "$T/$1/$2"
}
unit() { # unit NAME UNIT LINE...
	mkdir -p "$T/$1/lib/systemd/system"
	printf '%s\n' '[Service]' "${@:3}" >"$T/$1/lib/systemd/system/$2"
}
MAY_CHANGE=Documents
says() { cb "$@" </dev/null 2>/dev/null; }

# --- a system's worth of units (what snapd brings)
program many usr/bin/many
pad=$(printf '%2000s' '#' | tr ' ' '#') # more than a pipe holds
for i in $(seq 90); do unit many "u$i.service" "ExecStart=/usr/bin/many $i" "$pad"; done
package many
ok "a package with ninety services" cb install "$T/many.deb"
is "runs" "$(says run many)" many

# --- more programs than anybody lists
for i in $(seq 100 199); do program lots usr/bin/tool$i; done
package lots
like "a hundred programs are counted" "$(cb install "$T/lots.deb" 2>&1)" "'lots' has 100 programs and none of its own name"
is "the last one runs" "$(says run --command tool199 lots)" tool199

# --- one file of many names
mkdir -p "$T/names/usr/share/names" && head -c 2000000 /dev/urandom >"$T/names/usr/share/names/1"
for i in $(seq 2 20); do ln "$T/names/usr/share/names/1" "$T/names/usr/share/names/$i"; done
package names
ok "a file of twenty names" cb install "$T/names.deb"
bytes=$(cb --json info names | jq .app.disk.install)
is "counts once ($bytes)" "$((bytes >= 1999000 && bytes < 6000000))" 1
cb --yes uninstall names >/dev/null

# --- a package that is there for what it depends on
program real usr/bin/realtool
program real usr/bin/second
package real
mkdir -p "$T/meta/usr/share/doc/meta" && echo words >"$T/meta/usr/share/doc/meta/README"
package meta 'Depends: real, dpkg'
like "a metapackage" "$(cb install "$T/meta.deb" "$T/real.deb" 2>&1)" 'programs: .*realtool'
is "has the programs of what it depends on" "$(says run --command realtool meta)" realtool
mkdir -p "$T/data/usr/share/data" && echo x >"$T/data/usr/share/data/x"
package data 'Depends: dpkg'
like "one that has files of its own has not" "$(cb install "$T/data.deb" 2>&1)" "'data' brought no program"
# What has its programs elsewhere, by names that alternatives give them (a JDK).
mkdir -p "$T/jdk/usr/share/doc/jdk" "$T/jvm/DEBIAN" && echo words >"$T/jdk/usr/share/doc/jdk/README"
program jvm usr/lib/jvm/bin/compile
printf '#!/bin/sh\nset -e\nupdate-alternatives --install /usr/bin/compile compile /usr/lib/jvm/bin/compile 10\n' >"$T/jvm/DEBIAN/postinst"
chmod 755 "$T/jvm/DEBIAN/postinst"
program jbase usr/bin/another
package jbase
package jvm 'Depends: jbase'
package jdk 'Depends: jvm'
like "one whose programs are alternatives" "$(cb install "$T/jdk.deb" "$T/jvm.deb" "$T/jbase.deb" 2>&1)" 'cowbell run jdk starts it'
is "has them" "$(cb --json info jdk | jq -r '.app.commands[0]') $(says run jdk)" "/usr/bin/compile compile"
cb --yes uninstall jdk >/dev/null

mkdir -p "$T/daemon/etc" && echo x >"$T/daemon/etc/daemon.conf"
package daemon 'Depends: daemon-base'
program daemon-base usr/sbin/daemon
program daemon-base usr/sbin/daemon-other
package daemon-base
ok "one whose program lies in another package" cb install "$T/daemon.deb" "$T/daemon-base.deb"
is "runs" "$(says run daemon)" daemon

# --- a game, which keeps its scores where its group may write
program game usr/games/game 'echo 7 >>/var/games/game.scores && echo played'
printf '#!/bin/sh\nset -e\nmkdir -p /var/games\ntouch /var/games/game.scores\nchgrp games /usr/games/game /var/games/game.scores\nchmod 664 /var/games/game.scores\nchmod 2755 /usr/games/game\n' \
	>"$T/game.postinst"
mkdir -p "$T/game/DEBIAN" && install -m 755 "$T/game.postinst" "$T/game/DEBIAN/postinst"
package game
ok "a game" cb install "$T/game.deb"
is "keeps its scores" "$(says run game)" played
# (nodes that its base offers, such as a torch, are of a group that every app is in)
is "by the group of games, and no other" "$(sh_in game 'id -Gn' | sed 's/ devices / /')" "$(id -gn $UID_OWNER 2>/dev/null || sh_in game 'id -gn') games"
# What is the host's own is not the app's, whatever group the app is in.
echo theirs >"$H/Documents/scores" && chown 0:60 "$H/Documents/scores" && chmod 640 "$H/Documents/scores"
cb grant game storage:Documents write >/dev/null
fails "a file of the host's games in a given folder is not the app's" 1 "Permission denied" cb shell game -c "cat ~/Documents/scores" </dev/null
is "nor made by it" "$(sh_in game 'echo x >~/Documents/new && chgrp games ~/Documents/new 2>/dev/null; stat -c %g ~/Documents/new')" 1000
cb grant game storage:Documents copy >/dev/null
unlike "and in no copy" "$(cb shell game -c "cat ~/Documents/scores" </dev/null 2>&1)" theirs
rm -f "$H/Documents/scores" "$H/Documents/new"

# --- what makes itself a folder in /run (screen)
is "a folder of its own in /run" "$(sh_in game 'mkdir -m 755 /run/screen && stat -c %U /run/screen')" "$(sh_in game 'id -un')"
fails "but not in the place of given files" 1 "Permission denied" cb shell game -c 'touch /run/given/x' </dev/null
fails "which it cannot put away" 1 "Operation not permitted" cb shell game -c 'mv /run/given /run/other' </dev/null

# --- the app's own name
is "the app's own name is looked up without a question" "$(timeout 10 "$BIN/cowbell" --root "$R" shell game -c 'getent hosts app | cut -d" " -f1' </dev/null 2>/dev/null)" "::1"

# --- services
program serve usr/bin/serve 'sleep 1000'
unit serve serve.service 'ExecStart=/usr/bin/serve'
package serve
like "whoever brings a service says how to start it" "$(cb install "$T/serve.deb" 2>&1)" "its service is serve.service: cowbell autostart serve on starts it"
program once usr/bin/once
unit once once.service 'Type=oneshot' 'ExecStart=/usr/bin/once'
package once
unlike "what does its work and ends is none" "$(cb install "$T/once.deb" 2>&1)" 'its service'

like "nobody has to guess from a pipe's last line" "$(cb install --name again "$T/real.deb" 2>&1 | grep -cx 'cowbell: again')" '^0$'
for a in many lots meta data daemon game serve once again; do ok "$a goes" cb --yes uninstall "$a"; done
is "an empty store" "$(find "$R/state/store" -mindepth 2 | wc -l)" 0
