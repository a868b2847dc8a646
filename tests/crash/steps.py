#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a power cut may find under way, and what must stand afterwards.

steps.py work DISK [FROM]       does step after step, and says each one done
steps.py verify DISK:FROM ...   after a cut: FROM is the last step that was said

Runs on a board of its own, as root: DISK is a whole, empty or cut disk. The state
after step N follows from N alone, so a disk is right only if it shows that of the
last step that was said done, or of the one after it, whole.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

BIN = os.environ.get('BIN', 'build/bin')
HOME = '/srv/owner'
FOLDERS = ['Documents', 'Pictures', 'Music', 'Videos']
ANSWERS = ['read', 'no', 'empty', 'write']
# An app from packages and one from a signed bundle ('lamp'), which comes, is replaced, and
# goes; the system below both changes, and they are installed anew.
CYCLE = ['run', 'grant', 'bundle', 'run', 'update', 'rebuild', 'reset', 'grant', 'run', 'bundle',
         'grant', 'remove', 'run', 'grant', 'update', 'run', 'reset']
STATUS = '/var/lib/dpkg/status'


def say(*words):
    print(*words, flush=True)


def expected(step):
    """What the disk shows after a step: the answers, the counter (None: the file is not there), the
    version of the app, and that of the bundle's (None: it is not there)."""
    answers, counter, grants, version, lamp = {}, None, 0, 0, None
    for n in range(1, step + 1):
        kind = kind_of(n)
        if kind == 'grant':
            answers[FOLDERS[grants % len(FOLDERS)]] = ANSWERS[grants // len(FOLDERS) % len(ANSWERS)]
            grants += 1
        elif kind == 'run':
            counter = n
        elif kind == 'update':
            version = n
        elif kind == 'reset':
            counter = None
        elif kind in ('bundle', 'remove'):
            lamp = n if kind == 'bundle' else None
    return answers, counter, version, lamp


def kind_of(step):
    return CYCLE[(step - 1) % len(CYCLE)]


def set_base(step):
    """The system is another one with each rebuild: by the time of its package database."""
    changes = sum(kind_of(n) == 'rebuild' for n in range(1, step + 1))
    os.utime(STATUS, (1700000000 + changes, 1700000000 + changes))


class Device:
    """A Cowbell whose root lies on the disk."""

    def __init__(self, disk, place):
        self.place, self.root = place, f'{place}/cow'
        os.makedirs(place, exist_ok=True)
        if subprocess.run(['mount', '-t', 'ext4', disk, place], check=False).returncode:
            said = subprocess.run(['dmesg'], stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()
            raise SystemError(f'{disk} cannot be mounted: ' + '; '.join(line for line in said if os.path.basename(disk) in line))
        self.ready, ready = os.pipe()
        os.set_inheritable(ready, True)
        self.daemon = subprocess.Popen([f'{BIN}/cowbelld', '--root', self.root, '--user', '1000', '--home', HOME,
                                        '--ready-fd', str(ready)], close_fds=False, stderr=subprocess.PIPE)
        os.close(ready)
        if not os.read(self.ready, 64):
            raise SystemError(self.daemon.communicate()[1].decode(errors='replace').strip() or 'cowbelld ended')

    def cowbell(self, *words, check=True):
        done = subprocess.run([f'{BIN}/cowbell', '--root', self.root, *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if check and done.returncode:
            raise SystemError(f'{" ".join(words)}: {done.stderr.decode(errors="replace").strip()}')
        return done.stdout.decode(errors='replace')

    def json(self, *words):
        return json.loads(self.cowbell('--json', *words))

    def end(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.communicate(timeout=30)
        os.close(self.ready)
        subprocess.run(['umount', self.place], check=True)


def package(version):
    """A package whose program says which version it is of."""
    os.makedirs('/run/deb/DEBIAN', exist_ok=True)
    os.makedirs('/run/deb/usr/bin', exist_ok=True)
    with open('/run/deb/DEBIAN/control', 'w', encoding='utf-8') as f:
        f.write(f'Package: app\nVersion: {version}\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n')
    with open('/run/deb/usr/bin/app', 'w', encoding='utf-8') as f:
        f.write(f'#!/bin/sh\necho version {version}\n')
    os.chmod('/run/deb/usr/bin/app', 0o755)
    subprocess.run(['dpkg-deb', '-Znone', '--root-owner-group', '-b', '/run/deb', '/run/app.deb'], stdout=subprocess.DEVNULL,
                   check=True)
    return '/run/app.deb'


def make_key(place):
    """It has to outlive the machine: the next version is taken from the same publisher alone."""
    if not os.path.exists(f'{place}/own.pub'):
        subprocess.run(['minisign', '-G', '-W', '-p', f'{place}/own.pub', '-s', f'{place}/own.key'], stdout=subprocess.DEVNULL,
                       check=True)
        os.sync()


def bundle(device, version):
    """A bundle whose program says which version it is of, and the publisher's key."""
    os.makedirs('/run/lamp/root/usr/bin', exist_ok=True)
    with open('/run/lamp/manifest.json', 'w', encoding='utf-8') as f:
        json.dump({'format': 1, 'id': 'lamp', 'version': str(version), 'name': 'Lamp', 'arch': 'all',
                   'commands': ['/usr/bin/lamp']}, f)
    with open('/run/lamp/root/usr/bin/lamp', 'w', encoding='utf-8') as f:
        f.write(f'#!/bin/sh\necho version {version}\n')
    os.chmod('/run/lamp/root/usr/bin/lamp', 0o755)
    device.cowbell('bundle', '/run/lamp', '-k', f'{device.place}/own.key', '-o', '/run/lamp.cowbell')
    with open(f'{device.place}/own.pub', encoding='utf-8') as f:
        return f.read().split()[-1]


def install(device):
    device.cowbell('install', package(0))


def do(device, step):
    kind = kind_of(step)
    if kind == 'grant':
        before, after = expected(step - 1)[0], expected(step)[0]
        folder = next(f for f in FOLDERS if after.get(f) != before.get(f))
        device.cowbell('grant', 'app', f'storage:{folder}', after[folder], '--for', 'always')
    elif kind == 'run':
        # The size makes a torn file likely, were it not synced; the name makes room in the tables.
        device.cowbell('shell', 'app', '-c', f'cd; echo {step} >counter; seq {step} {step + 4000} >large; : >seen{step}')
        device.json('generations', 'app')  # waits until what it changed is a generation
    elif kind == 'update':
        device.cowbell('update', 'app', package(step))
    elif kind == 'bundle' and expected(step - 1)[3] is None:
        device.cowbell('install', '--key', bundle(device, step), '/run/lamp.cowbell')
    elif kind == 'bundle':
        bundle(device, step)
        device.cowbell('update', 'lamp', '/run/lamp.cowbell')
    elif kind == 'remove':
        device.cowbell('--yes', 'uninstall', 'lamp')
    elif kind == 'rebuild':
        set_base(step)
        device.cowbell('rebuild')
    else:
        device.cowbell('--yes', 'reset', 'app')


def find(device):
    """What the disk shows, as expected() has it."""
    answers, apps = {}, {app['id']: app for app in device.json('list')['apps']}
    for p in device.json('permissions', 'app')['permissions']:
        folder = p['permission'].partition(':')[2]
        if folder in FOLDERS and p['answer'] != 'ask' and p['for'] == 'always':
            answers[folder] = p['answer']
    text = device.cowbell('cat', 'app', f'{HOME}/counter', check=False).strip()
    return (answers, int(text) if text else None, int(apps['app']['version']),
            int(apps['lamp']['version']) if 'lamp' in apps else None)


def check_versions(device, counter):
    """The newest version of each file is what its record says."""
    versions = {v['path']: v for v in device.json('versions', 'app')['versions']}
    for name in ('counter', 'large') if counter else ():
        v = versions.get(f'{HOME}/{name}'.lstrip('/')) or versions.get(f'{HOME}/{name}')
        if not v:
            return f'no version of {name}'
        data = subprocess.run([f'{BIN}/cowbell', '--root', device.root, 'cat', 'app', f'{HOME}/{name}'],
                              stdout=subprocess.PIPE, check=True).stdout
        if hashlib.blake2b(data, digest_size=32).hexdigest() != v['hash']:
            return f'{name} is not what its version says'
    return ''


def says(device, app, version):
    """Whether the app runs, and is of that version."""
    return device.cowbell('run', app, check=False).split()[-2:] == ['version', str(version)]


def check(device, said):
    """'' and the step that the disk stands at, or what is wrong."""
    for _ in range(200):  # what was being removed goes on going, while others may run
        apps = device.json('list')['apps']
        if not any(app['state'] == 'removing' for app in apps):
            break
        time.sleep(0.1)
    if not apps:
        return ('', -1) if said < 0 else ('the app is lost', -1)
    for app in apps:
        if app['state'] != 'ready':
            return f'{app["id"]} is {app["state"]}', -1
    # An app that was not installed anew yet is, by the next attempt.
    if kind_of(max(said, 0) + 1) == 'rebuild':
        device.cowbell('rebuild')
    old = [app['id'] for app in device.json('list')['apps'] if app['old_base']]
    found = find(device)
    steps = [n for n in (max(said, 0), max(said, 0) + 1) if expected(n) == found]
    if not steps:
        return f'step {said} was said, and the disk shows {found}', -1
    wrong = check_versions(device, found[1])
    if not wrong and old:
        wrong = f'{", ".join(old)} stands on an old base'
    if not wrong and not says(device, 'app', found[2]):
        wrong = 'the app does not run, or is another version'
    if not wrong and found[3] is not None and not says(device, 'lamp', found[3]):
        wrong = 'the bundle does not run, or is another version'
    return wrong, steps[-1]


def verify(disk, said):
    set_base(max(said, 0) + 1)
    try:
        device = Device(disk, f'/run/{os.path.basename(disk)}')
    except (SystemError, subprocess.CalledProcessError) as e:
        return str(e), -1
    try:
        return check(device, said)
    except (SystemError, ValueError, KeyError) as e:
        return str(e), -1
    finally:
        device.end()


def prepare():
    for folder in FOLDERS:
        os.makedirs(f'{HOME}/{folder}', exist_ok=True)
    subprocess.run(['chown', '-R', '1000:1000', HOME], check=True)
    os.chdir('/srv/cowbell')


def work(disk, said):
    set_base(0 if said is None else max(said, 0) + 1)
    device = Device(disk, '/run/work')
    step = 0
    make_key(device.place)
    if said is None:
        say('@@BEGIN')
        install(device)
    else:
        wrong, step = check(device, said)
        if wrong:
            say('@@BAD', wrong)
            return 1
        if step < 0:
            install(device)
            step = 0
    say('@@DONE', step)
    while True:
        step += 1
        do(device, step)
        say('@@DONE', step)


def main():
    prepare()
    if sys.argv[1] == 'work':
        return work(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None)
    bad = 0
    for word in sys.argv[2:]:
        disk, _, said = word.partition(':')
        start = time.monotonic()
        wrong, step = verify(disk, int(said))
        bad += wrong != ''
        say('@@DISK', disk, 'BAD' if wrong else 'GOOD', step, f'{time.monotonic() - start:.1f}', wrong.replace('\n', ' '))
    return 1 if bad else 0


sys.exit(main())
