#!/bin/bash
# SPDX-License-Identifier: MIT
# What "make board-console" runs on the board: Cowbell, and its owner's shell on the
# serial console.
set -u
cd "$(dirname "$0")/.."
top=$PWD
base=$(mktemp -d /var/tmp/console.XXXXXX)
chmod 755 "$base"
home=$base/home
mkdir -p "$home/.local/share/contacts"
for who in 'Ada Lovelace' 'Grace Hopper'; do
	printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:%s\r\nEND:VCARD\r\n' "$who" >"$home/.local/share/contacts/${who%% *}.vcf"
done
chown -R 1000:1000 "$home"
mkfifo "$base/ready"
"$top/build/bin/cowbelld" --root "$base/root" --home "$home" --ready-fd 9 9<>"$base/ready" 2>"$base/log" &
daemon=$!
exec 8<>"$base/ready"
read -r -t 120 _ <&8 || { cat "$base/log"; exit 1; }
exec 8>&-
cd "$home" || exit 1
setpriv --reuid 1000 --regid 1000 --clear-groups env -i HOME="$home" TERM="${TERM:-linux}" LANG=C.UTF-8 PS1='owner$ ' \
	PATH="$top/build/bin:/usr/bin:/bin" COWBELL_ROOT="$base/root" bash --norc --noprofile
kill "$daemon" && wait "$daemon"
status=$?
cat "$base/log"
rm -rf "$base"
exit $status
