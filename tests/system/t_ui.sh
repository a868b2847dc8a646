# SPDX-License-Identifier: MIT
# The screens (cowbell ui), by steps in and screens out: at a phone's width, a
# terminal's and a wide one's, on what a terminal can show.

. tests/system/screen.sh

app toy || exit 1
app torch || exit 1
cb mark moo >/dev/null
keys() { tm send-keys -t 0 "$@"; }
asks() { # asks PATH: toy reaches for it and stays; its words go to a file
	rm -f "$T/toy.out"
	(cd / && exec "$BIN/cowbell" --root "$R" shell toy -c "ls $1; echo rc \$?; sleep ${2:-30}") </dev/null >"$T/toy.out" 2>>"$T/notices" &
	toy=$!
}
said() { # said TEXT: toy went on
	for i in $(seq 60); do
		grep -qF -- "$1" "$T/toy.out" && return 0
		sleep 0.1
	done
	cat "$T/toy.out"
	return 1
}
fits() { # no row is wider than the screen, and the last is not empty
	screen | python3 -c '
import sys, unicodedata
rows = sys.stdin.read().split("\n")[:-1]
width = lambda s: sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s)
sys.exit(max(width(r.rstrip()) for r in rows) > int(sys.argv[1]))' "$1"
}

# --- the bell over the screens

begin 80 24
keys 'cowbell ui' Enter
ok "home lists the apps" see 'torch'
ok "and the time and the keys" see 'Enter open'
asks '~/.local/share/contacts'
ok "a bell comes up by itself" see 'toy wants your contacts (2 people)'
ok "home counts it" see '1 waiting'
ok "the cursor stands on the safe line" see '› Empty'
ok "the last row is Cowbell's, with the owner's mark" bash -c 'tmux -L "$SERVER" capture-pane -p -t 0 | tail -n 1 | grep -q moo'
keys Enter
sleep 0.3
ok "a key in the first second does not count" see 'toy wants your contacts'
sleep 1
keys Down
keys Down
ok "arrows choose" see '› Read'
keys Enter
ok "the answer is given and the app goes on" said 'rc 0'
like "it sees the real ones" "$(cat "$T/toy.out")" 'ada.vcf'
ok "one line says what happens now" see 'can read, not change, your contacts until it ends'
ok "home says what a running app has" see 'running  contacts'

# --- find who has contacts, and cut it

keys w
ok "who has what, by permission" see 'your contacts'
ok "live" see 'in use'
keys c
ok "one key takes it away" see 'Taken from toy'
gone 'in use' >/dev/null
like "nothing is given any more" "$(cb --json ps)" '"given":\[\]'
keys Escape
cb stop toy >/dev/null
wait $toy

# --- later, and answered for next time

asks '~/Documents' 0
see 'wants your files: Documents' >/dev/null
sleep 1.2
keys Escape
ok "Esc is later: refused for now" said 'rc 2'
ok "and says where it stands" see 'answered for next time'
keys b
ok "unanswered questions stand under bells" see 'unanswered, refused for now'
keys Enter
ok "answered for next time, never for a run that is over" see '‹always›'
unlike "this run is not offered" "$(screen)" 'this run'
sleep 1.2
keys Down Down Enter
ok "it is said" see 'from now on'
like "and stored" "$(cb explain toy storage:Documents)" 'is read \(always\)'
asks '~/Documents' 0
ok "next time it is given unasked" said 'letter.txt'
wait $toy
keys Escape

# --- the same answer for all that wait

cb revoke toy storage >/dev/null
(cd / && exec "$BIN/cowbell" --root "$R" shell toy -c 'ls ~/Music & ls ~/Pictures & ls ~/Videos & wait; echo all done; sleep 20') </dev/null >"$T/toy.out" 2>&1 &
toy=$!
ok "several questions of one app are counted" see '2 more from toy'
sleep 1.2
keys s
ok "a letter lights, it does not take" see 'Enter: empty, this run, all'
sleep 0.8
keys Enter
ok "one answer for all of them" said 'all done'
keys '?'
ok "help on home" see 'Your apps. To the right'
keys Escape
cb stop toy >/dev/null
wait $toy

# --- an app's page: change, undo, reset

