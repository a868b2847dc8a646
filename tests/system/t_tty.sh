# SPDX-License-Identifier: MIT
# The bell on a real terminal (tmux): steps in, screens out.

cb install --name term "$(tools/fetch-debs.sh build/debs nano | tail -n 1)" </dev/null >"$T/install.out" 2>&1 || cat "$T/install.out"
. tests/system/screen.sh

cb mark 'moo' >/dev/null
begin 80 24
tm send-keys -t 0 'echo before; cowbell shell term -c "ls ~/.local/share/contacts; echo after"' Enter
ok "the bell shows" see 'term wants your contacts (2 people)'
ok "the cursor stands on the safe line" see '› Empty'
ok "the last row is Cowbell's, with the owner's mark" bash -c 'tmux -L "$SERVER" capture-pane -p -t 0 | tail -n 1 | grep -q moo'
tm send-keys -t 0 Enter
sleep 0.3
ok "a key in the first second does not count" see 'term wants your contacts'
sleep 1
tm send-keys -t 0 Enter
ok "Enter takes the safe line" see 'after'
ok "what stood before is still there" see 'before'
unlike "empty was given" "$(screen)" 'ada.vcf'
sleep 2

tm send-keys -t 0 'clear; cowbell shell term -c "ls ~/.local/share/contacts; echo done-2"' Enter
see 'term wants' >/dev/null
sleep 1.2
tm send-keys -t 0 Down
tm send-keys -t 0 Down
ok "arrows choose" see '› Read'
tm send-keys -t 0 Right
ok "and for how long" see '‹1 h›'
tm send-keys -t 0 Enter
ok "the answer is given" see 'ada.vcf'
see done-2 >/dev/null
like "and stored for that long" "$(cb explain term contacts)" 'is read \(1h\)'
cb revoke term contacts >/dev/null
sleep 2

tm send-keys -t 0 'clear; cowbell shell term -c "ls ~/Documents || echo refused-now"' Enter
see 'term wants' >/dev/null
sleep 1.2
tm send-keys -t 0 Escape
ok "Esc is later: refused for now" see 'refused-now'
like "nothing is stored" "$(cb explain term storage:Documents)" 'is ask'
sleep 2

# Held in the very folder it starts in, before it has a terminal.
tm send-keys -t 0 "cd $H/Documents; clear; cowbell run --command nano term -- letter.txt" Enter
ok "a bell for the folder it starts in" see 'wants your files: Documents'
like "it names the program" "$(screen)" 'now +nano opens it'
sleep 1.2
tm send-keys -t 0 Down
tm send-keys -t 0 Down
tm send-keys -t 0 Enter
ok "and it starts there" see 'dear diary'
tm send-keys -t 0 C-x
sleep 0.5
tm send-keys -t 0 'cd /' Enter
sleep 2

# Over a full-screen program: the screen comes back as it was.
tm send-keys -t 0 'clear; cowbell shell term' Enter
sleep 0.7
tm send-keys -t 0 'cd; seq 1 200 >long; (sleep 2; ls Pictures >/dev/null 2>&1) & nano --ignorercfiles long' Enter
see 'GNU nano' >/dev/null
tm send-keys -t 0 Down Down Down
sleep 0.3
tm capture-pane -p -e -t 0 >"$T/nano.before"
ok "a bell over nano" see 'wants your files: Pictures'
sleep 1.2
tm send-keys -t 0 Enter
gone 'wants your files' >/dev/null
sleep 2
tm capture-pane -p -e -t 0 >"$T/nano.after"
ok "nano's screen is byte for byte as before" cmp "$T/nano.before" "$T/nano.after"
tm send-keys -t 0 C-x
sleep 0.5
tm send-keys -t 0 exit Enter
sleep 1

