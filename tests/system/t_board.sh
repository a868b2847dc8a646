# SPDX-License-Identifier: MIT
# Which board this is, what it has, and what of that is not there.

tree() { # tree STRING...: a device tree of that name
	mkdir -p "$T/tree"
	printf '%s\0' "$@" >"$T/tree/compatible"
}
on() { # on [OPTIONS]: a new start
	stop
	start "$@"
}

is "without a word it is what the machine says" "$(cb --json doctor | jq -r '.board | length > 0')" true
on --device-tree "$T/nowhere"
like "no device tree: the generic board" "$(cb doctor)" '^board generic: Linux device; it has no device tree$'
unlike "of which nothing is promised" "$(cb doctor)" 'missing +(torch|camera|gps)'

tree vendor,unheard-of vendor,soc
on --device-tree "$T/tree"
like "a tree that no profile knows: generic, with the name" "$(cb doctor)" "^board generic: .*no profile knows 'vendor,unheard-of'$"

tree pine64,pinephone-1.2 pine64,pinephone allwinner,sun50i-a64
on --device-tree "$T/tree"
like "a PinePhone is known by its tree" "$(cb doctor)" "^board pinephone: PINE64 PinePhone; recognised by its device tree, 'pine64,pinephone-1.2'$"
if [ -e /sys/class/leds/white:flash ]; then
	like "its torch is there" "$(cb doctor)" '^ok +torch: /sys/class/leds/white:flash$'
else
	like "and what it lacks here is named" "$(cb doctor)" '^missing +torch: not there: /sys/class/leds/white:flash$'
fi
like "with what is only a guess" "$(cb doctor)" 'gps: .*/dev/ttyUSB1 \(the profile.s guess, unverified\)'
is "in JSON too" "$(cb --json doctor | jq -r '.board + " " + .model')" "pinephone PINE64 PinePhone"

tree "$(printf 'evil\033[2J')" x
on --device-tree "$T/tree"
unlike "a tree's name moves no cursor" "$(cb doctor)" $'\033'

on --board librem5
like "a board can be named" "$(cb doctor)" '^board librem5: Purism Librem 5; named on the command line$'
stop
for bad in nope ../generic "" $'a\nb'; do
	fails "no such board: '$bad'" 1 "there is no profile of a board" "$BIN/cowbelld" --root "$R" --user $UID_OWNER --home "$H" --board "$bad"
done

# A copy of the programs with profiles of its own.
own=$T/own
mkdir -p "$own/bin" "$own/share/cowbell/board/generic" "$own/share/cowbell/board/mine"
cp "$BIN"/cowbell* "$own/bin/"
printf 'model Mine\ncompatible my,board\ncontacts Book\n' >"$own/share/cowbell/board/mine/profile"
printf 'model Any\noffer found\ntorch ../../x\n' >"$own/share/cowbell/board/generic/profile"
tree my,board
mine() { timeout 20 "$own/bin/cowbelld" --root "$R" --user $UID_OWNER --home "$H" --device-tree "$T/tree" "$@"; }
fails "a broken profile that is named: file, line, what, and what would do" 1 \
	"board/generic/profile:3: '../../x' is no place for torch (an LED's name, such as white:flash)" mine --board generic
chmod o+w "$own/share/cowbell/board"
fails "profiles that everybody can write are not read" 1 "can be written by everybody" mine
chmod o-w "$own/share/cowbell/board"
chown 1234 "$own/share/cowbell/board/mine/profile"
printf 'model Any\noffer found\n' >"$own/share/cowbell/board/generic/profile"
fails "nor a stranger's" 1 "belongs to uid 1234, not to root" mine --board mine
chown 0 "$own/share/cowbell/board/mine/profile"
BIN=$own/bin start --device-tree "$T/tree"
like "what the profile names as contacts has the gate" "$(app asks >/dev/null; cb plan asks)" "contacts at $H/Book"
unlike "and nothing else has" "$(cb plan asks)" "contacts at $H/.local"
