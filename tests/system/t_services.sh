# SPDX-License-Identifier: MIT
# Services of Debian's packages, started from their units.

. tests/system/apart.sh

ping() { for i in $(seq 50); do cb exec redis-server -- redis-cli ping </dev/null 2>/dev/null | grep -q PONG && return 0; sleep 0.1; done; return 1; }
owner_of() { stat -c %u "/proc/$(ours "$1" | head -n 1)"; }
page() { # a page of the app nginx, seen from inside
	sh_in nginx 'exec 2>/dev/null; perl -MIO::Socket -e "\$s = IO::Socket::INET->new(q(127.0.0.1:80)) or exit 1; print \$s qq(GET / HTTP/1.0\r\n\r\n); print while <\$s>"'
}

debs() { tools/fetch-debs.sh build/debs "$1"; }
last_first() { tac; }

debs nginx >/dev/null
ok "redis-server" cb install $(debs redis-server | last_first)
is "its unit is known" "$(cb --json info redis-server | jq -r .app.service)" 'redis-server.service'
ok "autostart" cb autostart redis-server on
ok "it serves" ping
base=$(($(owner_of '^/usr/bin/redis-server') / 65536 * 65536))
is "as the user that its unit names" "$(($(owner_of '^/usr/bin/redis-server') - base))" \
	"$(sh_in redis-server 'id -u redis')"
like "with the command of its unit" "$(cb ps)" 'redis-server /etc/redis/redis.conf --supervised systemd --daemonize no'
is "another command in it is the owner's" "$(sh_in redis-server 'id -u')" 1000
is "and has no rights" "$(sh_in redis-server 'grep CapEff /proc/self/status')" "$(printf 'CapEff:\t0000000000000000')"
is "nor may the service do more than a service" \
	"$(awk '/CapBnd/ { print $2 }' "/proc/$(pgrep -f '^/usr/bin/redis-server')/status")" 00000000000000eb
ours '^/usr/bin/redis-server' | xargs -r kill -9
ok "what is killed" until_log redis-server 'it ended (status 137)'
ok "is started again" ping

ok "nginx, which makes itself a daemon" cb install build/debs/nginx_*.deb build/debs/nginx-common_*.deb
ok "autostart" cb autostart nginx on
for i in $(seq 50); do ours 'nginx: worker' >/dev/null && break; sleep 0.1; done
like "it serves" "$(page)" 'Welcome to nginx'
like "with nobody's command" "$(cb ps)" 'in the background'
worker=$(owner_of 'nginx: worker') master=$(owner_of 'nginx: master')
is "its workers gave their rights away" "$((worker - master))" 33

# --- the broker dies

kill -9 "$(pgrep -P "$pid" -x cowbell-broker)"
for i in $(seq 50); do cb list >/dev/null 2>&1 && break; sleep 0.1; done
ok "services outlive it" ping
ours '^/usr/bin/redis-server' | xargs -r kill -9
ok "and are still started again" until_log redis-server 'another run of it is over'
ok "serving" ping
ours '^nginx: ' | xargs -r kill -9
ok "a daemon too" until_log nginx 'started again'
ok "it runs" until_runs nginx

# --- taken back

like "who runs by itself is seen" "$(cb permissions --by-permission)" 'background'
ok "taken back" cb revoke nginx background
ok "it ends" until_gone nginx
ok "and is not started" until_log nginx 'it is not started: background is ask (cowbell grant nginx background allow)'
like "but asks for next time" "$(cb prompts)" 'nginx wants to go on in the background, unanswered'
id=$(cb --json prompts | jq -r '[(.prompts // [.])[] | select(.app == "nginx" and .permission == "background") | .id][0] // empty' | grep .)
ok "a yes" cb answer "$id" allow --for always
ok "starts it" until_runs nginx

# --- the system is started anew

stop
start
ok "what it said is still there" until_log redis-server 'it ended (status 137)'
ok "and it runs" ping
cb --yes uninstall --stop nginx >/dev/null
cb install --name nginx -- sh -c 'printf "#!/bin/sh\n" >/usr/local/bin/nginx; chmod 755 /usr/local/bin/nginx' </dev/null >/dev/null 2>&1
is "another app of the name has neither its log" "$(cb logs nginx)" ''
is "nor its service" "$(cb --json info nginx | jq -r .app.service)" ''
cb stop redis-server >/dev/null
until_gone redis-server

# --- a unit that would have to be guessed at

