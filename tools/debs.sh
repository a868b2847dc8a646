#!/bin/sh
# SPDX-License-Identifier: MIT
# debs.sh ARCH [--on STATUS] PACKAGE...: downloads packages for ARCH and all they
# need beyond the dpkg status file STATUS (else: beyond nothing), and prints the
# files in the order in which they unpack. Works as any user: the package client
# gets a state of its own under build/apt/ARCH, and the machine's is not touched.
# Versions are those of tools/pins/ARCH as long as the archive has them.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
arch=$1
shift
state=$top/build/apt/$arch
status=$state/status
[ "${1:-}" != --on ] || { status=$2; shift 2; }

mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/none/apt.conf.d" "$state/none/trusted.gpg.d" "$state/none/preferences.d"
exec 9>"$state/lock"
flock 9
: >"$state/status"

# Where this machine's own client gets its packages from, and how.
sources() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sort -u |
		awk '$2 == "bookworm" || $2 == "bookworm-security" {
			print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $1, $2, "main" }'
}
if [ ! -s "$state/sources.list" ]; then
	sources >"$state/sources.new"
	[ -s "$state/sources.new" ] || { echo "debs: this machine's package client has no source of Debian 12 (bookworm)" >&2; exit 1; }
	mv "$state/sources.new" "$state/sources.list"
fi
{
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Check|Retries|ForceIPv)' || true
	cat <<C
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Debug::NoLocking "true";
Dir "$state";
Dir::State "$state";
Dir::State::lists "$state/lists";
Dir::State::status "$status";
Dir::Cache "$state";
Dir::Cache::archives "$state/archives";
Dir::Etc "$state/none";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::preferences "$state/preferences";
Dir::Log "$state";
C
} >"$state/apt.conf"
pins=$top/tools/pins/$arch
[ -f "$pins" ] || pins=/dev/null
awk 'NF == 2 { printf "Package: %s\nPin: version %s\nPin-Priority: 1001\n\n", $1, $2 }' "$pins" >"$state/preferences"
export APT_CONFIG="$state/apt.conf"

# An index is read once, and again when it does not lead to the packages any more.
index() { ls "$state"/lists/*Packages* >/dev/null 2>&1; }
fetch() { apt-get -qq -y --allow-downgrades --download-only install "$@" >"$state/log" 2>&1; }
# One broken source of several is no reason to stop if the rest leads to them.
update() { apt-get -qq update >"$state/update.log" 2>&1 || true; }
index || update
fetch "$@" || { update; fetch "$@"; } || { sed 's/^/debs: /' "$state/update.log" "$state/log" >&2; exit 1; }

apt-get -s -qq -y --allow-downgrades install "$@" | awk '$1 == "Inst" {
	for (i = 3; i <= NF; i++) if ($i ~ /^\(/) { sub(/:.*/, "", $2); sub(/^\(/, "", $i); print $2, $i; break } }' >"$state/found"
if [ -n "${PIN:-}" ]; then
	cat "$state/found" >>"$PIN"
else
	awk 'NR == FNR { pin[$1] = $2; next } pin[$1] != $2 { others = others " " $1 } END { if (others)
		print "debs: not the versions that tools/pins names (make pins):" others }' "$pins" "$state/found" >&2
fi
while read -r name version; do
	for f in "$state/archives/${name}_$(echo "$version" | sed 's/:/%3a/g')"_*.deb; do echo "$f"; done
done <"$state/found"
