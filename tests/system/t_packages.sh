# SPDX-License-Identifier: MIT
# Packages of different kinds by name: installed, run, or asked on their port from
# "cowbell exec", and taken away again. LARGE=1: the twenty of docs/packages.md.
# board

has_archive || { echo "skip packages of different kinds: this machine lacks an archive to fetch from"; return; }
names=
[ -n "${LARGE:-}" ] || names='nano sqlite3 figlet w3m redis-server'
# shellcheck disable=SC2086
tools/packages-table.sh $names >"$T/table" 2>"$T/notices"
is "the table ends well, and nothing is left in its store" "$? $(cat "$T/notices")" "0 "
while IFS='|' read -r _ name _ _ _ _ _ _ result _; do
	case $name in " package " | ---*) continue ;; esac
	like "$name" "$result" '^ runs(; this system.s own)? $'
done <"$T/table"
is "each has a row" "$(grep -c '^| [a-z]' "$T/table")" "$(($([ -n "$names" ] && wc -w <<<"$names" || echo 20) + 1))"