# Over a build that scrolls: what it writes meanwhile is not lost, and not twice.
tm set -g history-limit 5000
tm send-keys -t 0 'clear; tmux -L $SERVER clear-history; cowbell shell term -c "(sleep 1; ls ~/Videos >/dev/null 2>&1) & seq -f \"cc -c file%g.c\" 1 150 | while read -r l; do echo \"\$l\"; sleep 0.02; done; wait; echo all-built"' Enter
ok "a bell over a scrolling build" see 'wants your files: Videos'
sleep 1.2
tm send-keys -t 0 Enter
ok "the build goes on" see 'all-built'
gone 'Cowbell asks' >/dev/null
sleep 1.6
tm capture-pane -p -S -3000 -t 0 | grep '^cc -c file' >"$T/build.got"
seq -f 'cc -c file%g.c' 1 150 >"$T/build.wanted"
ok "each line of it stands there once, in order" cmp "$T/build.wanted" "$T/build.got"
is "and nothing of the bell" "$(tm capture-pane -p -S -3000 -t 0 | grep -c 'wants your files: Videos')" 0
sleep 1

# What a person types elsewhere, and what a terminal sends by itself, is no answer.
# A bell rings over an app with every mode on; then these bytes come.
ring_modes='printf "\033[?1003h\033[?1004h\033[?2004h\033[>4;2m"'
tm send-keys -t 0 "clear; cowbell shell term -c '$ring_modes; ls ~/Videos; echo tried-1'" Enter
ok "a bell over an app that watches the mouse" see 'wants your files: Videos'
like "the mouse is the bell's" "$(tm display -p -t 0 '#{mouse_any_flag}#{mouse_all_flag}')" '^00$'
sleep 1.2
for i in 1 2 3 4; do
	tm send-keys -t 0 -H 1b 5b 4d 43 57 2a   # the mouse over column 55: W
	tm send-keys -t 0 -H 1b 5b 4d
	sleep 0.05
	tm send-keys -t 0 -H 43 73 57            # in two reads: s
	tm send-keys -t 0 -H 1b 5b 49            # focus
	tm send-keys -t 0 -H 1b 4f 51            # F2
	tm send-keys -t 0 -H 1b 5b 31 31 39 3b 31 75
done
sleep 0.8
ok "reports light nothing" see '› Empty'
like "nor for another time" "$(screen)" '‹this run›'
for i in d e a r ' ' w r i t e r Space s e e; do
	tm send-keys -t 0 "$i"
	sleep 0.05
done
tm send-keys -t 0 Enter
sleep 0.8
ok "a typed line is no answer" see 'wants your files: Videos'
ok "and lights nothing" see '› Empty'
tm send-keys -t 0 Enter
ok "Enter after a quiet moment is" see 'tried-1'
unlike "it gave nothing" "$(cb explain term storage:Videos)" 'write'
ok "the mouse is nobody's when the app is over" bash -c 'sleep 1.7; [ "$(tmux -L "$SERVER" display -p -t 0 "#{mouse_any_flag}")" = 0 ]'

# Keys after an answer are the app's.
tm send-keys -t 0 'clear; cowbell shell term -c "ls ~/Music; read x; echo got:\$x:"' Enter
see 'wants your files: Music' >/dev/null
sleep 1.2
tm send-keys -t 0 Enter
see 'Change it:' >/dev/null || see 'until it ends' >/dev/null
tm send-keys -t 0 -l hello
sleep 2
tm send-keys -t 0 Enter
ok "a key while the answer is told is the app's" see 'got:hello:'
cb revoke term storage >/dev/null

