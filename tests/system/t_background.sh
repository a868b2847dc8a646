# SPDX-License-Identifier: MIT
# Running with nobody there: without a terminal, after a command, after a terminal.

. tests/system/screen.sh
. tests/system/apart.sh

# Stopped early, it is still the shell that was to become it.
helpers() { ours '^sleep 4711$|local/bin/bg$'; }
until_state() { # until_state STATE: of the helper that bg left behind
	for i in $(seq 100); do
		[ "$(ps -o stat= -p "$(helpers | head -n 1)" 2>/dev/null | cut -c1)" = "$1" ] && return 0
		sleep 0.1
	done
	return 1
}
gone_helper() { for i in $(seq 100); do helpers >/dev/null || return 0; sleep 0.1; done; return 1; }

app bg sh -c 'printf "#!/bin/sh\ntrap \"\" HUP\nsleep 4711 >/dev/null 2>&1 &\nexit 5\n" >/usr/local/bin/bg; printf "#!/bin/sh\ntrap \"\" HUP\necho up\nexec sleep 4711 2>/dev/null\n" >/usr/local/bin/deaf; printf "#!/bin/sh\necho hello\nread x || echo no-input\nexec sleep 4711\n" >/usr/local/bin/alone; printf "#!/bin/sh\necho before\nwhile [ ! -e ~/go ]; do sleep 0.1; done\necho after && echo complaint >&2\nexec sleep 4711\n" >/usr/local/bin/talks; cd /usr/local/bin && chmod 755 bg deaf alone talks'

# --- without a terminal, started from one

begin 80 24
tm send-keys -t 0 'clear; cowbell run --detach --command alone bg; echo rc=$?' Enter
ok "run --detach comes back at once" see 'rc=0'
ok "what it writes is in its log" until_log bg hello
ok "it has no input, and no terminal" until_log bg no-input
unlike "nothing of it is on the terminal" "$(screen)" '^hello'
tm kill-server
sleep 0.5
ok "it runs on after the terminal is gone" runs bg
like "by its owner's word" "$(cb permissions bg)" 'background +allow +run .*in use'
ok "taking it back" cb revoke bg background
ok "ends it" until_gone bg
ok "to the last process" gone_helper

# --- what it writes outlives the broker

begin 80 24
tm send-keys -t 0 'clear; cowbell run --detach --command talks bg; echo rc=$?' Enter
until_log bg before >/dev/null
kill -9 "$(pgrep -P "$pid" -x cowbell-broker)"
for i in $(seq 50); do cb list >/dev/null 2>&1 && break; sleep 0.1; done
sh_in bg 'touch ~/go' >/dev/null
ok "its output goes on into the log under another broker" until_log bg after
ok "as do its errors" until_log bg complaint
tm kill-server
cb stop bg >/dev/null
until_gone bg

# --- what a command leaves behind

is "nobody is there: the command's own status" "$(cb run bg </dev/null >/dev/null 2>>"$T/notices"; echo $?)" 5
ok "what it left is ended" gone_helper
ok "and so is the run" until_gone bg
like "with a word about it" "$(cat "$T/notices")" 'what bg left running is ended: nobody was there to ask \(cowbell grant bg background allow\)'
like "it is listed" "$(cb prompts)" 'bg wants to go on in the background, unanswered'
like "and in history" "$(cb history bg)" 'refused +background'
id=$(cb --json prompts | jq -r '.prompts[0].id // .id' | head -n 1)
like "it can be answered for next time" "$(cb answer "$id" allow --for always)" 'bg may go on in the background'
is "next time" "$(cb run bg </dev/null >/dev/null 2>&1; echo $?)" 5
ok "it goes on" runs bg
like "with no command" "$(cb ps)" 'in the background'
kill "$(helpers)"
ok "and ends by itself" until_gone bg
cb run bg </dev/null >/dev/null 2>&1
ok "another answer" cb grant bg background no --for always
ok "acts on what runs" until_gone bg
fails "a no is one to --detach too" 126 "'bg' may not run in the background (grant" cb run --detach bg
cb revoke bg background >/dev/null

# --- a bell on the terminal

begin 80 24
tm send-keys -t 0 'clear; cowbell run bg; echo rc=$?' Enter
ok "a bell" see 'bg wants to go on in the background'
ok "what it left is stopped meanwhile" until_state T
unlike "the command's end is not told yet" "$(screen)" 'rc='
sleep 1.2
tm send-keys -t 0 Enter
ok "no, the safe line, ends it" see 'rc=5'
ok "wholly" until_gone bg
sleep 1
tm send-keys -t 0 'clear; cowbell run bg; echo rc=$?' Enter
see 'wants to go on' >/dev/null
sleep 1.2
tm send-keys -t 0 Up
ok "allow" see '› Allow'
tm send-keys -t 0 Enter
ok "lets it go on" see 'rc=5'
ok "running" until_state S
runs bg && ok "for this run" cb stop bg
until_gone bg
sleep 1

tm send-keys -t 0 'clear; cowbell run bg; echo rc=$?' Enter
see 'wants to go on' >/dev/null
is "who runs it meanwhile brings it to the foreground" "$(sh_in bg 'echo joined')" joined
ok "nothing is asked any more" see 'rc=5'
until_gone bg

# --- what outlives its terminal

cb grant bg background allow --for always >/dev/null
begin 80 24
tm send-keys -t 0 'clear; cowbell run --command deaf bg' Enter
ok "a program that does not hear its terminal's end" see up
tm kill-server
sleep 4
ok "goes on when it may" runs bg
kill -9 "$(pgrep -P "$pid" -x cowbell-broker)"
for i in $(seq 50); do cb list >/dev/null 2>&1 && break; sleep 0.1; done
ok "also under another broker" runs bg
cb stop bg >/dev/null
until_gone bg
cb run bg </dev/null >/dev/null 2>&1
kill -9 "$(pgrep -P "$pid" -x cowbell-broker)"
for i in $(seq 50); do cb list >/dev/null 2>&1 && break; sleep 0.1; done
ok "as does what a command left" until_runs bg
cb revoke bg background >/dev/null
ok "until it is taken back" until_gone bg
begin 80 24
tm send-keys -t 0 'clear; cowbell run --command deaf bg' Enter
see up >/dev/null
tm kill-server
ok "and when it may not, it ends" until_gone bg

# --- policy

mkdir -p "$R/etc/policy.d"
echo '* background no enforce # kiosks sleep at night' >"$R/etc/policy.d/10-night.rules"
for i in $(seq 50); do cb explain bg background | grep -q night && break; sleep 0.1; done
fails "policy stands above --detach" 126 '10-night.rules:1 kiosks sleep' cb run --detach bg
fails "and above autostart" 1 '10-night.rules:1 kiosks sleep' cb autostart bg on
is "which stays off" "$(cb --json info bg | jq .app.autostart)" false
rm "$R/etc/policy.d/10-night.rules"
