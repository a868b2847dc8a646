#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py BOARD...: what build/board/BOARD.log says of each test, as a table."""

import re
import sys

boards = sys.argv[1:]
cells, skips, names, last = {}, [], [], {}
for board in boards:
    with open(f'build/board/{board}.log', encoding='utf-8', errors='replace') as f:
        for line in f:
            m = re.match(rf'{board}: (\S+) +(\d+) passed, (\d+) failed, (\d+) skipped, (\d+) s(.*)', line)
            if m:
                test = m[1]
                names.append(test)
                state = f'{m[2]}' if m[3] == '0' and not m[6] else f'**{m[3]} failed** of {int(m[2]) + int(m[3])}'
                cells[test, board] = state + (f', {m[4]} skipped' if m[4] != '0' else '') + f' ({m[5]} s)'
            m = re.match(r'    skip (.*)', line)
            if m:
                skips.append((board, m[1]))
            m = re.match(rf'{board}: (\d+ tests passed.*)', line)
            if m:
                last[board] = m[1]
print('# The system tests on emulated boards\n')
print('Written by `make board-check-all`: checks that passed, and seconds. A machine that does other work besides')
print('takes longer. Kernels and packages are those that `tools/pins` names.\n')
print('| test | ' + ' | '.join(boards) + ' |')
print('|---' * (len(boards) + 1) + '|')
for test in sorted(set(names)):
    print(f'| {test} | ' + ' | '.join(cells.get((test, b), '') for b in boards) + ' |')
print('| all | ' + ' | '.join(last.get(b, 'did not run') for b in boards) + ' |')
print('\nSkipped, and why:\n' if skips else '\nNothing was skipped.')
for board, skip in skips:
    print(f'- {board}: {skip}')
