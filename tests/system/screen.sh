# SPDX-License-Identifier: MIT
# A terminal of a given size and kind (tmux): steps in, screens out. Sourced by tests.

export SERVER=cowbell-$$-0
tm() { tmux -L "$SERVER" "$@"; }
screen() { tm capture-pane -p -t 0; }
see() { # see TEXT: waits until it is on the screen
	for i in $(seq "${SEE_TRIES:-60}"); do
		screen | grep -qF -- "$1" && return 0
		sleep 0.1
	done
	screen
	return 1
}
gone() {
	for i in $(seq "${SEE_TRIES:-60}"); do
		screen | grep -qF -- "$1" || return 0
		sleep 0.1
	done
	screen
	return 1
}
begin() { # begin COLUMNS ROWS TERM
	tm kill-server 2>/dev/null
	SERVER=${SERVER%-*}-$((${SERVER##*-} + 1)) # a server that is ending is no place for a new session
	tm -f /dev/null new-session -d -x "$1" -y "$2" "env LANG=C.UTF-8 TERM=${3:-tmux-256color} PS1='$ ' bash --norc --noprofile"
	tm set -g default-terminal "${3:-tmux-256color}" 2>/dev/null
	see '$ ' >/dev/null
	tm send-keys -t 0 "export COWBELL_ROOT=$R PATH=$BIN:\$PATH; cd /; clear" Enter
	sleep 0.3
}

