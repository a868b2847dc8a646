# SPDX-License-Identifier: MIT
# What packages are and want is told before anything of them runs.

deb=$(tools/fetch-debs.sh build/debs sl | tail -n 1)
page=$(cb inspect build/flashlight.deb)
like "the flashlight says what it is" "$page" '^flashlight 1\.2 for .*: a flashlight, from a file, signed by nobody'
like "its kind needs the torch" "$page" 'needs +torch$'
like "it says why it wants contacts" "$page" 'also wants +contacts +"find friends with a torch"'
like "its host is found" "$page" 'network +its files name ads\.example\.com'
like "and judged" "$page" 'A program of its kind does not need contacts, storage or network'
is "the same as JSON" "$(cb --json inspect build/flashlight.deb | jq -c '.extra')" '["contacts","storage","network"]'
like "several are ranked" "$(cb inspect build/flashlight.deb "$deb" | tail -n 2 | tr '\n' ' ')" '1 +sl .* 2 +flashlight .*also wants contacts, storage, network'
cp /bin/true "$T/single"
like "a single program" "$(cb inspect "$T/single")" '^single'
! has_archive || fails "a name that nobody has" 1 "no package 'no-such-package-at-all'" cb inspect no-such-package-at-all
fails "a file that is not there" 1 "No such file" cb inspect ./nothing.deb
fails "a folder" 1 "not a file" cb inspect "$T/"
is "nothing is installed by it" "$(cb --json list | jq '.apps | length')" 0

# Hostile packages are read by a process without rights, and told of.
mk() { rm -rf "$T/mk" && mkdir -p "$T/mk/DEBIAN" "$T/mk/usr/bin" "$T/mk/usr/share/applications"; }
control() { printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: %b\n' "$1" "$2" >"$T/mk/DEBIAN/control"; }
build() { dpkg-deb --nocheck --root-owner-group -b "$T/mk" "$T/$1.deb" >/dev/null 2>&1; }
mk
control nasty 'a \033[2J\033]0;title\007 trick'
printf '#!/bin/sh\ntouch %s/ran\n' "$T" >"$T/mk/DEBIAN/postinst"
chmod 755 "$T/mk/DEBIAN/postinst"
printf '#!/bin/sh\n' >"$T/mk/usr/bin/nasty"
chmod 4755 "$T/mk/usr/bin/nasty"
mkfifo "$T/mk/usr/bin/pipe"
build nasty
page=$(cb inspect "$T/nasty.deb")
unlike "its texts move no cursor" "$page" $'\033|\007'
like "set-id files are named" "$page" 'set-id +/usr/bin/nasty'
like "pipes are odd" "$page" 'odd +a device or a pipe: usr/bin/pipe'
like "scripts are counted" "$page" '1 install script'
is "and have not run" "$(ls "$T/ran" 2>&1 | grep -c 'No such')" 1

# Archives that no packer makes: members by hand, in a package that dpkg-deb opens.
python3 - "$T" <<'P'
import io, subprocess, sys, tarfile
t = sys.argv[1]
def tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as a:
        for name, kind, data, link in members:
            m = tarfile.TarInfo(name)
            m.type, m.size, m.linkname, m.mode = kind, len(data), link, 0o755
            a.addfile(m, io.BytesIO(data))
    return out.getvalue()
def ar(members):
    out = b'!<arch>\n'
    for name, data in members:
        out += b'%-16s%-12d%-6d%-6d%-8s%-10d`\n' % (name, 0, 0, 0, b'100644', len(data)) + data + b'\n' * (len(data) % 2)
    return out
control = b'Package: odd\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n'
def deb(name, data, controls=(('./control', control),)):
    c = tar([(n, tarfile.REGTYPE, d, '') for n, d in controls])
    open(f'{t}/{name}.deb', 'wb').write(ar([(b'debian-binary', b'2.0\n'), (b'control.tar', c), (b'data.tar', data)]))
F, S, L, C = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
good = tar([('./usr/bin/x', F, b'x' * 3000, '')])
deb('climb', tar([('../../etc/x', F, b'x', ''), ('/etc/y', F, b'x', ''), ('./a/../../b', F, b'', '')]))
deb('link', tar([('./a', L, b'', '../../etc/shadow'), ('./b', C, b'', '')]))
deb('cut', good[:1500])
deb('flip', good[:100] + bytes([good[100] ^ 1]) + good[101:])
deb('two', good, (('./control', control), ('./control', control.replace(b'odd', b'even'))))
deb('none', good, (('./postinst', b'x'),))
deb('huge', good, (('./control', control + b'X: ' + b'x' * 300000 + b'\n'),))
P
like "paths that lead out are odd" "$(cb inspect "$T/climb.deb")" 'odd +a path that leads out of its place: \.\./\.\./etc/x'
like "absolute ones too" "$(cb inspect "$T/climb.deb")" 'odd +a path that leads out of its place: /etc/y'
like "links that lead out" "$(cb inspect "$T/link.deb")" 'odd +a link that leads out'
like "devices" "$(cb inspect "$T/link.deb")" 'odd +a device or a pipe: b'
fails "an archive that is cut off" 1 "the archive is broken: it is cut off" cb inspect "$T/cut.deb"
fails "a flipped bit in a header" 1 "a header does not check" cb inspect "$T/flip.deb"
fails "two control files" 1 "two control files" cb inspect "$T/two.deb"
fails "no control file" 1 "no control file" cb inspect "$T/none.deb"
fails "a control file without end" 1 "says more than" cb inspect "$T/huge.deb"
head -c 50000 /dev/urandom >"$T/noise.deb"
fails "noise" 1 "not a Debian package" cb inspect "$T/noise.deb"
is "no reader is left" "$(pgrep -P "$pid" -cx cowbell-inspect)" 0

# The page of the README is what is printed, but for what differs from machine to machine.
same() { sed 's/[0-9.]* k*B/some/g; s/ for [a-z0-9]*:/ for a CPU:/'; }
[ ! -e README.md ] || is "the README shows this page" "$(cb inspect build/flashlight.deb | same)" \
	"$(sed -n '/^    \$ cowbell inspect flashlight.deb$/,/^$/{s/^    //p}' README.md | sed 1d | same)"
