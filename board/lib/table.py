#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py BOARD...: what build/board/results keeps of each test, as a table."""

import glob
import json
import os
import re
import subprocess
import sys

RESULTS = 'build/board/results'


def result(board, test):
    try:
        with open(f'{RESULTS}/{board}/{test}.json', encoding='utf-8') as f:
            return json.load(f)
    except OSError:
        return None


def current(board):
    """The key of what the board was given last."""
    try:
        with open(f'build/board/{board}/in.key', encoding='utf-8') as f:
            return f.read().strip()
    except OSError:
        return None


def cell(r, key):
    if r is None:
        return 'not run'
    bad = f'**{r["failed"]} failed**, ' if r['failed'] else '**failed**, ' if r['bad'] else ''
    skipped = f', {len(r["skips"])} skipped' if r['skips'] else ''
    return f'{bad}{r["passed"]}{skipped} ({r["seconds"]} s)' + ('' if r.get('tree') == key else ' °')


def total(results):
    ran = [r for r in results if r]
    bad = sum(1 for r in ran if r['bad'])
    days = sorted({r['day'] for r in ran})
    states = sorted({r.get('revision') or 'unknown' for r in ran})
    return f'{len(ran)} of {len(results)} files, {bad} bad, {sum(r["passed"] for r in ran)} checks' + (
        f', {days[0]}, of {" ".join(states)}' if days else '')


def kernel(board):
    """What the board itself said it runs."""
    for name in glob.glob(f'{RESULTS}/{board}/*.out'):
        with open(name, encoding='utf-8') as f:
            m = re.search(r'^kernel (\S+)', f.read(), re.M)
        if m:
            return m[1]
    with open(f'board/{board}/machine', encoding='utf-8') as f:
        return re.search(r'^kernel +(\S+)', f.read(), re.M)[1]


def main():
    boards = sys.argv[1:]
    tests = sorted(os.path.basename(f)[2:-3] for f in glob.glob('tests/system/t_*.sh')
                   if '\n# large\n' not in open(f).read())
    table = {b: [result(b, t) for t in tests] for b in boards}
    keys = {b: current(b) for b in boards}
    emulator = subprocess.run(['qemu-system-aarch64', '--version'], stdout=subprocess.PIPE, text=True, check=True).stdout
    print('# The system tests on emulated boards\n')
    print('Written by `make board-check-all`, from what each file of tests said when it last ran there: checks that')
    print('passed, and seconds, which are longer on a machine that does other work besides. What a file that is run')
    print('natively checks is the same; `make check` runs those marked `# board` on `qemu-virt-arm64`. The last')
    print('line names the revisions that the board was given (+: with changes that came in later); ° marks what ran with')
    print('an earlier one than the rest.\n')
    print(f'Emulator: {emulator.splitlines()[0]}. Kernels: ' + ', '.join(f'{b} {kernel(b)}' for b in boards) + '.\n')
    print('| test | ' + ' | '.join(boards) + ' |')
    print('|---' * (len(boards) + 1) + '|')
    for i, test in enumerate(tests):
        print(f'| {test} | ' + ' | '.join(cell(table[b][i], keys[b]) for b in boards) + ' |')
    print('| all | ' + ' | '.join(total(table[b]) for b in boards) + ' |')
    notes = [f'{b}, {t}: {s}' for b in boards for t, r in zip(tests, table[b]) if r for s in r['skips']]
    notes += [f'{b}, {t}: {w}' for b in boards for t, r in zip(tests, table[b]) if r for w in r['why']]
    print('\nSkipped, and why:\n' if notes else '\nNothing was skipped.')
    for note in notes:
        print(f'- {note}')


main()
