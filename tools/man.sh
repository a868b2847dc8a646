#!/bin/sh
# SPDX-License-Identifier: MIT
# man.sh BIN OUT: the manual pages, from docs/man. What programs and the interface
# say of themselves is taken from them, so that it cannot grow stale.
set -eu
cd "$(dirname "$0")/.."
bin=$1 out=$2
mkdir -p "$out"

# Text into scdoc's: marks that mean something to it stand for themselves.
plain() { sed 's/[\\*_#.~<]/\\&/g; s/^ *//'; }

verbs() {
	"$bin/cowbell" --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' | while read -r verb; do
		"$bin/cowbell" "$verb" --help | {
			read -r usage
			read -r help
			printf '*%s*\n\t%s.\n\n' "$(printf '%s\n' "$usage" | plain)" "$(printf '%s\n' "$help" | plain)"
		}
	done
}

# Lines of "  --option WORD  text" and their indented continuation.
options() {
	"$bin/cowbelld" --help | sed -n '/^  --/,$p' | awk '
		/^  --/ {
			split($0, part, /   */)
			if (NR > 1) printf "\n"
			printf "*%s*\n", part[2]
			text = part[3]
			if (text != "") printf "\t%s\n", text
			next
		}
		{ sub(/^ */, ""); printf "\t%s\n", $0 }' | sed 's/\([#_~]\)/\\\1/g'
}

interface() {
	printf '```\n'
	grep -v '^# SPDX' broker/proto/io.cowbell.varlink
	printf '```\n'
}

for page in docs/man/*.scd; do
	name=$(basename "$page" .scd)
	while IFS= read -r line; do
		case $line in
		@VERBS@) verbs ;;
		@OPTIONS@) options ;;
		@INTERFACE@) interface ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$page" | scdoc >"$out/$name.new"
	mv "$out/$name.new" "$out/$name"
done