# An app cannot spoil the bell, and what it did to its terminal is there again.
spoils='printf "\033[5;8r\033[?6h\033[?7l\033[4h\033(0\033[31;41m\033]0;never ended"'
tm send-keys -t 0 "clear; cowbell shell term -c '$spoils; ls ~/Pictures >/dev/null; printf \"\\a\\033[?1003hqqq\"; sleep 4; echo; echo spoilt'" Enter
ok "a bell over a spoilt screen" see 'wants your files: Pictures'
like "with its frame" "$(screen)" '^ *┌──.*──┐ *$'
like "in the middle" "$(screen)" '^ *│ › Empty +it sees an empty one +│ *$'
like "over all of the screen" "$(screen | tail -n 1)" 'moo .*Cowbell asks'
sleep 1.2
tm send-keys -t 0 Enter
gone 'Cowbell asks' >/dev/null
see qqq >/dev/null
like "the app's character set is as it was" "$(tm capture-pane -p -e -t 0)" $'\016qqq'
like "its region, and its mouse" "$(tm display -p -t 0 '#{scroll_region_upper}-#{scroll_region_lower} #{mouse_any_flag}#{insert_flag}#{wrap_flag}#{origin_flag}')" '^4-7 1101$'
see '$ ' >/dev/null
ok "the shell after it is not spoilt" bash -c 'sleep 0.5; [ "$(tmux -L "$SERVER" display -p -t 0 "#{scroll_region_upper}-#{scroll_region_lower} #{mouse_any_flag}#{insert_flag}#{wrap_flag}#{origin_flag}")" = "0-23 0010" ]'
tm send-keys -t 0 'reset; clear' Enter
sleep 0.5

# More of the same app come while one stands; the window changes meanwhile.
tm send-keys -t 0 'clear; cowbell shell term -c "(sleep 2; ls ~/Downloads) & (sleep 4; ls ~/Desktop) & ls ~/Documents; wait; echo all-three"' Enter
see 'wants your files: Documents' >/dev/null
ok "another one is counted as it comes" see '1 more from term'
tm resize-window -t 0 -x 60 -y 22
ok "and another one" see '2 more from term'
unlike "nothing of the wider box is left" "$(screen)" '┐.*┐|┐ *│'
ok "one box" [ "$(screen | grep -c '┌')" = 1 ]
tm resize-window -t 0 -x 36 -y 16
ok "in a small window nothing but air goes" see 'now    ls opens it'
ok "what Enter takes is there" see 'Enter: empty, this run'
tm resize-window -t 0 -x 36 -y 12
ok "in a smaller one the choice stands first" see '[Empty, this run] term wants'
sleep 1.2
tm send-keys -t 0 Down
ok "and is always seen" see '[Copy, this run]'
tm resize-window -t 0 -x 16 -y 16
sleep 1
tm send-keys -t 0 Down
sleep 0.3
unlike "what cannot be seen" "$(screen)" '\['
tm send-keys -t 0 Enter
sleep 0.5
tm resize-window -t 0 -x 80 -y 24
sleep 2.5
unlike "is not given" "$(cb explain term storage:Documents)" 'copy|read|write'
tm send-keys -t 0 Escape
sleep 3
tm send-keys -t 0 Escape
ok "later for the rest" see 'all-three'
sleep 2

begin 40 20
tm send-keys -t 0 'cowbell shell term -c "ls ~/Downloads; echo small-done"' Enter
ok "a phone's width" see 'wants your files'
ok "the box fits" bash -c 'tmux -L "$SERVER" capture-pane -p -t 0 | python3 -c "import sys; sys.exit(max(len(l.rstrip()) for l in sys.stdin) > 40)"'
sleep 1.2
tm send-keys -t 0 N
tm send-keys -t 0 Enter
ok "no is one letter and Enter" see 'small-done'
sleep 2
tm resize-window -t 0 -x 90 -y 30 2>/dev/null
tm send-keys -t 0 'clear; cowbell shell term -c "stty size; cat" ' Enter
ok "the app knows the terminal's size" see '30 90'
tm send-keys -t 0 C-c
sleep 0.5
tm send-keys -t 0 'clear; stty -a | grep -c "icanon" ; echo $?' Enter
ok "the terminal is put back" see '1'

# The broker dies while the bell rings.
tm send-keys -t 0 'clear; cowbell shell term -c "ls ~/Music; echo end-of-it"; echo status $?' Enter
see 'wants your files' >/dev/null
kill -9 "$(pgrep -P "$pid" -x cowbell-broker)"
ok "a dead broker is told, and the terminal is usable" see 'status 125'
tm kill-server 2>/dev/null
