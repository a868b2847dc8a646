# SPDX-License-Identifier: MIT
"""An emulated board: what its folder says, and the emulator that is told so."""

import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time


class Machine:
    """Keys of board/NAME/machine; a key that stands several times is a list."""

    def __init__(self, name):
        self.name = name
        self.keys = {}
        with open(f'board/{name}/machine', encoding='utf-8') as f:
            for line in f:
                line = line.split('#')[0].strip()
                if line:
                    key, _, value = line.partition(' ')
                    self.keys.setdefault(key, []).append(value.strip())
        self.folder = f'build/board/{name}'

    def get(self, key, default=''):
        return self.keys.get(key, [default])[-1]

    def has(self):
        return self.keys.get('has', [])

    def kvm(self):
        """KVM runs the machine's own CPU only, and only where it is there and has not failed."""
        if self.get('arch') != subprocess.run(['dpkg', '--print-architecture'], stdout=subprocess.PIPE, text=True,
                                              check=True).stdout.strip() or os.environ.get('NO_KVM'):
            return False
        try:
            with open(f'{self.folder}/no-kvm', encoding='utf-8') as f:
                if f.read() == self.host():
                    return False
        except OSError:
            pass
        try:
            os.close(os.open('/dev/kvm', os.O_RDWR))
            return True
        except OSError:
            return False

    def version(self):
        return subprocess.run([self.get('emulator').split()[0], '--version'], stdout=subprocess.PIPE, text=True,
                              check=True).stdout

    def host(self):
        """What decides whether KVM works here."""
        return f'{os.uname().release} {self.version()}'

    def without_kvm(self, why):
        """From now on, as long as kernel and emulator are these, it is emulated."""
        print(f'{self.name}: KVM does not boot it on this machine ({why}): emulated instead, which is slow', flush=True)
        with open(f'{self.folder}/no-kvm', 'w', encoding='utf-8') as f:
            f.write(self.host())

    def command(self, root, disk, flags=None):
        """The emulator's command line. Mitigations and random addresses cost emulation more than half its speed."""
        if flags is None:
            off = 'mitigations=off' if self.get('arch') == 'amd64' else 'kpti=off'
            flags = os.environ.get('BOARD_FLAGS', f'{off} nokaslr norandmaps')
        append = (f'console={self.get("console")} quiet panic=-1 rw {flags} '
                  f'board.modules={self.get("load").replace(" ", ",")}')
        accel = ['-accel', 'kvm', '-cpu', 'host,arch-capabilities=off'] if self.kvm() else ['-accel', 'tcg,thread=multi']
        if self.get('arch') == 'amd64':
            end = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04']
        else:
            end = ['-semihosting-config', 'enable=on,target=native,userspace=on']
        return [*self.get('emulator').split(), *accel, '-smp', os.environ.get('BOARD_CPUS', '1'),
                '-m', self.get('memory'), '-nodefaults', '-nographic', '-no-reboot', '-serial', 'stdio', *end,
                '-kernel', f'{self.folder}/kernel', '-initrd', f'{self.folder}/initrd', '-append', append,
                *(['-dtb', f'{self.folder}/tree.dtb'] if self.get('led') else []),
                '-drive', f'if=none,id=root,file={root},format=qcow2,cache=unsafe',
                '-device', 'virtio-blk-pci,drive=root',
                '-drive', f'if=none,id=in,file={disk},format=raw,readonly=on',
                '-device', 'virtio-blk-pci,drive=in']

    def read_pins(self, monitor):
        """The lines of the GPIO controller as the emulator drives them: no word of the guest's."""
        said = monitor.human(f'xp /1wx {self.get("pins")}')
        return said.split()[-1] if ': 0x' in said else f'error: {said}'

    def status(self, code):
        """What the guest ended with, of the emulator's own status."""
        if self.get('arch') == 'amd64':
            return code >> 1 if code & 1 else 255
        return code


class Monitor:
    """The emulator's monitor, on a socket in a folder of its own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='board.')
        self.path = f'{self.folder.name}/qmp'
        self.file = None

    def option(self):
        return ['-qmp', f'unix:{self.path},server=on,wait=off']

    def call(self, command, **arguments):
        if self.file is None:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(60)
            for _ in range(100):
                try:
                    s.connect(self.path)
                    break
                except OSError:
                    time.sleep(0.05)
            self.file = s.makefile('rw')
            self.file.readline()
            self.call('qmp_capabilities')
        self.file.write(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                return {'error': 'the emulator ended'}
            answer = json.loads(line)
            if 'return' in answer or 'error' in answer:
                return answer

    def human(self, line):
        return self.call('human-monitor-command', **{'command-line': line}).get('return', '').strip()


class NoBoot(Exception):
    """A board did not come to wait for its line; what it said."""


def boot(machine, disk, limit):
    """Boots with this new disk, and keeps in it the state in which the guest waits for its line."""
    subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'root.img', '-F', 'raw', disk], check=True)
    monitor = Monitor()
    empty = f'{machine.folder}/empty'
    blank(empty)
    p = subprocess.Popen(machine.command(disk, empty) + monitor.option(), stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    late = []
    killer = threading.Timer(limit, lambda: (late.append(True), p.kill()))
    killer.start()
    seen = b''
    try:
        for line in p.stdout:
            seen += line
            if b'@@READY' in line:
                break
        else:
            said = seen.decode(errors='replace')
            raise NoBoot(f'{said}\nnot ready after {limit} s' if late else said)
        said = monitor.human('savevm ready')
        if said:
            raise NoBoot(f'its state cannot be saved: {said}')
        monitor.call('quit')
        p.wait()
    finally:
        killer.cancel()
        p.kill()
        p.wait()


def save(machine):
    """The disk with the saved state: boots once, under KVM where that works, which shows within a minute."""
    disk = f'{machine.folder}/state.qcow2'

    def key():
        with open(f'{machine.folder}/image.key', encoding='utf-8') as f:
            return f.read() + machine.version() + ' '.join(machine.command('ROOT', 'IN'))

    try:
        with open(f'{disk}.key', encoding='utf-8') as f:
            if f.read() == key():
                return disk
    except OSError:
        pass
    print(f'  BOOT   {machine.name}', flush=True)
    try:
        if machine.kvm():
            try:
                boot(machine, disk, 60)
            except NoBoot as said:
                machine.without_kvm(str(said).strip().splitlines()[-1])
        if not machine.kvm():
            boot(machine, disk, 300)
    except NoBoot as said:
        raise SystemExit(f'board {machine.name} does not boot:\n{said}') from None
    with open(f'{disk}.key', 'w', encoding='utf-8') as f:
        f.write(key())
    return disk


INPUT_SIZE = 256 << 20  # of the disk that files come in on: a saved state knows its size


def blank(path):
    with open(path, 'wb') as f:
        f.truncate(INPUT_SIZE)


RESULT = re.compile(rb'^@@EXIT (\d+)\r?$', re.M)


def result(machine, output, code):
    """0 only if the guest's last line and the emulator's own status both say so."""
    lines = RESULT.findall(output)
    if not lines:
        return 254
    said, ended = int(lines[-1]), machine.status(code)
    return said if said == ended else 253
