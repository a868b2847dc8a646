# SPDX-License-Identifier: MIT
# board
# Garbage is collected while a new broker takes over: what sessions write
# meanwhile is none.

app mortal
children() { pgrep -P "$pid" -x "${1:0:15}"; } # a process name has 15 characters
guarding() { # supervisors that have an app, not the spare
	for p in $(children cowbell-supervisor); do
		for c in $(pgrep -P "$p"); do pgrep -P "$c" >/dev/null && echo "$p"; done
	done | head -n 1
}

# A session ends while the new broker still collects garbage: what it wrote is
# none. The collector is held between what it was told and its work.
if ! strace -qq -o /dev/null -e trace=none -e inject=getpid:signal=SIGCONT:when=99 true 2>/dev/null; then
	skip "a session ends while garbage is collected" "ptrace for strace"
else
	back() { for i in $(seq 100); do cb ps >/dev/null 2>&1 && return; sleep 0.1; done; }
	hold_collector() { # a new broker, and its collector, stopped
		strace -f -qq -o "$T/strace" -p "$pid" -e trace=execve,execveat -e inject=execve,execveat:delay_exit=1000000 2>/dev/null &
		tracer=$!
		for i in $(seq 50); do grep -q 'TracerPid:.[1-9]' "/proc/$pid/status" && break; sleep 0.02; done
		kill -9 $(children cowbell-broker)
		for i in $(seq 500); do keeper=$(children cowbell-keeper) && break; sleep 0.02; done
		kill -STOP $keeper
		kill $tracer
		wait $tracer
	}
	cb run --detach mortal -- sh -c 'echo early >~/early; sleep 1001; echo late >~/late' </dev/null >/dev/null 2>&1
	for i in $(seq 50); do app_pid=$(pgrep -f 'sleep 1001$') && break; sleep 0.1; done
	super=$(guarding)
	hold_collector
	kill $app_pid
	for i in $(seq 50); do kill -0 $super 2>/dev/null || break; sleep 0.1; done
	for i in $(seq 20); do [ "$(children cowbell-keeper | wc -l)" = 1 ] || break; sleep 0.1; done # none is to come
	for i in $(seq 30); do [ "$(children cowbell-keeper | wc -l)" = 2 ] || break; sleep 0.1; done
	kill -CONT $keeper
	back
	is "what a session wrote that ended meanwhile is there" "$(sh_in mortal 'cat ~/early ~/late' | tr '\n' ' ')" "early late "

	# A collector knows only what was to be kept when it was told: it dies with its broker.
	hold_collector
	kill -9 $(children cowbell-broker)
	back
	is "the collector of a dead broker does not go on" "$(children cowbell-keeper | grep -cx "$keeper")" 0
	is "and what is written next is there" "$(sh_in mortal 'echo next >~/next'; sh_in mortal 'cat ~/next')" next
	kill -KILL $keeper 2>/dev/null
fi
