# SPDX-License-Identifier: MIT
# Ends processes at a step of their work, and starts what is dead again.

: >"$T/died"

alive() { kill -0 "$pid" 2>/dev/null && cb list >/dev/null 2>&1; }

settle_down() { # waits for a broker that comes back, else starts anew
	for i in $(seq 20); do alive && return 0; kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	case $? in 137 | 1) ;; *) echo "$?" >>"$T/died" ;; esac
	start
}

inject() { # inject PID CALL N [-f]
	strace ${4:-} -qq -o "$T/strace" -p "$1" -e "trace=$2" -e "inject=$2:signal=SIGKILL:when=$3" 2>/dev/null &
	tracer=$!
	for i in $(seq 50); do grep -q 'TracerPid:.[1-9]' "/proc/$1/status" 2>/dev/null && break; sleep 0.02; done
}

# strace lets go of a process by stopping it first, and waits for ever for one that waits
# itself, for a child (vfork) that strace has stopped: the kernel lets go of both.
inject_end() {
	kill $tracer 2>/dev/null
	for i in $(seq 50); do kill -0 $tracer 2>/dev/null || break; sleep 0.1; done
	kill -9 $tracer 2>/dev/null
	wait $tracer 2>/dev/null
}

can_inject() { strace -qq -o /dev/null -e trace=none -e inject=getpid:signal=SIGCONT:when=99 true 2>/dev/null; }
