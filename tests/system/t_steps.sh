# SPDX-License-Identifier: MIT
# kill -9 of each process at each step: strace ends a process at its Nth call of
# a kind, everything is started again, and what was acknowledged must stand.

app step
. tests/system/steps.sh
value=   # what the app's file must hold: the last value whose run was seen to end
pending= # the value of the run under way
granted=ask

work() { # one of everything; notes what was acknowledged
	pending=$((${value:-0} + 1))
	if [ "$(timeout 20 "$BIN/cowbell" --root "$R" shell step -c "echo $pending >~/f && sync -d ~/f && echo written" </dev/null 2>/dev/null)" = written ]; then
		value=$pending
	fi
	timeout 20 "$BIN/cowbell" --root "$R" grant step storage:Music read >/dev/null 2>&1 && granted=read
	timeout 20 "$BIN/cowbell" --root "$R" revoke step storage:Music >/dev/null 2>&1 && granted=ask
	timeout 20 "$BIN/cowbell" --root "$R" grant step storage:Music empty >/dev/null 2>&1 && granted=empty
}

check() { # check WHAT
	local got
	settle_down
	got=$(sh_in step 'cat ~/f 2>/dev/null' | tr -d '\n')
	if [ "$got" = "$value" ] || [ "$got" = "$pending" ]; then echo "ok $1: the app's file is whole ($got)"; else
		echo "not ok $1: the app's file holds '$got', acknowledged was $value"
		tail -n 5 "$T/log"
	fi
	value=$got
	got=$(cb explain step storage:Music)
	case $granted in
	read | empty | ask) like "$1: the answer stands" "$got" "is (read|empty|ask)" ;;
	esac
	granted=$(sed 's/.* is \([a-z]*\).*/\1/' <<<"$got")
}

if ! can_inject; then
	skip "kill at each step" "ptrace for strace"
else
	for call in fdatasync pwrite64 sendmsg; do
		for n in 1 2 3 4 5 7 9 12; do
			inject "$(pgrep -P "$pid" -x cowbell-broker)" $call $n
			work
			inject_end
			check "broker killed at $call $n"
		done
	done
	for call in fsync renameat syncfs mkdirat unlinkat recvmsg; do
		for n in 1 2 3 4; do
			inject "$pid" $call $n -f
			work
			inject_end
			check "any process killed at its $call $n"
		done
	done
	# Going back, cut at each sync of the keeper and the broker.
	for n in 1 2 3 4; do
		sh_in step "echo before-$n >~/g"
		sh_in step "echo after-$n >~/g"
		inject "$pid" fsync $n -f
		said=no
		timeout 20 "$BIN/cowbell" --root "$R" rollback step >/dev/null 2>&1 && said=yes
		inject_end
		settle_down
		got=$(sh_in step 'cat ~/g')
		if [ "$got" = "before-$n" ] || { [ $said = no ] && [ "$got" = "after-$n" ]; }; then echo "ok rollback cut at sync $n: $got (acknowledged: $said)"; else
			echo "not ok rollback cut at sync $n: '$got' (acknowledged: $said)"
		fi
	done
	unlike "cowbelld dies only by our hand" "$(cat "$T/died")" '[0-9]'
	stop
	start
	cb --yes uninstall step >/dev/null
	is "and nothing is left of all that" "$(cd "$R/state/store" && find layers trash tmp -mindepth 1 -maxdepth 1)" ""
fi
