#!/bin/bash
# SPDX-License-Identifier: MIT
# tree.sh BOARD: the emulator's own device tree, and the LEDs that the board's
# folder adds to it on lines of its GPIO controller, in build/board/BOARD/tree.dtb.
set -euo pipefail
cd "$(dirname "$0")/../.."
board=$1
get() { awk -v k="$1" '$1 == k { sub(/^[^ \t]+[ \t]+/, ""); print }' "board/$board/machine"; }
tree=build/board/$board/tree.dtb
[ -n "$(get led)" ] || exit 0
# Memory and processors stand in it: the same words as when it runs.
# shellcheck disable=SC2046
$(get emulator) -smp "${BOARD_CPUS:-1}" -m "$(get memory)" -nodefaults -nographic -machine dumpdtb="$tree.new" 2>/dev/null
controller=$(fdtget -t x "$tree.new" /pl061@9030000 phandle)
fdtput -p -t s "$tree.new" /leds compatible gpio-leds
get led | while read -r name line; do
	node=/leds/led-$line
	fdtput -c "$tree.new" "$node"
	fdtput -t s "$tree.new" "$node" label "$name"
	fdtput -t x "$tree.new" "$node" gpios "$controller" "$(printf %x "$line")" 0
	fdtput -t s "$tree.new" "$node" default-state off
done
mv "$tree.new" "$tree"
