# SPDX-License-Identifier: MIT
# The script for OpenRC, run by OpenRC itself on a small host of this test's own.

. tests/system/host.sh
stop
command -v gcc >/dev/null || { echo "skip OpenRC: this machine lacks a compiler"; return; }
tools/fetch-debs.sh build/debs openrc >/dev/null 2>&1 || { echo "skip OpenRC: this machine lacks a source of packages"; return; }
ok "a host of its own" host_make procps
for d in $(tools/fetch-debs.sh build/debs openrc); do dpkg-deb --fsys-tarfile "$d" | tar -C "$HOST" --keep-directory-symlink -xf -; done
ok "Cowbell is put in place there" make -s --no-print-directory install DESTDIR="$HOST" INIT=openrc
chroot "$HOST" ldconfig
sed -i '/:1000:/d' "$HOST/etc/passwd" "$HOST/etc/group"
echo 'owner:x:1000:1000:The owner:/home/owner:/bin/sh' >>"$HOST/etc/passwd"
echo 'owner:x:1000:' >>"$HOST/etc/group"
install -d -o 1000 -g 1000 "$HOST/home/owner"
: >"$HOST/etc/fstab"

cat >"$T/inside" <<'I'
. "$T/functions"
# What a boot makes.
mkdir -p /run/openrc && cd /run/openrc && mkdir -p daemons exclusive failed hotplugged inactive options scheduled started starting stopping tmp wasinactive
echo default >softlevel
cd /
owner() { setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/owner "$@" </dev/null; }
ready() { for i in $(seq 100); do owner cowbell list >/dev/null 2>&1 && return 0; sleep 0.1; done; return 1; }
gone() { for i in $(seq 100); do [ -e "/proc/$1" ] || return 0; sleep 0.1; done; return 1; }
status() { rc-service cowbelld status 2>&1 | grep -o 'started\|stopped\|crashed'; }
# The machine may run others: ours is the child of the one whose number OpenRC keeps.
main() { pgrep -P "$(cat /run/supervise-cowbelld.pid)" -x cowbelld; }
ok "OpenRC reads it" sh -c 'rc-service cowbelld describe 2>&1 | grep -q "apps must ask first"'
ok "it can be of a runlevel" sh -c 'rc-update add cowbelld default && rc-update show default | grep -q cowbelld'
is "not started" "$(status)" stopped
ok "it is started" rc-service cowbelld start
ok "and answers its owner" ready
is "which OpenRC knows" "$(status)" started
first=$(main)
ok "the owner installs an app" owner cowbell install --name bell -- sh -c 'mkdir -p /usr/local/bin; printf "#!/bin/sh\necho rang\n" >/usr/local/bin/bell; chmod 755 /usr/local/bin/bell'
is "which runs" "$(owner cowbell run bell 2>/dev/null)" rang
ok "it is started once" rc-service cowbelld start
is "and stays the same" "$(main)" "$first"
ok "it is started anew" rc-service cowbelld restart
ok "and is back" ready
is "as another process" "$([ "$(main)" != "$first" ] && echo yes)" yes
is "its apps run" "$(owner cowbell run bell 2>/dev/null)" rang
last=$(main)
kill -9 "$last"
gone "$last"
ok "one that is killed is started again" ready
is "as another process" "$([ "$(main)" != "$last" ] && echo yes)" yes
is "its apps run" "$(owner cowbell run bell 2>/dev/null)" rang
ok "the app goes" owner cowbell --yes uninstall bell
last=$(main)
ok "it is stopped" rc-service cowbelld stop
ok "and is gone" gone "$last"
is "with its socket" "$(ls /run/cowbell/io.cowbell 2>&1 | grep -c 'No such file')" 1
is "which OpenRC knows, too" "$(status)" stopped
I
{ declare -f ok is; } >"$T/functions"
host_enter bash "$T/inside"
