#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch-debs.sh FOLDER PACKAGE...: downloads the packages and what they need
# beyond what is installed here; prints the files, the named packages last.
# Installs nothing.
set -eu
folder=$1
shift
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
sudo=
for p in "$@"; do
	stamp=$folder/$p.list
	if [ ! -s "$stamp" ]; then
		command -v apt-get >/dev/null || {
			echo "fetch-debs: '$p' was not handed to this board (name it in tests/system/packages)" >&2
			exit 1
		}
		tmp=$(mktemp -d "$folder/.fetch.XXXXXX")
		trap 'rm -rf "$tmp"' EXIT
		[ -n "$(ls /var/lib/apt/lists/*Packages* 2>/dev/null | head -n 1)" ] || {
			[ "$(id -u)" = 0 ] || sudo=sudo
			$sudo apt-get -qq update
		}
		needed=$(apt-get -s -qq --reinstall --no-install-recommends install "$p" |
			awk '$1 == "Inst" { print $2 }')
		# The package itself also when it is installed on this machine.
		(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download $needed >/dev/null)
		: >"$stamp.new"
		for f in "$tmp"/*.deb; do
			n=${f##*/}
			mv "$f" "$folder/$n"
			case $n in "${p}"_*) continue ;; esac
			echo "$folder/$n" >>"$stamp.new"
		done
		ls "$folder/${p}"_*.deb | tail -n 1 >>"$stamp.new"
		mv "$stamp.new" "$stamp"
		rm -rf "$tmp"
	fi
	cat "$stamp"
done