sh_in toy 'echo one >~/kept'
keys Down Enter
ok "an app's page" see 'was ──'
ok "what it may" see 'contacts                ask'
keys u
ok "undo says what it does before it does" see 'Undo the last run of toy?'
keys Enter
ok "Enter never says yes" see 'Nothing was changed'
like "and nothing was" "$(sh_in toy 'cat ~/kept')" one
keys u y
ok "undo of the last run" see 'as it was before its last run'
like "the file is gone" "$(sh_in toy 'ls ~/kept || echo gone')" gone
keys x
ok "reset says what goes and what stays" see 'the install and your answers stay'
keys y
ok "and does it" see 'as it was installed'
keys Enter
ok "a permission's page has the answers" see 'take it back and ask me again'
keys Down Left
ok "and how long" see '‹reboot›'
keys Enter
like "an answer is given there" "$(sleep 0.5; cb explain toy contacts)" 'copy \(boot\)'
keys Escape
keys h
ok "history of one app" see 'History of toy'
ok "folded with a unit" see 'in 1 run'
keys m
ok "a month in sentences" see 'toy was run'
keys Escape
sleep 0.2
keys Escape
sleep 0.2
keys Escape
ok "home again" see 'who has what'

# --- the rest, and the ends

keys s
ok "settings: mark and the device" see 'mark of your bells: moo'
keys m
keys C-u
keys -l 'purr'
keys Enter
ok "the mark is changed there" see 'carry purr'
keys Escape
sleep 0.2
keys i Enter
ok "a file is named" see 'Install which file?'
keys -l /nowhere.deb
keys Enter
sleep 0.5
ok "what is wrong with it is said" see 'Install it'
keys Down
keys n C-u
keys -l "$TOP/build/flashlight.deb"
keys Enter
ok "before installing, what it is and wants" see 'find friends with a torch'
keys Home Enter
ok "installing is seen" see 'Enter goes back to Cowbell'
keys Enter
ok "and leads home" see 'It has nothing of yours yet'
tm resize-window -t 0 -x 40 -y 20
sleep 0.5
ok "a resize redraws" see 'settings'
ok "and fits" fits 40
keys q
keys -l 'echo us\able'
keys Enter
ok "q ends it, and the terminal is usable" see 'usable'

# --- sizes and terminals

for kind in linux xterm-256color vt100; do
	for size in 40x20 80x24 120x40; do
		begin "${size%x*}" "${size#*x}" "$kind"
		keys 'cowbell ui' Enter
		ok "home at $size on $kind" see 'open'
		ok "nothing is cut off at $size on $kind" fits "${size%x*}"
		asks '~/Documents' 0
		ok "the bell at $size on $kind" see 'wants your files: Documents'
		ok "its box fits at $size on $kind" fits "${size%x*}"
		cp /dev/null "$T/screen" && screen >"$T/screen"
		sleep 1.2
		keys n
		keys Enter
		ok "answered at $size on $kind" said 'rc 2'
		wait $toy
		case $kind in
		vt100) unlike "plain characters alone on $kind at $size" "$(LC_ALL=C grep -P '[\x80-\xff]' "$T/screen")" '.' ;;
		linux) unlike "no thin angles on $kind at $size" "$(cat "$T/screen")" '›|‹' ;;
		esac
		keys q
	done
done
for kind in dumb nonsense; do
	keys "TERM=$kind cowbell ui" Enter
	ok "a terminal that shows no screens ($kind) is told" see "TERM=$kind) is not known, or shows no screens (cowbell ui --plain)"
	keys clear Enter
done
tm kill-server 2>/dev/null

# --- as lines

(
	sleep 1
	printf '?\n2\n.\nw\n.\nquit\n'
) | cb ui --plain >"$T/plain" 2>&1
like "as plain lines: the apps have numbers" "$(cat "$T/plain")" ' 2  toy'
like "a number opens its page" "$(cat "$T/plain")" 'may:'
like "letters are the keys" "$(cat "$T/plain")" 'w who has what'
mkfifo "$T/in"
cb ui --plain <"$T/in" >"$T/plain" 2>&1 &
ui=$!
exec 7>"$T/in"
asks '~/Pictures' 0
for i in $(seq 50); do grep -q 'wants your files: Pictures' "$T/plain" && break; sleep 0.1; done
like "a bell comes as lines, with the mark" "$(cat "$T/plain")" '\[purr\].*toy wants your files: Pictures'
echo 1 >&7
sleep 1.2
echo '1x' >&7
sleep 0.2
like "what is no answer gives nothing" "$(cat "$T/plain")" 'nothing was given'
echo 4r >&7
ok "a number and a letter answer" said 'rc 0'
echo quit >&7
exec 7>&-
wait $ui
is "quit ends it" $? 0
wait $toy
fails "without a terminal it says what to do" 1 'cowbell ui --plain' "$BIN/cowbell" --root "$R" ui </dev/null
fails "without cowbelld too" 1 'cowbelld does not run' "$BIN/cowbell" --root "$T/none" ui --plain
