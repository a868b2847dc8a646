# SPDX-License-Identifier: MIT
# hostile_debs.py FOLDER: Debian packages that no packer makes, a file each. Members
# are laid by hand; "tar" below is one member's header and content.
import os, sys

def octal(n, width):
    return b'%0*o\0' % (width - 1, n)

def member(name, data=b'', kind=b'0', mode=0o644, link='', size=None, uid=0, gid=0, uname='', mtime=0, raw=None):
    h = bytearray(512)
    def put(at, what):
        h[at:at + len(what)] = what
    put(0, name.encode('utf-8', 'surrogateescape')[:100])
    put(100, octal(mode, 8)); put(108, octal(uid, 8)); put(116, octal(gid, 8))
    put(124, octal(len(data) if size is None else size, 12)); put(136, octal(mtime, 12))
    put(156, kind); put(157, link.encode()[:100]); put(257, b'ustar\00000'); put(265, uname.encode()[:32])
    for at, what in (raw or {}).items():
        put(at, what)
    put(148, b' ' * 8)
    put(148, b'%06o\0 ' % sum(h))
    return bytes(h) + data + b'\0' * (-len(data) % 512)

END = b'\0' * 1024

def ar(*parts):
    out = b'!<arch>\n'
    for name, data in parts:
        out += b'%-16s%-12d%-6d%-6d%-8s%-10d`\n' % (name, 0, 0, 0, b'100644', len(data)) + data + b'\n' * (len(data) % 2)
    return out

def control(name, more='', version='1', arch='all'):
    return f'Package: {name}\nVersion: {version}\nArchitecture: {arch}\nMaintainer: x <x@example.org>\nDescription: x\n{more}'.encode()

def deb(name, data=b'', text=None, control_more=b'', end=END, tail=b''):
    text = control(name) if text is None else text
    parts = [(b'debian-binary', b'2.0\n'), (b'control.tar', member('./control', text) + control_more + END),
             (b'data.tar', data + end)]
    with open(f'{sys.argv[1]}/{name}.deb', 'wb') as f:
        f.write(ar(*parts) + tail)

def d(name):
    return member(name, kind=b'5', mode=0o755)

usr = d('./') + d('./usr/') + d('./usr/share/')
deb('good', usr + member('./usr/share/good', b'x'))
deb('climbs', usr + member('../climbed', b'x') + member('./usr/../../climbed2', b'x'))
deb('absolute', usr + member('/absolute-path', b'x'))
deb('through', usr + member('./usr/share/way', kind=b'2', mode=0o777, link='/var/tmp') + member('./usr/share/way/through', b'x'))
deb('replaced', usr + member('./usr/share/r', kind=b'2', mode=0o777, link='/etc/hostname') + member('./usr/share/r', b'x'))
deb('linked', usr + member('./usr/share/l', kind=b'1', link='/etc/hostname'))
deb('linkedup', usr + member('./usr/share/l', kind=b'1', link='../../etc/hostname'))
deb('device', usr + member('./usr/share/null', kind=b'3', mode=0o666, raw={329: octal(1, 8), 337: octal(3, 8)}))
deb('setid', usr + d('./usr/bin/') + member('./usr/bin/setid-root', open('/usr/bin/id', 'rb').read(), mode=0o4755))
deb('fifo', usr + member('./usr/share/fifo', kind=b'6'))
deb('double', usr + member('./usr/share/d', b'one') + member('./usr/share/d', b'two'))
deb('names', usr + member('./usr/share/\x1b[2J\n\u202egpj', b'x') + member('./usr/share/' + 'n' * 80, b'x'))
deb('deep', usr + b''.join(member('p', b'%d path=%s\n' % (len(p) + 10 - (len(p) < 90), p), kind=b'x') + d('p')
                           for p in [b'./usr/share/' + b'd/' * n for n in range(1, 400)]))
deb('shorter', usr + member('./usr/share/s', b'x' * 10, size=100000), end=b'')
deb('negative', usr + member('./usr/share/s', raw={124: b'\xff' * 12}))
deb('giant', usr + member('./usr/share/s', raw={124: b'77777777777\0'}))
deb('sparse', usr + member('./usr/share/s', kind=b'S', raw={386: b'00000000000\0' * 4}))
deb('paxbomb', usr + member('p', b'', kind=b'x', raw={124: b'10000000000\0'}))
deb('future', usr + member('./usr/share/f', b'x', raw={136: b'\x80' + b'\x7f' * 11}))
deb('nobody', usr + member('./usr/share/n', b'x', raw={108: b'\x80\0\0\0\x7f\xff\xff\xff', 116: b'\x80\0\0\0\x7f\xff\xff\xff'}, uname='root'))
deb('loop', usr + member('./usr/share/a', kind=b'2', link='b') + member('./usr/share/b', kind=b'2', link='a') + member('./usr/share/a/x', b'x'))
deb('twocontrol', usr, control_more=member('./control', control('other')))
deb('nocontrol', usr, text=b'')
deb('behind', usr + member('./usr/share/x', b'x'), tail=b'PK\x03\x04 and another archive' * 30)
deb('foreign', usr, text=control('foreign', arch='s390x'))
deb('upid', usr, text=control('../../x'))
deb('dot', usr, text=control('.'))
deb('noname', usr, text=b'Package:\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n')
deb('longname', usr, text=control('n' * 300))
deb('capital', usr, text=control('SL'))
deb('lookalike', usr, text=control('ѕl'))
deb('badversion', usr, text=control('badversion', version='1.0 ; rm'))
deb('doublefield', usr, text=control('doublefield', more='Package: other\n'))
deb('longline', usr, text=control('longline', more='X-Long: ' + 'x' * 300000 + '\n'))
deb('binary', usr, text=control('binary') + b'X-\0: \xff\xfe\n')
deb('epoch', usr + member('./usr/share/epoch', b'x'), text=control('epoch', version='2:1.0~rc1-1'))
deb('lines', usr + member('./usr/share/lines', b'x'), text=control('lines') + b' goes on\n .\n and ends\n')
zeros = b'\0' * (64 << 20)
import lzma
data = lzma.compress(usr + b''.join(member(f'./usr/share/z{i}', zeros) for i in range(4)) + END, preset=0)
with open(f'{sys.argv[1]}/bomb.deb', 'wb') as f:
    f.write(ar((b'debian-binary', b'2.0\n'), (b'control.tar', member('./control', control('bomb', more='Installed-Size: 1\n')) + END), (b'data.tar.xz', data)))
