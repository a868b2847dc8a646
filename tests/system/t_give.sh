# SPDX-License-Identifier: MIT
# run --give: that file, for this run, and nothing beside it.

MAY_CHANGE="Documents b.txt"

app ed
run() { (cd / && timeout 30 "$BIN/cowbell" --root "$R" run "$@" </dev/null 2>&1); }
cb grant ed storage no --for always >/dev/null
letter=$H/Documents/letter.txt
is "the argument alone gives nothing" "$(run ed -- cat "$letter")" "cat: $letter: Permission denied"
is "a given file is read" "$(run --give "$letter" ed -- cat "$letter")" "dear diary"
is "its neighbours are not there" "$(run --give "$letter" ed -- sh -c 'ls -A "$(dirname "$1")"; ls ~/Documents 2>&1' - "$letter")" \
	"$(printf "letter.txt\nls: cannot open directory '%s/Documents': Permission denied" "$H")"
run --give "$letter" ed -- sh -c 'echo more >>"$1"' - "$letter" >/dev/null
is "and written" "$(tail -n 1 "$letter")" more
is "it stays its owner's" "$(stat -c %u "$letter")" $UID_OWNER
like "read-only is that" "$(run --give "$letter:ro" ed -- sh -c 'cat "$1"; echo x >>"$1"' - "$letter")" 'dear diary.*|Read-only file system'
like "read-only says so" "$(run --give "$letter:ro" ed -- sh -c 'echo x >>"$1"' - "$letter")" 'Read-only file system'
is "the next run has it no more" "$(run ed -- sh -c 'ls -A /run/given 2>/dev/null')" ""
is "a folder" "$(run --give "$H/Documents" ed -- ls "$H/Documents")" letter.txt
echo second >"$H/b.txt" && chown $UID_OWNER "$H/b.txt"
is "two at once, by the names they were given" "$(cd "$H" && timeout 30 "$BIN/cowbell" --root "$R" run --give b.txt --give=Documents/letter.txt:ro ed -- cat b.txt Documents/letter.txt </dev/null 2>/dev/null | tr '\n' ' ')" "second dear diary more "
like "history says so" "$(cb history ed)" 'given a file.*letter.txt'

# A link that an app put there would give what nobody named.
mkdir -m 700 "$T/keys" && echo key >"$T/keys/id" && chown -R $UID_OWNER "$T/keys"
ln -s "$T/keys/id" "$H/Documents/notes" && ln -s "$T/keys" "$H/Documents/more" && chown -h $UID_OWNER "$H/Documents/notes" "$H/Documents/more"
fails "a link" 126 "a link leads from there to '$T/keys/id' (name what is meant itself)" run --give "$H/Documents/notes:ro" ed -- cat "$H/Documents/notes"
fails "a file behind a link" 126 "a link leads from there" run --give "$H/Documents/more/id:ro" ed -- cat "$H/Documents/more/id"
fails "a folder behind a link" 126 "a link leads from there" run --give "$H/Documents/more:ro" ed
is "itself, by its name" "$(run --give "$T/keys/id:ro" ed -- cat "$T/keys/id")" key
rm "$H/Documents/notes" "$H/Documents/more"
ln -s "$H" "$T/way"
is "root's links are the system's own" "$(run --give "$T/way/Documents/letter.txt:ro" ed -- head -n 1 "$T/way/Documents/letter.txt")" "dear diary"

# Joining a session that runs.
cb run --detach ed -- sleep 100 >/dev/null
is "a later command of the session has its own" "$(run --give "$letter" ed -- head -n 1 "$letter")" "dear diary"
cb stop ed >/dev/null

# What may not be given.
echo secret >"$T/secret" && chmod 600 "$T/secret"
like "another's secret stays shut" "$(run --give "$T/secret" ed -- cat "$T/secret")" 'Permission denied'
fails "what is not there" 126 "cannot give '$T/none': No such file or directory" run --give "$T/none" ed
fails "all of the home" 126 'holds all of the home' run --give "$H" ed
fails "the root" 126 "cannot be given" run --give / ed
fails "Cowbell's own files" 126 "one of Cowbell's own" run --give "$R/state/store:ro" ed
fails "a device" 126 'neither a file nor a folder' run --give /dev/null ed
mkfifo "$T/pipe"
fails "a pipe" 126 'neither a file nor a folder' run --give "$T/pipe:ro" ed
mkdir "$T/ram" && mount -t ramfs none "$T/ram" && echo x >"$T/ram/f"
fails "a file system without maps" 126 'whose owners cannot be mapped' run --give "$T/ram/f" ed
umount "$T/ram"
# shellcheck disable=SC2046
fails "too many" 126 'more than 8 files' run $(for i in $(seq 9); do echo "--give $letter:ro"; done) ed
for i in $(seq 50); do # a session is listed until its changes are settled
	[ "$(cb --json ps | jq '.sessions | length')" = 0 ] && break
	sleep 0.1
done
is "nothing runs, nothing is kept" "$(cb --json ps | jq '.sessions | length')" 0
