# SPDX-License-Identifier: MIT
"""The network's rows. Everything is in namespaces of this bench: "device", where
cowbelld runs, "world" behind its uplink, and "peer", a plain namespace behind the
same device by a plain veth, routed and with no rules."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
BIN = os.path.join(TOP, 'build', 'bin')
WORLD, PORT = '198.51.100.10', '7000'
SESSIONS = int(os.environ.get('SESSIONS', '200'))


def ip(*words):
    subprocess.run(['ip', *words], check=True)


class Net:
    """device eth0 203.0.113.2 -- world 203.0.113.1; device eth1 192.0.2.1 -- peer 192.0.2.2"""

    def __init__(self):
        self.names = {n: 'cbb%d-%s' % (os.getpid(), n) for n in ('device', 'world', 'peer')}
        self.base = tempfile.mkdtemp(prefix='cowbell-bench.', dir='/var/tmp')
        device, world, peer = self.names['device'], self.names['world'], self.names['peer']
        self.server = None
        try:
            for n in self.names.values():
                ip('netns', 'add', n)
                ip('-n', n, 'link', 'set', 'lo', 'up')
            self.link(device, 'eth0', '203.0.113.2/24', world, '203.0.113.1/24')
            self.link(device, 'eth1', '192.0.2.1/24', peer, '192.0.2.2/24')
            ip('-n', world, 'addr', 'add', WORLD + '/32', 'dev', 'lo')
            ip('-n', device, 'route', 'add', 'default', 'via', '203.0.113.1')
            ip('-n', peer, 'route', 'add', 'default', 'via', '192.0.2.1')
            ip('-n', world, 'route', 'add', '192.0.2.0/24', 'via', '203.0.113.2')
            self.run('device', ['sysctl', '-qw', 'net.ipv4.conf.eth0.forwarding=1', 'net.ipv4.conf.eth1.forwarding=1'])
            self.server = subprocess.Popen(self.within('world') + [BIN + '/net-bench', 'server', WORLD, PORT], stdout=subprocess.PIPE)
            if self.server.stdout.readline() != b'ready\n':
                sys.exit('bench: the server did not start')
        except BaseException:
            self.end()
            raise

    def link(self, near, name, near_address, far, far_address):
        ip('-n', near, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far)
        for n, interface, address in ((near, name, near_address), (far, 'eth0', far_address)):
            ip('-n', n, 'addr', 'add', address, 'dev', interface)
            ip('-n', n, 'link', 'set', interface, 'up')

    def within(self, name):
        return ['nsenter', '--net=/run/netns/' + self.names[name]]

    def run(self, name, argv):
        return subprocess.run(self.within(name) + argv, check=True, capture_output=True, text=True).stdout

    def links(self):
        return self.run('device', ['ip', '-o', 'link']).count('\n') - 3

    def prefix(self):
        """For cowbelld: in "device", with a resolver of its own in its mount namespace."""
        path = os.path.join(self.base, 'resolv.conf')
        with open(path, 'w') as f:
            f.write('nameserver 203.0.113.1\n')
        return self.within('device') + ['unshare', '--mount', 'sh', '-c',
                                        'mount --bind "$1" "$(readlink -f /etc/resolv.conf)" && shift && exec "$@"', 'sh', path]

    def end(self):
        if self.server:
            self.server.kill()
            self.server.wait()
        for n in self.names.values():
            subprocess.run(['ip', 'netns', 'del', n], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.base)


def install(s, name):
    tree = os.path.join(s.base, 'with')
    os.makedirs(tree, exist_ok=True)
    shutil.copy(BIN + '/net-bench', tree)
    result = s.cowbell('install', '--name', name, '--with', tree, '--', 'cp', 'net-bench', '/usr/local/bin/net-bench')
    if result.returncode:
        sys.exit('bench: install: ' + result.stderr)


def inside(s, name, *words):
    result = s.cowbell('shell', name, '-c', 'exec net-bench ' + ' '.join(words))
    if result.returncode:
        sys.exit('bench: %s: %s' % (words[0], result.stderr.strip()))
    return result.stdout.split()


def waiting(s):
    while True:
        for p in json.loads(s.cowbell('--json', 'prompts').stdout)['prompts']:
            if p['state'] == 'waiting':
                return str(p['id'])
        time.sleep(0.02)


def paired(row, net, s, rounds):
    kinds = (('connect, TCP', 'connect', '1000', 'us'), ('64-byte UDP, there and back', 'echo', '5000', 'us'),
             ('64-byte UDP, sent', 'send', '50000', 'us'), ('TCP up', 'up', '1000', 'MB/s'), ('TCP down', 'down', '1000', 'MB/s'))
    for what, kind, count, unit in kinds:
        ours, peer, loop = [], [], []
        for i in range(rounds):
            ours.append(float(inside(s, 'n', kind, WORLD, PORT, count)[0]))
            peer.append(float(net.run('peer', [BIN + '/net-bench', kind, WORLD, PORT, count])))
            loop.append(float(net.run('world', [BIN + '/net-bench', kind, WORLD, PORT, count])))
        row(what, ours, peer, unit, 'veth')
        row("  against the world's own loopback", ours, loop, unit, 'lo')


def firsts(row, net, s, median, p95, rounds):
    first = [float(inside(s, 'n', 'first', WORLD, PORT)[0]) / 1000 for i in range(rounds)]
    print('%-34s %8.2f ms (p95 %.2f)   a session\'s first, by a standing grant: its link is made while it is held' % (
        'first connect', median(first), p95(first)))
    good = s.cowbell('revoke', 'n', 'network')
    if good.returncode:
        sys.exit('bench: revoke: ' + good.stderr)
    after = []
    for i in range(rounds):
        client = subprocess.Popen([BIN + '/cowbell', '--root', s.root, 'shell', 'n', '-c', 'exec net-bench first %s %s' % (WORLD, PORT)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd='/usr')
        prompt = waiting(s)
        said = time.monotonic_ns()
        if s.cowbell('answer', prompt, 'allow', '--for', 'run').returncode:
            sys.exit('bench: the answer was not taken')
        after.append((int(client.communicate()[0].split()[1]) - said) / 1e6)
    print('%-34s %8.2f ms (p95 %.2f)   from the start of "cowbell answer" until connect returns' % ('answer to connected', median(after), p95(after)))


def teardown(row, net, s, median):
    """Sessions that have a link end all at once; its peer is as many plain namespaces with a
    veth, taken down by the kernel in the same way."""
    names = ['s%d' % i for i in range(SESSIONS)]
    for name in names:
        if s.cowbell('install', '--name', name, '--', 'ln', '-s', '/bin/bash', '/usr/local/bin/' + name).returncode or \
                s.cowbell('grant', name, 'network', 'allow').returncode:
            sys.exit('bench: sessions were not prepared')
        script = 'exec 3<>/dev/tcp/%s/%s; exec sleep 1000' % (WORLD, PORT)
        if subprocess.run([BIN + '/cowbell', '--root', s.root, 'run', '--detach', name, '--', '-c', script], cwd='/usr',
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            sys.exit('bench: a session did not start')
    for i in range(600):
        if net.links() == SESSIONS:
            break
        time.sleep(0.1)
    had = net.links()
    if had != SESSIONS:
        sys.exit('bench: of %d sessions %d have a link' % (SESSIONS, had))
    start = time.monotonic()
    for name in names:
        s.cowbell('stop', name)
    while net.links():
        time.sleep(0.01)
    ours = (time.monotonic() - start) * 1000 / had
    plain = ['cbb%d-%d' % (os.getpid(), i) for i in range(SESSIONS)]
    for i, n in enumerate(plain):
        ip('netns', 'add', n)
        ip('-n', net.names['device'], 'link', 'add', 'p%d' % i, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', n)
    start = time.monotonic()
    for n in plain:
        ip('netns', 'del', n)
    while net.links():
        time.sleep(0.01)
    row('end of %d sessions with links' % had, [ours], [(time.monotonic() - start) * 1000 / len(plain)], 'ms each', 'netns')


def bench(system, row, median, p95, rounds):
    net = Net()
    try:
        s = system(net.prefix())
        try:
            install(s, 'n')
            if s.cowbell('grant', 'n', 'network', 'allow').returncode:
                sys.exit('bench: grant')
            paired(row, net, s, max(5, rounds // 4))
            firsts(row, net, s, median, p95, max(5, rounds // 2))
            teardown(row, net, s, median)
        finally:
            s.end()
    finally:
        net.end()
