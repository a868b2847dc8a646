# SPDX-License-Identifier: MIT
# The manual pages against the programs, and completion against a system.

command -v scdoc >/dev/null || { echo "skip the manual pages: this machine lacks scdoc"; return; }
cd "$TOP" || exit 1
ok "the pages are made" tools/man.sh "$BIN" "$T/man"
is "each program of a person, each format and the socket" "$(ls "$T/man" | tr '\n' ' ')" \
	'cowbell-policy.5 cowbell-socket.7 cowbell-tty.1 cowbell.1 cowbelld.8 '
# What scdoc wrote, without its marks: words and their spaces.
text() { sed 's/\\fB//g; s/\\fI//g; s/\\fR//g; s/\\&//g; s/\\-/-/g; s/\\//g' "$T/man/$1" | tr -s '\n ' '  '; }
missing=
for verb in $(cb --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'); do
	usage=$(cb "$verb" --help | head -n 1)
	text cowbell.1 | grep -qF -- "$usage" || missing="$missing [$usage]"
done
is "each verb with all its words" "$missing" ''
missing=
for option in $("$BIN/cowbelld" --help | grep -o -- '--[a-z-]*' | sort -u); do
	text cowbelld.8 | grep -qF -- "$option" || missing="$missing $option"
done
is "each option of cowbelld" "$missing" ''
missing=
for option in $("$BIN/cowbell-tty" --help | grep -o -- '--[a-z-]*' | sort -u); do
	text cowbell-tty.1 | grep -qF -- "$option" || missing="$missing $option"
done
is "each option of cowbell-tty" "$missing" ''
missing=
for method in $(sed -n 's/^method \([A-Za-z]*\).*/\1/p' broker/proto/io.cowbell.varlink); do
	text cowbell-socket.7 | grep -qF "method $method(" || missing="$missing $method"
done
is "each method of the socket" "$missing" ''
like "an option that the page names in passing is one" "$(text cowbell.1 | grep -o -- '--[a-z-]*' | sort -u | tr '\n' ' ')" '--hook'
missing=
for option in $(text cowbell.1 | grep -o -- ' --[a-z-]*' | sort -u); do
	{ cb --help; for verb in $(cb --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'); do cb "$verb" --help; done; } | grep -qF -- "$option" ||
		case $option in --help | --version) ;; *) missing="$missing $option" ;; esac
done
is "no page names an option that does not exist" "$missing" ''
missing=
for word in no ask empty copy read write allow run boot always; do
	text cowbell.1 | grep -q "\b$word\b" || missing="$missing $word"
done
is "each answer and how long" "$missing" ''

# --- completion

app toy || exit 1
app torch || exit 1
complete_for() { # complete_for WORDS...: what comes for the last of them
	PATH=$BIN:$PATH COWBELL_ROOT=$R bash -c '
		. tools/completion/cowbell.bash
		COMP_WORDS=(cowbell "$@"); COMP_CWORD=$#
		_cowbell
		echo "${COMPREPLY[@]}"' bash "$@"
}
is "verbs" "$(complete_for per)" permissions
is "apps" "$(complete_for info to)" 'torch toy'
is "after an option" "$(complete_for stop '')" 'torch toy'
like "permissions" "$(complete_for grant toy '')" 'contacts.*storage'
is "answers" "$(complete_for grant toy contacts re)" read
is "how long" "$(complete_for grant toy contacts read --for al)" always
is "options of a verb" "$(complete_for revoke --s)" '--stop'
is "generations" "$(complete_for pin toy '')" 1
like "files" "$(complete_for policy check examples/kiosk/)" 'examples/kiosk/10-kiosk.rules'
is "nothing for a verb without words" "$(complete_for ps '')" ''

# --- the promises

missing=
for t in $(grep -o "\bt_[a-z][a-z_]*\|\btest_[a-z][a-z_]*" docs/features.md | sort -u); do
	[ -f "tests/system/$t.sh" ] || [ -f "tests/unit/$t.c" ] || missing="$missing $t"
done
is "each test that features.md names is there" "$missing" ''
