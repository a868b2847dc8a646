# SPDX-License-Identifier: MIT
# Native bundles: made, signed, checked to the last bit, and bound to their word.

command -v minisign >/dev/null && command -v zstd >/dev/null || { echo "not ok minisign and zstd are there (tools/deps.sh)"; exit 1; }
keys() { minisign -G -W -f -p "$T/$1.pub" -s "$T/$1.key" >/dev/null; }
keys one
keys two
KEY=$(tail -n 1 "$T/one.pub")
author() { # author VERSION [JSON more]
	rm -rf "$T/src" && mkdir -p "$T/src/root/usr/bin"
	jq -n --arg v "$1" '{format: 1, id: "lamp", version: $v, name: "Lamp", summary: "a flashlight", arch: "all",
		commands: ["/usr/bin/lamp"], permissions: [{name: "contacts", reason: "find friends with a lamp"}]} + $ARGS.named.more' \
		--argjson more "${2:-{\}}" >"$T/src/manifest.json"
	printf '#!/bin/sh\necho lamp %s\nls ~/.local/share/contacts | wc -l\nls ~/Documents 2>&1 | grep -c denied\n' "$1" >"$T/src/root/usr/bin/lamp"
	chmod 755 "$T/src/root/usr/bin/lamp"
}
make_bundle() { cb bundle "$T/src" -k "$T/${2:-one}.key" -o "$T/$1.cowbell"; }

author 1.0
ok "a bundle is made" make_bundle lamp1
ok "minisign verifies its signature" sh -c "cd '$T' && rm -rf x && mkdir x && tar -xf lamp1.cowbell -C x && minisign -Vm x/manifest.json -P $KEY"
is "any tar reads it" "$(tar -tf "$T/lamp1.cowbell" | tr '\n' ' ')" "manifest.json manifest.json.minisig payload.tar.zst "
page=$(cb inspect "$T/lamp1.cowbell")
is "inspect says who signed it" "$(grep -cF "signed by $KEY" <<<"$page")" 1
like "and why it wants what" "$page" 'also wants +contacts +"find friends with a lamp"'
fails "an unknown publisher is not taken unasked" 1 "its publisher is not known here: key $KEY (cowbell install --key $KEY accepts it)" cb install "$T/lamp1.cowbell"
fails "nor with another's key" 1 "is not known here" cb install --key "$(tail -n 1 "$T/two.pub")" "$T/lamp1.cowbell"
is "nothing is left of it" "$(cb --json list | jq '.apps | length')" 0
ok "with its key" cb install --key "$KEY" "$T/lamp1.cowbell"
is "it is an app" "$(cb --json info lamp | jq -r '.app | [.id, .version, .title, .main] | join(" ")')" "lamp 1.0 Lamp /usr/bin/lamp"
cb run lamp </dev/null >/dev/null 2>>"$T/notices" &
lamp=$!
is "the bell has its author's word on it" "$(waiting | jq -r .says)" "find friends with a lamp"
answer no >/dev/null
wait $lamp
cb grant lamp contacts empty --for always >/dev/null
is "what was declared can be given, the rest is refused unasked" "$(cb run lamp </dev/null 2>/dev/null | tr '\n' ' ')" "lamp 1.0 0 1 "
like "and says why" "$(cb explain lamp storage)" 'manifest'

author 1.10 '{"permissions": [{"name": "contacts", "reason": "see who is there"}]}'
make_bundle lamp2 >/dev/null
ok "a newer version of the same publisher" cb update lamp "$T/lamp2.cowbell"
cb revoke lamp contacts >/dev/null
cb run lamp </dev/null >/dev/null 2>>"$T/notices" &
lamp=$!
is "says what it says now" "$(waiting | jq -r .says)" "see who is there"
answer empty 1h >/dev/null
wait $lamp
is "runs with the old answers" "$(cb run lamp </dev/null 2>/dev/null | tr '\n' ' ')" "lamp 1.10 0 1 "
fails "an older one is refused" 1 "version 1.0 is older than 1.10 (--force" cb update lamp "$T/lamp1.cowbell"
ok "unless it is forced" cb update --force lamp "$T/lamp1.cowbell"
author 2
make_bundle stolen two >/dev/null
fails "another key is refused" 1 "was signed with another key until now" cb update lamp "$T/stolen.cowbell"
fails "also by force" 1 "was signed with another key until now" cb update --force lamp "$T/stolen.cowbell"
is "the app is as it was" "$(cb run lamp </dev/null 2>/dev/null | head -n 1)" "lamp 1.0"
cb --yes uninstall lamp >/dev/null
mkdir -p "$R/etc/publishers.d"
cp "$T/one.pub" "$R/etc/publishers.d/acme.pub"
chmod 644 "$R/etc/publishers.d/acme.pub"
ok "a publisher that the admin trusts is not asked about" cb install "$T/lamp1.cowbell"
cb --yes uninstall lamp >/dev/null
chmod 666 "$R/etc/publishers.d/acme.pub"
fails "a key that anybody could have put there is none" 1 "is not known here" cb install "$T/lamp1.cowbell"
chmod 644 "$R/etc/publishers.d/acme.pub"

