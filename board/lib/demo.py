#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""demo.py BOARD INPUT: the demo on a board's serial console. Where somebody sits
at a terminal, it is theirs; else the keys are typed as the bells come, and the
words that must appear are looked for. Either way the pin of the light is read
from outside the machine, and every change of it is told."""

import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from guest import Guest, Raw, feed  # noqa: E402
from machine import Machine, save  # noqa: E402

LIMIT = int(os.environ.get('BOARD_TIMEOUT', '240'))
# What is typed where nobody sits: for a bell with these words, these keys. A bell is deaf for its first second.
KEYS = [(b'wants your contacts', b'\r'), (b'wants the torch', b'a\r'), (b'wants ', b'\r')]
BELL_END = b'Esc: later'
LAST = b'@@EXIT'
MUST = ['board qemu-virt-', 'torch: /sys/class/leds/white:flash', 'flashlight wants your contacts (2 people)',
        'flashlight wants the torch', 'contacts: 0 found', 'the light is on', 'the light is ON', 'the light is OFF',
        'torch +allow', 'torch was allow, and will be asked', 'That was all']


class Pin:
    """Tells of each change of the light's line, until it is stopped."""

    def __init__(self, guest, tell):
        self.guest, self.tell = guest, tell
        self.line = int(guest.machine.get('led').split()[-1])
        self.changes = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        before = False
        while not self.stopped.wait(0.25):
            try:
                said = self.guest.machine.read_pins(self.guest.monitor)
            except OSError: # the emulator has ended
                return
            if not said.startswith('0x'):
                return
            now = bool(int(said, 16) >> self.line & 1)
            if now != before:
                before = now
                self.changes.append(now)
                time.sleep(0.7)  # what the board draws on the same screen goes first
                self.tell(f'\r\n    [seen from outside the machine: GPIO line {self.line} is '
                          f'{"high: the light is ON" if now else "low: the light is OFF"}]\r\n'.encode())


class Typist:
    """Answers each bell once, when the second is over in which it hears nothing. It
    types beside the reader: what the board draws meanwhile is seen at once."""

    def __init__(self, guest):
        self.guest, self.done, self.last, self.free = guest, 0, b'', 0.0

    def read(self, out):
        end = out.find(BELL_END, self.done)
        if end < 0:
            return
        bell, self.done = out[self.done:end], end + len(BELL_END)
        words, keys = next(((w, k) for w, k in KEYS if w in bell), (b'', b''))
        # Drawn anew while keys are pressed, it is the same bell.
        if not words or (words == self.last and time.time() < self.free):
            return
        self.last, self.free = words, time.time() + 1.6 + len(keys) + 1
        threading.Thread(target=self.type, args=(keys,), daemon=True).start()

    def type(self, keys):
        time.sleep(1.6)
        for key in keys:
            self.guest.say(bytes([key]))
            time.sleep(1)  # Enter soon after a letter is typing


def show(guest, person, tell):
    """All that the board draws, to the end; its last line, which is for us, is kept back."""
    out, told, typist = b'', 0, Typist(guest)
    while True:
        data = os.read(guest.process.stdout.fileno(), 4096)
        if not data:
            return out
        out += data
        end = out.find(LAST, told)
        if end < 0: # its beginning may be what came last
            end = len(out) - next((n for n in range(len(LAST), 0, -1) if out.endswith(LAST[:n])), 0)
        tell(out[told:end])
        told = end
        if not person:
            typist.read(out)


def play(machine, disk, person, tell):
    """Runs the demo; its status, and how the light changed."""
    size = os.get_terminal_size() if person else os.terminal_size((80, 24))
    term = re.sub(r'[^a-z0-9-]', '', os.environ.get('TERM', 'linux')) if person else 'linux'
    line = f'tty stty rows {size.lines} cols {size.columns}; TERM={term} tools/board-demo.sh'
    with Guest(machine, save(machine), disk, line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guest:
        pin = Pin(guest, tell)
        pin.thread.start()
        killer = threading.Timer(LIMIT, guest.process.kill)
        try:
            if person:
                threading.Thread(target=feed, args=(guest,), daemon=True).start()
            else:
                killer.start()
            return guest.status(show(guest, person, tell)), pin.changes
        finally:
            killer.cancel()
            pin.stopped.set()
            pin.thread.join()


def judge(status, text, changes):
    """Where nobody looked: what had to be seen."""
    missing = [m for m in MUST if not re.search(m.replace('(', r'\(').replace(')', r'\)'), text)]
    for m in missing:
        print(f'not ok the demo shows: {m}')
    if changes != [True, False, True, False]:
        missing.append('light')
        print(f'not ok the light goes on and off, twice: {changes}')
    print(f'board-demo: status {status}, {len(MUST)} things looked for, {len(missing)} missing, '
          f'the light went {" ".join("on" if c else "off" for c in changes)}')
    return 1 if status or missing else 0


def main():
    lock, told = threading.Lock(), []

    def tell(data):
        with lock:
            told.append(data)
            sys.stdout.buffer.write(data)
            sys.stdout.flush()

    machine, disk = Machine(sys.argv[1]), sys.argv[2]
    if os.isatty(0) and os.isatty(1):
        with Raw():
            return play(machine, disk, True, tell)[0]
    status, changes = play(machine, disk, False, tell)
    return judge(status, re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', b''.join(told).decode(errors='replace')), changes)


sys.exit(main())
