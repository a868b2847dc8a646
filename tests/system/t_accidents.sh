# SPDX-License-Identifier: MIT
# What happens to a device and its disk while Cowbell is not looking, or is.

refuses() { # refuses DESCRIPTION TEXT: cowbelld does not start, and says so
	fails "$1" 1 "$2" timeout 30 "$BIN/cowbelld" --root "$R" --user $UID_OWNER --home "$H" --board generic
}

# --- the records of apps are gone, their files are not
app keep
sh_in keep 'echo precious >~/diary'
stop
mv "$R/state/meta/data.mdb" "$T/good.mdb"
refuses "records that are gone beside layers are no new system" "data.mdb' is missing or empty, but"
like "it says what to do" "$(cat "$T/out")" "put a good copy back, or move '.*/state' aside"
: >"$R/state/meta/data.mdb"
refuses "nor are empty ones" "data.mdb' is missing or empty, but"
mv "$T/good.mdb" "$R/state/meta/data.mdb"
start
is "with the good copy all is there" "$(sh_in keep 'cat ~/diary')" precious

# --- the state goes while it is used
cb run --detach keep -- sleep 1000.$$ </dev/null >/dev/null 2>&1
cp -a "$R/state" "$T/copy"
rm "$R/state/meta/data.mdb"
wait "$pid"
is "cowbelld ends when its state is deleted" $? 1
pid=
like "and says why" "$(daemon_log)" 'moved, deleted or replaced while it was in use: everything ends'
is "its apps with it" "$(pgrep -fc "sleep 1000.$$")" 0
rm -rf "$R/state"
cp -a "$T/copy" "$R/state"
start
is "a copy of the folder serves as it was" "$(sh_in keep 'cat ~/diary')" precious
mv "$R/state" "$R/elsewhere"
wait "$pid"
is "cowbelld ends when its state is moved away" $? 1
pid=
start
is "what is there now is a new system" "$(cb --json list | jq '.apps | length')" 0
stop
rm -rf "$R/state"
mv "$R/elsewhere" "$R/state"
start
is "put back it is the old one" "$(sh_in keep 'cat ~/diary')" precious
