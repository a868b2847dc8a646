#!/bin/bash
# SPDX-License-Identifier: MIT
# table.sh: every system test on every emulated board; docs/boards.md gets the
# table. The status is 0 if all passed everywhere.
set -uo pipefail
cd "$(dirname "$0")/../.."
boards=${BOARDS:-$(cd board && ls -d qemu-*/machine | sed 's,/machine,,')}
bad=0
mkdir -p build/board
for b in $boards; do
	board/run-tests "$b" 2>&1 | tee "build/board/$b.log" | grep -E "^$b|^    (not ok|skip)"
	[ "${PIPESTATUS[0]}" = 0 ] || bad=1
done
python3 board/lib/table.py $boards >docs/boards.md
exit $bad
