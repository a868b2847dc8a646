# SPDX-License-Identifier: MIT
# board
# An app that runs again and again keeps its newest states; what a state is made of
# stays whole, and the room of what goes comes back.

app ticker
cb run ticker -- sh -c 'echo kept >~/early; echo 0 >~/count' </dev/null 2>/dev/null
cb generations ticker >/dev/null # waits until it is settled
cb run ticker -- sh -c 'dd if=/dev/zero of=$HOME/big bs=1M count=3 2>/dev/null' </dev/null 2>/dev/null
cb generations ticker >/dev/null
cb run ticker -- rm big </dev/null 2>/dev/null
pinned=$(cb --json generations ticker | jq '.generations | last.number')
cb pin ticker "$pinned" >/dev/null
for n in $(seq 40); do
	cb run ticker -- sh -c "echo $n >~/count; echo $n >~/only$n" </dev/null 2>/dev/null
	cb generations ticker >/dev/null
done
until cb --json generations ticker | jq -e '.generations | length < 35' >/dev/null; do sleep 0.2; done
list=$(cb --json generations ticker)
is "the newest twenty stay" "$(jq -r '[.generations[] | select(.kind == "run")] | .[-20:] | (last.number - first.number)' <<<"$list")" 19
is "the install stays" "$(jq -r '.generations[0].kind' <<<"$list")" install
is "the pinned one stays" "$(jq -r --argjson n "$pinned" '[.generations[] | select(.number == $n)] | length' <<<"$list")" 1
fails "what is gone is told" 1 "has no generation" cb rollback ticker $((pinned + 2))

is "a file from a state that went is there" "$(cb cat ticker $H/early)" kept
oldest=$(jq -r --argjson n "$pinned" '[.generations[] | select(.number > $n)] | first.number' <<<"$list")
is "and its version is the one of the state that stays" \
	"$(cb --json versions ticker $H/only1 | jq -r '.versions[0].generation')" "$oldest"
is "of a file that changed the newest" \
	"$(cb --json versions ticker $H/count | jq -r --argjson o "$oldest" '[.versions[] | select(.generation <= $o)] | length')" 2
like "a difference over all of it is whole" "$(cb diff ticker 1)" "added    $H/only1"
ok "it goes back to the pinned one" cb rollback ticker "$pinned"
is "as it was" "$(cb run ticker -- sh -c 'cat ~/count; ls ~ | grep -v "^[A-Z]"'  </dev/null | tr '\n' ' ')" "0 count early "
ok "and forth" cb rollback ticker "$oldest"
like "as that was" "$(cb run ticker -- sh -c 'cat ~/early; ls' </dev/null | tr '\n' ' ')" "kept .*only1 "

# Room: of forty runs the layers of about half are gone.
few() { [ "$(find "$R/state/store/layers" -mindepth 1 -maxdepth 1 | wc -l)" -lt 40 ]; }
for _ in $(seq 50); do few && break; sleep 0.1; done
ok "and their layers are deleted" few
