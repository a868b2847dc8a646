# SPDX-License-Identifier: MIT
# Apps that run with nobody there: waiting for what they do.

runs() { cb --json ps | jq -e --arg a "$1" 'any(.sessions[]; .app == $a)' >/dev/null; }
until_runs() { for i in $(seq 100); do runs "$1" && return 0; sleep 0.1; done; return 1; }
until_gone() { for i in $(seq 100); do runs "$1" || return 0; sleep 0.1; done; return 1; }
until_log() { for i in $(seq 100); do cb logs "$1" | grep -qF -- "$2" && return 0; sleep 0.1; done; cb logs "$1"; return 1; }
ours() { # ours PATTERN: processes of this system alone: the machine may have its own of the same name
	local p q found=1
	for p in $(pgrep -f "$1"); do
		for ((q = p; q > 1; q = $(ps -o ppid= -p "$q" || echo 0))); do
			[ "$q" != "$pid" ] || { echo "$p"; found=0; break; }
		done
	done
	return $found
}
