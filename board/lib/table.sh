#!/bin/bash
# SPDX-License-Identifier: MIT
# table.sh: every system test on every emulated board; docs/boards.md gets the
# table. The status is 0 if all passed everywhere. BOARDS="NAME..." for some;
# RESUME=1 goes on where a run was interrupted: it leaves out what has passed with
# just these programs, tests and images.
set -uo pipefail
cd "$(dirname "$0")/../.."
all=$(cd board && ls -d qemu-*/machine | sed 's,/machine,,')
bad=0
for b in ${BOARDS:-$all}; do
	board/run-tests "$b" || bad=1
done
# shellcheck disable=SC2086
python3 board/lib/table.py $all >docs/boards.md.new && mv docs/boards.md.new docs/boards.md
exit $bad
