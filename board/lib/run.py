#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py BOARD INPUT [shell|-- COMMAND|TEST...]: runs tests on an emulated board, each on
the machine as it was when its state was saved, two machines side by side."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from machine import Machine, Monitor, result, save  # noqa: E402

LIMIT = int(os.environ.get('BOARD_TIMEOUT', '600'))  # seconds a test may take


def start(machine, state, disk, folder, more=(), **streams):
    """A machine of its own, as it was saved."""
    root = f'{folder}/root.qcow2'
    shutil.copyfile(state, root)
    # The saved disk names what it stands on by a relative path.
    subprocess.run(['qemu-img', 'rebase', '-u', '-b', os.path.abspath(f'{machine.folder}/root.img'), '-F', 'raw', root],
                   check=True)
    return subprocess.Popen(machine.command(root, disk) + ['-loadvm', 'ready', *more], **streams)


def run(machine, state, disk, line):
    """Runs one line; returns its status and what it printed."""
    with tempfile.TemporaryDirectory(prefix='guest.', dir=machine.folder) as folder:
        monitor, late, out = Monitor(), [], b''
        p = start(machine, state, disk, folder, monitor.option(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                  stderr=subprocess.STDOUT)
        killer = threading.Timer(LIMIT, lambda: (late.append(True), p.kill()))
        killer.start()
        p.stdin.write(f'{int(time.time())} {line}\n'.encode())
        p.stdin.flush()
        for said in p.stdout:
            # A test asks for what only we can see, and waits for one line.
            if said.strip() == b'@@PINS':
                p.stdin.write(f'{machine.read_pins(monitor)}\n'.encode())
                p.stdin.flush()
            else:
                out += said
        p.wait()
        killer.cancel()
        if late:
            return 252, out + f'\nnot ok the test ended within {LIMIT} s\n'.encode()
        return result(machine, out, p.returncode), out


def shell(machine, state, disk):
    with tempfile.TemporaryDirectory(prefix='guest.', dir=machine.folder) as folder:
        p = start(machine, state, disk, folder, stdin=subprocess.PIPE)
        p.stdin.write(f'{int(time.time())} shell\n'.encode())
        p.stdin.flush()
        subprocess.run(['stty', 'raw', '-echo'], check=False)
        try:
            while p.poll() is None:
                data = os.read(0, 4096)
                if not data:
                    break
                p.stdin.write(data)
                p.stdin.flush()
        except OSError:
            pass
        finally:
            subprocess.run(['stty', 'sane'], check=False)
        return machine.status(p.wait())


WHY = {252: 'timed out', 253: 'result line and exit status differ', 254: 'no result line'}


def judge(machine, status, out):
    """What a test says of itself, and the skips that this board allows."""
    text = out.decode(errors='replace').replace('\r', '')
    counts = re.findall(r'^(\d+) passed, (\d+) failed, (\d+) skipped$', text, re.M)
    passed, failed, skipped = (int(n) for n in counts[-1]) if counts else (0, 0, 0)
    why = [WHY[status]] if status in WHY else []
    if not counts and not why:
        why = [f'status {status}, and no count']
    for lacking in re.findall(r'^skip .*: this kernel lacks (.*)$', text, re.M):
        if any(lacking.startswith(h) for h in machine.has()):
            why.append(f'skipped for want of {lacking}, which this board has')
    if status == 0 and (failed or passed == 0):
        why.append('passed nothing')
    return passed, failed, skipped, why, text


def main():
    machine, disk, tests = Machine(sys.argv[1]), sys.argv[2], sys.argv[3:]
    state = save(machine)
    if tests == ['shell']:
        return shell(machine, state, disk)
    if tests[:1] == ['--']:
        status, out = run(machine, state, disk, ' '.join(tests[1:]))
        sys.stdout.write(out.decode(errors='replace').replace('\r', ''))
        return status
    todo = list(tests)
    lock = threading.Lock()
    results = {}
    started = time.time()

    def worker():
        while True:
            with lock:
                if not todo:
                    return
                test = todo.pop(0)
            begin = time.time()
            ask = f'BOARD_CONSOLE=/dev/{machine.get("console")} ' if machine.get('pins') else ''
            status, out = run(machine, state, disk, f'{ask}tests/system/run {test}')
            passed, failed, skipped, why, text = judge(machine, status, out)
            bad = status != 0 or why
            with lock:
                results[test] = (passed, failed, skipped, bad)
                print(f'{machine.name}: {test:14} {passed:3} passed, {failed} failed, {skipped} skipped, '
                      f'{time.time() - begin:.0f} s{"".join(": " + w for w in why)}', flush=True)
                for line in text.splitlines():
                    if bad and not line.startswith('ok ') or line.startswith('skip '):
                        print(f'    {line}', flush=True)

    workers = [threading.Thread(target=worker) for _ in range(int(os.environ.get('BOARD_GUESTS', '2')))]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    bad = [t for t in tests if results[t][3]]
    print(f'{machine.name}: {len(tests) - len(bad)} tests passed, {len(bad)} failed'
          f'{" (" + " ".join(bad) + ")" if bad else ""}, {time.time() - started:.0f} s')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