# A flipped bit anywhere, a cut anywhere: refused before anything of it runs.
python3 - "$T/lamp1.cowbell" "$T" >"$T/spots" <<'P'
import sys
data = open(sys.argv[1], 'rb').read()
spots = sorted(set(list(range(0, len(data), 61)) + list(range(100, 160)) + list(range(len(data) - 1100, len(data), 137))))
for n, at in enumerate(spots):
    bad = bytearray(data)
    bad[at] ^= 1 << (n % 8)
    open(f'{sys.argv[2]}/flip.{at}.cowbell', 'wb').write(bad)
for at in range(0, len(data), max(1, len(data) // 40)):
    open(f'{sys.argv[2]}/cut.{at}.cowbell', 'wb').write(data[:at])
open(f'{sys.argv[2]}/more.0.cowbell', 'wb').write(data + b'\0')
P
passed=0 let_in=
for f in "$T"/flip.*.cowbell "$T"/cut.*.cowbell "$T"/more.*.cowbell; do
	if cb inspect "$f" >"$T/one.out" 2>&1; then let_in="$let_in ${f##*/}"; else passed=$((passed + 1)); fi
done
is "no flipped, cut or longer bundle is taken ($passed tried)" "$let_in" ""
f=$(ls "$T"/flip.*.cowbell | tail -n 1)
cb install "$f" >"$T/one.out" 2>&1
is "nor installed" "$(cb --json list | jq '.apps | length')" 0

# Payloads that a good publisher signed, and should not have.
author 3
ln -s /etc/shadow "$T/src/root/usr/bin/link"
ok "a link is a link" make_bundle odd
mkfifo "$T/src/root/usr/bin/pipe"
make_bundle odd >/dev/null
fails "a pipe" 1 "a device or a pipe" cb install "$T/odd.cowbell"
rm "$T/src/root/usr/bin/pipe"
chmod 4755 "$T/src/root/usr/bin/lamp"
make_bundle odd >/dev/null
fails "a set-id program" 1 "a set-id or sticky file" cb install "$T/odd.cowbell"
author 3
mkdir -p "$T/src/root/var/lib/dpkg" && echo x >"$T/src/root/var/lib/dpkg/status"
make_bundle odd >/dev/null
fails "a file where none may be" 1 "not below /usr, /opt or /etc" cb install "$T/odd.cowbell"
for row in '{"id": "../x"}|app name' '{"id": "."}|app name' '{"id": ""}|is missing' '{"id": "l\u0430mp"}|app name' \
	"{\"id\": \"$(printf 'n%.0s' $(seq 300))\"}|is too long" '{"version": "1.0\n"}|cannot be shown' '{"id": "LAMP"}|app name' '{"surprise": 1}|is not known' '{"commands": []}|is missing, empty' \
	'{"commands": ["relative"]}|not absolute' '{"main": "/usr/bin/other"}|none of its commands' '{"version": "1 0"}|has a blank' \
	'{"format": 2}|another version of Cowbell' '{"permissions": [{"name": "contacts"}]}|reason' '{"limits": {"memory": -1}}|out of its bounds' \
	'{"payload": {}}|is written by cowbell bundle' '{"name": "\u001b[2J"}|cannot be shown'; do
	author 3 "${row%%|*}"
	fails "a manifest with ${row%%|*}" 1 "${row##*|}" make_bundle bad
done
author 3
printf '{"format": 1, "format": 1}' >"$T/src/manifest.json"
fails "a key twice" 1 "duplicate" make_bundle bad
for a in $(cb --json list | jq -r '.apps[].id'); do cb --yes uninstall "$a" >/dev/null; done
is "uninstalling all leaves an empty store" "$(find "$R/state/store" -mindepth 2 | wc -l)" 0
