# SPDX-License-Identifier: MIT
# Completion of cowbell(1) for bash. What there is to complete is asked of cowbell
# itself, so that it fits the version that is installed.

_cowbell_words() { compgen -W "$1" -- "$2"; }

# The words of a verb that stand for something, one a line: APP, PERMISSION, ...
_cowbell_places() {
	cowbell "$1" --help 2>/dev/null | head -n 1 | cut -d' ' -f3- |
		sed 's/\[--[a-z-]* [^]]*\]\(\.\.\.\)\?//g; s/\[-[^]]*\]//g; s/ -- .*//; s/ | .*//; s/\[:[A-Z]*\]//g; s/[][]//g' |
		tr -s ' ' '\n' | sed '/^$/d; /^-/d'
}

_cowbell_place() { # _cowbell_place PLACE CURRENT WORDS-BEFORE...
	local place=$1 cur=$2 app
	shift 2
	case $place in
	*APP* | NEW)
		app=$(cowbell --json list 2>/dev/null | tr '{' '\n' | sed -n 's/.*"id":"\([a-z0-9.+_-]*\)".*/\1/p')
		_cowbell_words "$app" "$cur"
		[[ $place != *FILE* ]] || compgen -f -- "$cur"
		;;
	PERMISSION*)
		_cowbell_words "$(cowbell --json permissions ${1:+"$1"} 2>/dev/null | tr '{' '\n' |
			sed -n 's/.*"permission":"\([a-z]*\).*/\1/p' | sort -u)" "$cur"
		;;
	ANSWER) _cowbell_words "no ask empty copy read write allow" "$cur" ;;
	ID) _cowbell_words "$(cowbell --json prompts 2>/dev/null | tr '{' '\n' | sed -n 's/.*"id":\([0-9]*\).*/\1/p')" "$cur" ;;
	GENERATION | FROM | TO)
		_cowbell_words "$(cowbell --json generations "$1" 2>/dev/null | tr '{' '\n' |
			sed -n 's/.*"number":\([0-9]*\).*/\1/p')" "$cur"
		;;
	check | test) _cowbell_words "check test" "$cur" ;;
	*FILE* | *PATH* | DIR) compgen -f -- "$cur" ;;
	esac
}

_cowbell() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb= i word places
	local -a before=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--root | --for | --item | --since | --permission | --name | --with | --command | --script | --hook | --locked | --give) ((i++)) ;;
		-*) ;;
		*) if [ -z "$verb" ]; then verb=$word; else before+=("$word"); fi ;;
		esac
	done
	COMPREPLY=()
	case $prev in
	--for) mapfile -t COMPREPLY < <(_cowbell_words "run 90m 4h boot always" "$cur") ;;
	--locked) mapfile -t COMPREPLY < <(_cowbell_words "on off" "$cur") ;;
	--root | --with | --script | --give) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	*)
		if [ -z "$verb" ]; then
			mapfile -t COMPREPLY < <(_cowbell_words "--root --json --quiet --yes --help --version $(cowbell --help 2>/dev/null |
				sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')" "$cur")
		elif [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(_cowbell_words "$(cowbell "$verb" --help 2>/dev/null | head -n 1 | grep -o -- '--[a-z-]*')" "$cur")
		else
			mapfile -t places < <(_cowbell_places "$verb")
			i=${#before[@]}
			[ "$i" -lt "${#places[@]}" ] || i=$((${#places[@]} - 1)) # the last may come again
			[ "$i" -lt 0 ] || mapfile -t COMPREPLY < <(_cowbell_place "${places[i]}" "$cur" "${before[@]}")
		fi
		;;
	esac
}

complete -o filenames -F _cowbell cowbell