mkdir -p "$T/odd/DEBIAN" "$T/odd/lib/systemd/system" "$T/odd/usr/bin"
printf 'Package: odd\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n' >"$T/odd/DEBIAN/control"
printf '[Service]\nExecStart=/usr/bin/odd %%i\n' >"$T/odd/lib/systemd/system/odd.service"
printf '#!/bin/sh\nsleep 1000\n' >"$T/odd/usr/bin/odd"
chmod 755 "$T/odd/usr/bin/odd"
dpkg-deb --root-owner-group --build "$T/odd" "$T/odd.deb" >/dev/null
ok "it is installed" cb install "$T/odd.deb"
fails "but does not start by itself" 1 "the service 'odd.service' of 'odd' cannot be started: its command uses a specifier of systemd's" cb autostart odd on
is "and is not on" "$(cb --json info odd | jq .app.autostart)" false
unlike "nor allowed to be" "$(cb permissions odd)" 'background +allow'

# --- what goes before

mkdir -p "$T/prepared/DEBIAN" "$T/prepared/lib/systemd/system" "$T/prepared/usr/bin" "$T/prepared/usr/lib/tmpfiles.d"
printf 'Package: ready\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n' >"$T/prepared/DEBIAN/control"
cat >"$T/prepared/lib/systemd/system/ready.service" <<'U'
[Service]
User=games
RuntimeDirectory=ready/deep
RuntimeDirectoryMode=0750
StateDirectory=ready
ExecStartPre=/bin/sh -c 'id -un >/var/lib/ready/as-user'
ExecStartPre=+/bin/sh -c 'id -un >/run/as-root; echo of the shell >&2; exit 3'
ExecStartPre=/usr/bin/none-such
ExecStartPre=/bin/echo %i
Environment=WHOM=you "MORE=a b"
ExecStart=/usr/bin/ready ${WHOM} $MORE $NONE
U
printf 'd /run/made 1770 www-data adm\nd /var/cache/not 0755\nd /run/../usr/not 0755\n' >"$T/prepared/usr/lib/tmpfiles.d/ready.conf"
printf '#!/bin/sh\necho begun as $(id -un) for $#: $1 $2 $3, $WHOM\nexec sleep 1000\n' >"$T/prepared/usr/bin/ready"
chmod 755 "$T/prepared/usr/bin/ready"
dpkg-deb --root-owner-group --build "$T/prepared" "$T/prepared.deb" >/dev/null
ok "a package whose unit prepares" cb install "$T/prepared.deb"
ok "starts" cb autostart ready on
ok "as its user, with its variables" until_log ready 'begun as games for 3: you a b, you'
inside() { cb exec ready -- sh -c "$1" </dev/null 2>/dev/null; }
is "its folder is its own" "$(inside 'stat -c "%a %U %G" /run/ready/deep')" '750 games games'
is "and the one above is there" "$(inside 'stat -c "%a %U %G" /run/ready')" '755 root root'
is "also where its data goes" "$(inside 'stat -c "%a %U %G" /var/lib/ready')" '755 games games'
is "and what its tmpfiles name" "$(inside 'stat -c "%a %U %G" /run/made')" '1770 www-data adm'
is "below /run alone" "$(inside 'ls -d /var/cache/not /usr/not 2>&1 | wc -l')" 2
is "a command before it is its user's" "$(inside 'cat /var/lib/ready/as-user')" games
is "one with a plus is root's" "$(inside 'cat /run/as-root')" root
log=$(cb logs ready)
like "what it says is in the log" "$log" 'of the shell'
like "one that fails is told" "$log" "before its start: '/bin/sh' ended with status 3"
like "one that is not there" "$log" "before its start: '/usr/bin/none-such': No such file or directory"
like "one that is left out" "$log" 'before its start: left out a line of its unit: its command uses a specifier'
cb --yes uninstall --stop ready >/dev/null

ok "mosquitto, which makes its folder with commands" cb install $(debs mosquitto | last_first)
ok "starts" cb autostart mosquitto on
for i in $(seq 50); do ours '^/usr/sbin/mosquitto' >/dev/null && cb exec mosquitto -- test -d /run/mosquitto </dev/null 2>/dev/null && break; sleep 0.1; done
is "in its folder" "$(cb exec mosquitto -- stat -c %U /run/mosquitto </dev/null 2>/dev/null)" mosquitto
cb --yes uninstall --stop mosquitto >/dev/null
