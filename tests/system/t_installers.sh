# SPDX-License-Identifier: MIT
# What people have in hand: a wheel, a tarball, an installer of their home's, an image of
# one program; and what they are told of what is none of these.

says() { cb run "$@" </dev/null 2>/dev/null; }
mkdir -p "$T/in"
cd "$T/in" || return

# --- a wheel, by the system's own pip
python3 - <<'P'
import zipfile
with zipfile.ZipFile('ringer-1-py3-none-any.whl', 'w') as z:
    z.writestr('ringer/__init__.py', 'def main():\n    print("ring")\n')
    z.writestr('ringer-1.dist-info/METADATA', 'Metadata-Version: 2.1\nName: ringer\nVersion: 1\n')
    z.writestr('ringer-1.dist-info/WHEEL', 'Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
    z.writestr('ringer-1.dist-info/entry_points.txt', '[console_scripts]\nringer=ringer:main\n')
    z.writestr('ringer-1.dist-info/RECORD', ''.join(f'{n},,\n' for n in z.namelist()) + 'ringer-1.dist-info/RECORD,,\n')
P
fails "a wheel is not a program" 1 "cowbell install --name NAME --with FOLDER -- pip3 install" cb install ringer-1-py3-none-any.whl
if [ -x /usr/bin/pip3 ]; then
	ok "pip installs it" cb install --name ringer --with . -- /usr/bin/pip3 install --break-system-packages --no-index ringer-1-py3-none-any.whl
	is "and it runs" "$(says ringer)" ring
fi

# --- a tarball
mkdir -p app-1/bin
printf '#!/bin/sh\necho from a tarball\n' >app-1/bin/app && chmod 755 app-1/bin/app
tar -czf app-1.tar.gz app-1
fails "a tarball has to be unpacked" 1 "unpack it, and install the folder" cb install app-1.tar.gz
fails "its folder without a mark is a name" 1 "what lies here is meant by ./app-1" cb install app-1
ok "its folder" cb install --name app ./app-1
is "runs" "$(says app)" "from a tarball"
ok "by an installer's command" cb install --name app2 --with . -- tar -C /opt -xzf app-1.tar.gz
is "runs as well" "$(says --command app app2)" "from a tarball"
(cd app-1 && ok "the folder that one is in" cb install .)
is "has its name" "$(says app-1)" "from a tarball"

# --- an installer that puts it into its person's home
printf '#!/bin/sh\nset -e\nmkdir -p ~/.local/bin ~/.tool/bin\nfor f in ~/.local/bin/tool ~/.tool/bin/tool-helper; do printf "#!/bin/sh\\necho ${f##*/} of a home\\n" >$f; chmod 755 $f; done\n' >get.sh
like "an installer of a home" "$(cb install --name tool --with . -- sh get.sh 2>&1)" 'cowbell run tool starts it'
is "its program runs" "$(says tool)" "tool of a home"
is "so does the other" "$(says --command tool-helper tool)" "tool-helper of a home"
is "a shell finds it" "$(sh_in tool tool)" "tool of a home"
is "what lies there is its person's" "$(sh_in tool 'stat -c %u ~/.tool ~/.tool/bin/tool-helper | sort -u; : >~/.tool/state && echo written')" "$(printf '%s\nwritten' $UID_OWNER)"

# --- an image of one program, and one program
printf '#!/bin/sh\necho "image $APPIMAGE_EXTRACT_AND_RUN"\n' >'Bell-1.2-x86_64.AppImage'
fails "an image that may not run" 1 "chmod +x makes it a program" cb install Bell-1.2-x86_64.AppImage
chmod 755 Bell-1.2-x86_64.AppImage
like "an image of one program" "$(cb install Bell-1.2-x86_64.AppImage 2>&1)" "cowbell run bell-1.2-x86_64 starts it"
is "is told not to mount itself" "$(says bell-1.2-x86_64)" "image 1"
cp Bell-1.2-x86_64.AppImage ./-x.AppImage
unlike "one that is refused is not told by tar" "$(cb install ./-x.AppImage 2>&1)" 'tar:'

# --- one that takes the home away, and one that makes it a link
ok "an installer that removes the home" cb install --name homeless -- sh -c 'rm -rf ~ 2>/dev/null; mkdir -p /opt/h && echo x >/opt/h/x'
ok "one that makes it a link to all" cb install --name linked -- sh -c 'mv ~ ~.old 2>/dev/null && ln -s / ~; mkdir -p /opt/l && echo x >/opt/l/x'
is "what is root's stays that" "$(sh_in linked 'stat -c %u /opt/l/x' | tail -n 1)" 0

# --- what does not go
fails "one from the network" 1 "(an installer has no network, and of your files those of --with FOLDER)" cb install --name curl -- sh -c 'exit 0'
fails "a file that it does not see" 2 "(an installer has no network, and of your files those of --with FOLDER)" cb install --name curl -- sh get.sh
: >x.rpm
fails "another system's package" 1 "of another kind of system" cb install x.rpm
: >plain
fails "a file without a mark" 1 "a package ends in .deb" cb install ./plain
cd "$TOP" || return
for a in $(cb --json list | jq -r '.apps[].id'); do cb --yes uninstall "$a" >/dev/null; done
is "an empty store" "$(find "$R/state/store" -mindepth 2 | wc -l)" 0
