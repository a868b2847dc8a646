#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py BOARD INPUT [shell|tty LINE|-- COMMAND|TEST...]: runs tests on an emulated board, each on
the machine as it was when its state was saved, two machines side by side. What each
test said is kept in build/board/results/BOARD."""

import json
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from guest import Guest, Raw, feed  # noqa: E402
from machine import Machine, save  # noqa: E402

LIMIT = int(os.environ.get('BOARD_TIMEOUT', '900'))  # seconds a test may take
RESULTS = 'build/board/results'


def run(machine, state, disk, line):
    """Runs one line; returns its status and what it printed."""
    late, out = [], b''
    with Guest(machine, state, disk, line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guest:
        killer = threading.Timer(LIMIT, lambda: (late.append(True), guest.process.kill()))
        killer.start()
        for said in guest.process.stdout:
            # A test asks for what only we can see, and waits for one line.
            if said.strip() == b'@@PINS':
                guest.say(f'{machine.read_pins(guest.monitor)}\n'.encode())
            else:
                out += said
        killer.cancel()
        status = guest.status(out)
    if late:
        return 252, out + f'\nnot ok the test ended within {LIMIT} s\n'.encode()
    return status, out


def shell(machine, state, disk, line='shell'):
    """The board's console on this terminal; the status of what runs there."""
    with Guest(machine, state, disk, line) as guest, Raw():
        threading.Thread(target=feed, args=(guest,), daemon=True).start()
        return machine.status(guest.process.wait())


WHY = {252: 'timed out', 253: 'result line and exit status differ', 254: 'no result line'}


def judge(machine, status, out):
    """What a test says of itself, and the skips that this board allows."""
    text = out.decode(errors='replace').replace('\r', '')
    counts = re.findall(r'^(\d+) passed, (\d+) failed, (\d+) skipped$', text, re.M)
    passed, failed, skipped = (int(n) for n in counts[-1]) if counts else (0, 0, 0)
    skips = re.findall(r'^skip (.*)$', text, re.M)
    why = [WHY[status]] if status in WHY else []
    if not counts and not why:
        why = [f'status {status}, and no count']
    for skip in skips:
        lacking = re.search(r'this (?:kernel|machine) lacks (.*)', skip)
        if lacking and any(lacking[1].startswith(h) for h in machine.has()):
            why.append(f'skipped for want of {lacking[1]}, which this board has')
    # Where all of a file is skipped there are the two that every run checks: what was left behind, and the host.
    if status == 0 and (failed or passed == 0):
        why.append('passed nothing')
    return {'passed': passed, 'failed': failed, 'skips': skips, 'why': why, 'bad': bool(status or why)}, text


def keep(machine, test, verdict, text):
    """For the table, and for whoever wants to read all of what a test said."""
    folder = f'{RESULTS}/{machine.name}'
    os.makedirs(folder, exist_ok=True)
    with open(f'{folder}/{test}.out', 'w', encoding='utf-8') as f:
        f.write(text)
    with open(f'{folder}/{test}.new', 'w', encoding='utf-8') as f:
        json.dump(verdict, f)
    os.rename(f'{folder}/{test}.new', f'{folder}/{test}.json')


def tree(machine):
    """What is run: the key of programs, tests and image, and the revision that they are of."""
    with open(f'{machine.folder}/in.key', encoding='utf-8') as f:
        key = f.read().strip()
    said = subprocess.run(['git', 'describe', '--always', '--abbrev=8', '--dirty=+', '--exclude=*'], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
    return {'tree': key, 'revision': said}


def has_passed(machine, test, key):
    """Just this, in an earlier run."""
    try:
        with open(f'{RESULTS}/{machine.name}/{test}.json', encoding='utf-8') as f:
            verdict = json.load(f)
            return not verdict['bad'] and verdict['tree'] == key
    except (OSError, ValueError, KeyError):
        return False


def run_tests(machine, state, disk, tests):
    """All of them; returns the names of those that did not pass."""
    todo, bad, lock, state_of = list(tests), [], threading.Lock(), tree(machine)

    def worker():
        while True:
            with lock:
                if not todo:
                    return
                test = todo.pop(0)
            begin = time.time()
            ask = f'BOARD_CONSOLE=/dev/{machine.get("console")} ' if machine.get('pins') else ''
            status, out = run(machine, state, disk, f'TEST_TIMEOUT={LIMIT - 30} {ask}tests/system/run {test}')
            verdict, text = judge(machine, status, out)
            verdict.update(state_of, seconds=round(time.time() - begin), day=time.strftime('%Y-%m-%d', time.gmtime(begin)))
            with lock:
                keep(machine, test, verdict, text)
                if verdict['bad']:
                    bad.append(test)
                print(f'{machine.name}: {test:14} {verdict["passed"]:3} passed, {verdict["failed"]} failed, '
                      f'{len(verdict["skips"])} skipped, {verdict["seconds"]} s{"".join(": " + w for w in verdict["why"])}',
                      flush=True)
                for line in text.splitlines():
                    if verdict['bad'] and not line.startswith('ok ') or line.startswith('skip '):
                        print(f'    {line}', flush=True)

    workers = [threading.Thread(target=worker) for _ in range(int(os.environ.get('BOARD_GUESTS', '2')))]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    return bad


def main():
    machine, disk, tests = Machine(sys.argv[1]), sys.argv[2], sys.argv[3:]
    state = save(machine)
    if tests == ['shell']:
        return shell(machine, state, disk)
    if tests[:1] == ['tty']:
        return shell(machine, state, disk, ' '.join(tests))
    if tests[:1] == ['--']:
        status, out = run(machine, state, disk, ' '.join(tests[1:]))
        sys.stdout.write(out.decode(errors='replace').replace('\r', ''))
        return status
    started = time.time()
    if os.environ.get('RESUME'):
        key = tree(machine)['tree']
        tests = [t for t in tests if not has_passed(machine, t, key)]
    bad = run_tests(machine, state, disk, tests)
    print(f'{machine.name}: {len(tests) - len(bad)} tests passed, {len(bad)} failed'
          f'{" (" + " ".join(bad) + ")" if bad else ""}, {time.time() - started:.0f} s')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
