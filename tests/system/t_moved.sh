# SPDX-License-Identifier: MIT
# board
# A store comes with a disk from another machine: of other pages it is used as it is,
# of another word size it is left alone, and said what to do.

holds='20 apps, 600 grants, 30 versions of one, 0 broken'
mkdir "$T/own"
"$BIN/store-probe" make "$T/own"
is "a store of this machine" "$("$BIN/store-probe" check "$T/own")" "$holds"

# Made by programs of these CPUs, on pages of 4 KiB, where a board's input is made.
bits=$(getconf LONG_BIT)
for from in 64 32; do
	[ -d "$TOP/build/store-$from" ] || continue
	cp -r "$TOP/build/store-$from" "$T/"
	if [ $from = "$bits" ]; then
		is "one from pages of 4 KiB, here $(getconf PAGESIZE)" "$("$BIN/store-probe" check "$T/store-$from")" "$holds"
	else
		before=$(cat "$T/store-$from/data.mdb" | sha256sum)
		fails "one of $from bits is refused" 1 "from a machine of another word size" "$BIN/store-probe" check "$T/store-$from"
		is "and left as it is" "$(cat "$T/store-$from/data.mdb" | sha256sum)" "$before"
		stop
		cp "$T/store-$from/data.mdb" "$(dirname "$(find "$R" -name data.mdb | head -n 1)")/"
		"$BIN/cowbelld" --root "$R" --user $UID_OWNER --home "$H" --board generic >"$T/refused" 2>&1 &
		daemon=$!
		for i in $(seq 100); do grep -q 'word size' "$T/refused" && break; sleep 0.1; done
		like "cowbelld says so, and what to do" "$(cat "$T/refused")" 'from a machine of another word size'
		kill $daemon 2>/dev/null
		wait $daemon 2>/dev/null
	fi
done
