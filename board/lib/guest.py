# SPDX-License-Identifier: MIT
"""One run of an emulated board: it goes on from its saved state, with one line to do."""

import os
import select
import shutil
import subprocess
import tempfile
import time

from machine import Monitor, result


class Guest:
    """A machine of its own, as it was saved; its disk and its monitor go with it."""

    def __init__(self, machine, state, disk, line, **streams):
        self.machine, self.monitor = machine, Monitor()
        self.folder = tempfile.TemporaryDirectory(prefix='guest.', dir=machine.folder)
        root = f'{self.folder.name}/root.qcow2'
        shutil.copyfile(state, root)
        # The saved disk names what it stands on by a relative path.
        subprocess.run(['qemu-img', 'rebase', '-u', '-b', os.path.abspath(f'{machine.folder}/root.img'), '-F', 'raw',
                        root], check=True)
        self.process = subprocess.Popen(machine.command(root, disk) + ['-loadvm', 'ready', *self.monitor.option()],
                                        stdin=subprocess.PIPE, **streams)
        self.say(f'{int(time.time())} {line}\n'.encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def say(self, data):
        """On the board's serial console. One that has ended says so by its status."""
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except OSError:
            pass

    def status(self, output):
        """Waits for the end; what the guest's last line and the emulator say together."""
        return result(self.machine, output, self.process.wait())


class Raw:
    """The terminal that we are on gives every key to the board, while this lasts."""

    def __enter__(self):
        subprocess.run(['stty', 'raw', '-echo'], check=False)

    def __exit__(self, *_):
        subprocess.run(['stty', 'sane'], check=False)


def feed(guest):
    """Keys of whoever sits here go to the board, until either ends. The emulator may have made the
    terminal that we share non-blocking."""
    try:
        while guest.process.poll() is None:
            try:
                if not select.select([0], [], [], 1)[0]:
                    continue
                data = os.read(0, 4096)
            except BlockingIOError:
                continue
            if not data:
                break
            guest.say(data)
    except OSError:
        pass
