# SPDX-License-Identifier: MIT
# large
# An agent in another language, on a Varlink library that knows nothing of Cowbell,
# made from the interface that is served.

command -v go >/dev/null && [ -d /usr/share/gocode/src/github.com/varlink/go ] ||
	{ echo "not ok golang-go and golang-github-varlink-go-dev are there (tools/deps.sh large)"; exit 1; }
in_go() { env GO111MODULE=off GOPATH="$T/go:/usr/share/gocode" GOCACHE="$T/cache" GOPROXY=off HOME="$T" "$@"; }
sock=$R/run/cowbell/io.cowbell
mkdir -p "$T/go/src/iocowbell" "$T/go/src/agent-go"
cp broker/proto/io.cowbell.varlink "$T/go/src/iocowbell/"
cp examples/agent-go/main.go "$T/go/src/agent-go/"
ok "the library's generator is built" in_go go build -o "$T/generate" github.com/varlink/go/cmd/varlink-go-interface-generator
ok "it can read the interface" sh -c "cd '$T/go/src/iocowbell' && '$T/generate' io.cowbell.varlink"
ok "the agent is built from what it made" in_go go build -o "$T/agent-go" agent-go
ok "and has nothing to say against it" in_go go vet agent-go
ok "the interface that is served is that one" sh -c "'$T/agent-go' '$sock' interface | cmp - broker/proto/io.cowbell.varlink"

app toy || exit 1
asks() { # asks COMMAND: in the background; its words go to a file
	(cd / && exec "$BIN/cowbell" --root "$R" shell toy -c "$1") </dev/null >"$T/toy.out" 2>>"$T/notices" &
	toy=$!
}
until_file() { # until_file FILE TEXT
	for i in $(seq 80); do
		grep -qF -- "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	cat "$1"
	return 1
}
mkfifo "$T/in"
"$T/agent-go" "$sock" <"$T/in" >"$T/agent.out" 2>&1 &
agent=$!
exec 7>"$T/in"
asks 'ls ~/.local/share/contacts; echo rc $?'
ok "it asks" until_file "$T/agent.out" 'toy wants your contacts (2 people) (ls): no, empty, copy, read, write?'
echo read >&7
ok "its answer lets the app go on" until_file "$T/toy.out" 'ada.vcf'
ok "it is told what happens now" until_file "$T/agent.out" 'toy can read, not change, your contacts until it ends'
wait $toy
asks 'ls ~/Music; echo rc $?'
ok "it asks again" until_file "$T/agent.out" 'your files: Music'
echo perhaps >&7
ok "what is no answer is later" until_file "$T/toy.out" 'rc 2'
wait $toy
asks 'ls ~/Videos; echo rc $?'
ok "and once more" until_file "$T/agent.out" 'your files: Videos'
ok "somebody else is faster" cb answer "$(waiting | jq .id)" empty
echo no >&7
ok "an error of the interface is an error of its own there" until_file "$T/agent.out" 'not answered: io.cowbell.NoSuchPrompt'
wait $toy
cb grant toy contacts empty >/dev/null
like "replies are types" "$("$T/agent-go" "$sock" apps)" '^toy contacts empty$'
asks 'ls ~/Pictures; echo rc $?'
until_file "$T/agent.out" 'your files: Pictures' >/dev/null
exec 7>&-
kill $agent
wait $agent 2>/dev/null
is "while one waits, it dies: the question waits for the next" "$(waiting | jq -r .permission)" storage:Pictures
answer no >/dev/null
wait $toy
like "and is answered by that" "$(cat "$T/toy.out")" 'rc 2'
cb stop toy >/dev/null 2>&1
