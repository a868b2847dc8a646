# SPDX-License-Identifier: MIT
# Servers of the world that net.sh makes, from Debian's packages: nothing of them is
# installed, they are unpacked below $T and end with the world's namespace.

SRV=$T/servers
PAGES=$SRV/pages
tools/fetch-debs.sh build/debs nginx >/dev/null 2>&1 || { echo "skip servers: this machine lacks a source of packages"; return 1; }

served() { # served PROGRAM [WORD...]: a program of the unpacked packages, in the world
	local program=$SRV/root/$1
	shift
	LD_LIBRARY_PATH=$(echo "$SRV"/root/usr/lib/*-linux-*) in_world "$program" "$@" >>"$SRV/log" 2>&1 </dev/null &
}

# listens PORT: it does, within 10 s
listens() {
	local i
	for i in $(seq 100); do
		in_world ss -Hltn "sport = :$1" | grep -q . && return
		sleep 0.1
	done
	echo "not ok a server listens at $1"
	tail -n 5 "$SRV/log"
}

unpack() { # unpack PACKAGE...
	local d
	# shellcheck disable=SC2046
	for d in $(tools/fetch-debs.sh build/debs "$@"); do dpkg-deb -x "$d" "$SRV/root"; done
}

# http://NAME/: a page, /slow/big a download of 20 s, /git/ and /slow/git/ repositories
serve_web() {
	unpack nginx fcgiwrap git
	echo 'hello from the world' >"$PAGES/index.html"
	mkdir -p "$PAGES/slow" "$SRV/nginx/logs" "$SRV/git"
	head -c 4000000 /dev/urandom >"$PAGES/slow/big"
	local -x GIT_EXEC_PATH=$SRV/root/usr/lib/git-core GIT_TEMPLATE_DIR=
	local git=$SRV/root/usr/bin/git
	"$git" init -q --bare "$SRV/git/repo.git"
	"$git" -c safe.directory="*" -C "$SRV" init -q tree
	cp "$PAGES/slow/big" "$PAGES/index.html" "$SRV/tree/"
	(cd "$SRV/tree" && "$git" add . && "$git" -c user.name=w -c user.email=w@example.org commit -qm big && "$git" push -q ../git/repo.git HEAD:refs/heads/main)
	"$git" -C "$SRV/git/repo.git" symbolic-ref HEAD refs/heads/main
	cat >"$SRV/git.conf" <<-C
		fastcgi_param SCRIPT_FILENAME $GIT_EXEC_PATH/git-http-backend;
		fastcgi_param GIT_EXEC_PATH $GIT_EXEC_PATH;
		fastcgi_param GIT_PROJECT_ROOT $SRV/git;
		fastcgi_param GIT_HTTP_EXPORT_ALL 1;
		fastcgi_param QUERY_STRING \$query_string;
		fastcgi_param REQUEST_METHOD \$request_method;
		fastcgi_param CONTENT_TYPE \$content_type;
		fastcgi_param CONTENT_LENGTH \$content_length;
	C
	cat >"$SRV/nginx.conf" <<-C
		daemon off;
		user root;
		pid $SRV/nginx.pid;
		error_log $SRV/nginx/logs/error.log;
		events { worker_connections 64; }
		http {
			access_log off;
			default_type text/html;
			client_body_temp_path $SRV/nginx/body;
			fastcgi_temp_path $SRV/nginx/fastcgi;
			proxy_temp_path $SRV/nginx/proxy;
			uwsgi_temp_path $SRV/nginx/uwsgi;
			scgi_temp_path $SRV/nginx/scgi;
			server {
				listen 80;
				root $PAGES;
				location /slow/ { limit_rate 100k; }
				location ~ ^/git(/.*)$ { include $SRV/git.conf; fastcgi_param PATH_INFO \$1; fastcgi_pass unix:$SRV/git.sock; }
				location ~ ^/slow/git(/.*)$ { limit_rate 100k; include $SRV/git.conf; fastcgi_param PATH_INFO \$1; fastcgi_pass unix:$SRV/git.sock; }
			}
		}
	C
	served usr/sbin/fcgiwrap -f -s "unix:$SRV/git.sock"
	served usr/sbin/nginx -p "$SRV/nginx" -c "$SRV/nginx.conf"
	listens 80
}

# ssh me@NAME, for whoever has $SRV/key; accounts are of its own mount namespace
serve_ssh() {
	unpack openssh-server
	mkdir -p "$SRV/ssh"
	local keygen
	keygen=$(command -v ssh-keygen || echo "$SRV/root/usr/bin/ssh-keygen")
	"$keygen" -q -t ed25519 -N '' -f "$SRV/key"
	"$keygen" -q -t ed25519 -N '' -f "$SRV/ssh/host"
	cp "$SRV/key.pub" "$SRV/ssh/authorized"
	chmod 755 "$SRV/ssh" && chmod 644 "$SRV/ssh/authorized"
	printf 'root:x:0:0::/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\nme:x:1000:1000::/:/bin/sh\n' >"$SRV/passwd"
	printf 'root:*:19000::::::\nme:*:19000::::::\n' >"$SRV/shadow"
	cat >"$SRV/sshd.conf" <<-C
		HostKey $SRV/ssh/host
		AuthorizedKeysFile $SRV/ssh/authorized
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		PidFile none
	C
	LD_LIBRARY_PATH=$(echo "$SRV"/root/usr/lib/*-linux-*) in_world unshare --mount sh -c '
		mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/shadow" /etc/shadow && mount -t tmpfs tmpfs /run &&
			mkdir -m 755 /run/sshd && exec "$1/root/usr/sbin/sshd" -D -e -f "$1/sshd.conf"' sh "$SRV" >>"$SRV/log" 2>&1 </dev/null &
	listens 22
}

# rsync://NAME/pages/
serve_rsync() {
	unpack rsync
	printf 'use chroot = no\nuid = 0\ngid = 0\nreverse lookup = no\n[pages]\npath = %s\n' "$PAGES" >"$SRV/rsyncd.conf"
	served usr/bin/rsync --daemon --no-detach --config="$SRV/rsyncd.conf"
	listens 873
}

serve_irc() {
	unpack ngircd
	printf '[Global]\nName = irc.example.org\nInfo = test\nMotdPhrase = "hello from the world"\nServerUID = 0\nServerGID = 0\n' >"$SRV/irc.conf"
	printf 'Ports = 6667\n[Options]\nDNS = no\nIdent = no\nPAM = no\n' >>"$SRV/irc.conf"
	served usr/sbin/ngircd -n -f "$SRV/irc.conf"
	listens 6667
}

serve_iperf() {
	unpack iperf3
	served usr/bin/iperf3 -s
	listens 5201
}

mkdir -p "$SRV/root" "$PAGES"
