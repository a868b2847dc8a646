# SPDX-License-Identifier: MIT
# Packages by name: resolved, fetched and verified by the host's own package
# manager, installed in a sandbox of their own.

has_archive || { echo "skip packages by name: this machine lacks an archive to fetch from"; return; }
is_here() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
strange= own=
for p in figlet sl cowsay; do is_here "$p" || { strange=$p; break; }; done
for p in sqlite3 jq tmux strace; do ! is_here "$p" || { own=$p; break; }; done

dry=$(cb --json install --dry-run $strange)
is "a dry run lists what would come" "$(jq -r '.packages[] | select(.asked).name' <<<"$dry")" $strange
is "and how large it is" "$(jq '[.packages[] | select(.download > 0 and .installed > 0)] | length > 0' <<<"$dry")" true
is "and installs nothing" "$(cb --json list | jq '.apps | length')" 0
ok "a package by its name" cb install $strange
is "it is an app" "$(cb --json info $strange | jq -r '.app | [.id, .package, (.from_base | tostring)] | join(" ")')" "$strange $strange false"
like "its program is known" "$(cb --json info $strange | jq -r .app.main)" "/$strange\$"
like "it runs" "$(timeout 20 "$BIN/cowbell" --root "$R" run figlet -- hi </dev/null 2>&1 || true)$strange" '\| \||^no app|sl|cowsay'
fails "twice is refused" 1 "installed already" cb install $strange
ok "another name for it" cb install --name second $strange
fails "a name that is in no list" 1 "no package 'no-such-package-at-all' in this system's lists" cb install no-such-package-at-all
fails "a name that takes away" 1 "is no name of a package" cb install "$own-"
fails "a name that is an option" 2 "no option" cb install --reinstall
fails "an option behind dashes" 2 "usage" cb install -- --reinstall
fails "a pattern" 1 "no package 'figle.' in this system's lists" cb install 'figle.'
fails "a name with a blank" 1 "is no name of a package" cb install 'sl figlet'
fails "a name with a machine" 1 "'sl:i386' is no name of a package (without what follows the ':'" cb install sl:i386
fails "a name with a version" 1 "'sl=5' is no name of a package (without what follows the '='" cb install sl=5
fails "a task" 1 "that is a task of apt's" cb inspect 'lamp-server^'
fails "a name with a release is a file that is not there" 1 "sl/stable: No such file or directory (a package's name has no '/')" cb install sl/stable
fails "for a look as well" 1 "(a package's name has no '/')" cb inspect sl/stable
fails "what several provide names each once" 1 "no package 'httpd' in this system's lists (it is provided by " cb install httpd
is "each once" "$(sed 's/.*provided by //; s/)$//' "$T/out" | tail -n 1 | tr -d ' ' | tr , '\n' | sort | uniq -d)" ""
! is_here systemd-sysv || fails "what would take something from the host" 1 "it cannot stand beside what this system has itself: " cb install sysvinit-core
ok "what the host has itself" cb install $own
is "comes from the base" "$(cb --json info $own | jq .app.from_base)" true
like "and is known by its programs" "$(cb --json info $own | jq -r .app.main)" "/$own\$"
like "the host's program runs in a sandbox" "$(cb run $own -- -V </dev/null 2>&1; cb run $own -- --version </dev/null 2>&1)" '[0-9]+\.[0-9]+'
like "a name can be looked into" "$(cb inspect $strange)" "^$strange .*from this system.s lists, signed by its keys"
like "search finds it" "$(cb search $own)" "^$own .*this system has it"
like "and says so when nothing is found" "$(cb search nothing-is-called-like-this)" 'Nothing in this'
ok "a file alone gets what it depends on from the lists" cb install --name book "$(tools/fetch-debs.sh build/debs khard | tail -n 1)"
like "and runs" "$(cb run book -- --version </dev/null 2>&1)" '[Kk]hard'
is "no folder of a download is left" "$(find "$R/state/fetch" -name 'job.*' | wc -l)" 0
timeout -s INT 0.7 "$BIN/cowbell" --root "$R" install --name cutoff $strange >"$T/cut.out" 2>&1
like "Ctrl-C ends it" "$(cat "$T/cut.out")" 'interrupted; nothing was installed'
like "and nothing of it is left" "$(cb info cutoff 2>&1)" 'no app of this name'
for a in $(cb --json list | jq -r '.apps[].id'); do cb --yes uninstall "$a" >/dev/null; done
is "uninstalling all leaves an empty store" "$(find "$R/state/store" -mindepth 2 | wc -l)" 0
