/* SPDX-License-Identifier: MIT
 *
 * Words that come from outside are only ever positional parameters of a fixed
 * script, never part of its text.
 */
#include "broker/install_steps.h"

#include "broker/install.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PACKAGES_MAX 512u /* with those that the host's lists add */

#define STAGE "/tmp/cowbell-install"

static const char take_package[] = "mkdir -p " STAGE " && cat >" STAGE "/$1.deb";
static const char read_fields[] = "exec dpkg-deb -f " STAGE "/0.deb Package Version Architecture Description";
/* dpkg unpacks in the order given, and refuses what stands before something that
 * it pre-depends on. So the app itself comes last, and what was not unpacked gets
 * another turn for as long as that helps. */
#define UNPACK \
	"cd " STAGE " && set -- [1-9]*.deb 0.deb || exit\n" \
	"[ -e \"$1\" ] || shift\n" \
	"left() {\n" \
	"	for f; do\n" \
	"		dpkg-query -W -f '${db:Status-Status} ${Version};\\n' \"$(dpkg-deb -f $f Package)\" 2>/dev/null |\n" \
	"			grep -F \" $(dpkg-deb -f $f Version);\" | grep -Eqv '^(not-installed|config-files|half-installed) ' || echo $f\n" \
	"	done\n" \
	"}\n" \
	"unpack() {\n" \
	"	dpkg --force-unsafe-io -i \"$@\" </dev/null && return\n" \
	"	l=$(left \"$@\")\n" \
	"	[ \"$l\" ] || return 1\n" \
	"	while [ \"$l\" ]; do\n" \
	"		n=$#\n" \
	"		set -- $l\n" \
	"		[ $# -lt $n ] || return 1\n" \
	"		dpkg --force-unsafe-io -i \"$@\" </dev/null\n" \
	"		l=$(left \"$@\")\n" \
	"	done\n" \
	"	dpkg --configure --pending </dev/null\n" \
	"}\n"
static const char unpack_deb[] = UNPACK "unpack \"$@\"";
/* What the host has by now in the same version or a later one is not put over it. It
 * is where something needs just the version that was kept. */
#define HOST_HAS \
	"has() {\n" \
	"	h=$(dpkg-query -W -f '${db:Status-Status} ${Version}' \"$(dpkg-deb -f $1 Package)\" 2>/dev/null)\n" \
	"	case $h in \"installed \"*) ;; *) return 1 ;; esac\n" \
	"	h=${h#installed }\n" \
	"	dpkg --compare-versions \"$h\" ge \"$(dpkg-deb -f $1 Version)\"\n" \
	"}\n"
#define NOTE_PACKAGE "mkdir -p /var/lib/cowbell-app && printf '%s\\n' \"$p\" >/var/lib/cowbell-app/package"
static const char unpack_again[] =
	UNPACK HOST_HAS "all=$* p=$(dpkg-deb -f 0.deb Package) && set -- || exit\n"
	"for f in $all; do has $f || set -- \"$@\" $f; done\n"
	"if [ $# = 0 ]; then " NOTE_PACKAGE "; exit; fi\n"
	"unpack \"$@\" || { [ \"$*\" != \"$all\" ] && unpack $all; }";
static const char read_again[] =
	"cd " STAGE "\n" HOST_HAS
	"if has 0.deb; then printf 'Package: %s\\nVersion: %s\\nBase: yes\\n' \"$(dpkg-deb -f 0.deb Package)\" \"$h\"; exit; fi\n"
	"exec dpkg-deb -f 0.deb Package Version Architecture Description";
static const char unpack_directory[] = "mkdir -p \"/opt/$1\" && exec tar -x --no-same-owner -C \"/opt/$1\"";
/* What it unpacks was checked: below /usr, /opt and /etc, no devices, no set-id. */
static const char unpack_bundle[] = "exec tar -x --no-same-owner --keep-directory-symlink -C /";
static const char unpack_program[] =
	"mkdir -p " STAGE " /usr/local/bin && tar -x --no-same-owner -C " STAGE " && set -- \"$1\" " STAGE "/* && "
	"test $# -eq 2 && test -f \"$2\" && test ! -h \"$2\" && exec install -m 755 \"$2\" \"/usr/local/bin/$1\"";
/* Remembers the topmost folder that has to be made, so that afterwards just
 * what came in goes again. */
static const char place_copy[] =
	"mkdir -p " STAGE " && if [ -e \"$1\" ]; then echo \"cowbell: $1 is part of the base already\" >&2; exit 1; fi; "
	"t=$1; while p=$(dirname \"$t\"); [ ! -e \"$p\" ]; do t=$p; done; printf %s \"$t\" >" STAGE "/top; "
	"mkdir -p \"$1\" && exec tar -x --no-same-owner -C \"$1\"";
/* What an installer put there as root is to be its person's, who runs the app. */
static const char own_home[] =
	"[ ~ != / ] && o=$(stat -c %u:%g ~ 2>/dev/null) || exit 0\n"
	"exec find ~ -xdev -mindepth 1 -user 0 -exec chown -h \"$o\" {} +";
static const char remove_copy[] = "t=$(cat " STAGE "/top) && exec rm -rf \"$t\"";

/* The programs and desktop entries of the package, and the names that alternatives
 * give to its files: see inspect/entries.c. One that has nothing but words about
 * itself is there for what it depends on: that is what its person asked for. */
static const char list_entries[] =
	"mkdir -p " STAGE " && files=" STAGE "/files\n"
	"all=${1:-$(for d in " STAGE "/*.deb; do dpkg-deb -f $d Package; done)}\n"
	"p=${1:-$(dpkg-deb -f " STAGE "/0.deb Package)} || exit\n"
	"list() { dpkg -L \"$@\" 2>/dev/null >$files; }\n"
	"is_words() {\n"
	"	grep -Ev '^/usr/share/(doc|lintian|bug)/' $files | while IFS= read -r f; do\n"
	"		[ ! -f \"$f\" ] || [ -h \"$f\" ] || exit 1\n"
	"	done\n"
	"}\n"
	/* p: what p depends on, as far as it is there, in its own order. */
	"needs() {\n"
	"	n=$(dpkg-query -W -f '${Pre-Depends},${Depends}\n' $p | tr ',|' '\\n\\n' | sed 's/^ *//; s/[ (:].*//')\n"
	"	p=\n"
	"	for n in $n; do\n"
	"		case \" $p \" in *\" $n \"*) continue ;; esac\n"
	"		[ \"$(dpkg-query -W -f '${db:Status-Status}' $n 2>/dev/null)\" != installed ] || p=\"$p $n\"\n"
	"	done\n"
	"	[ \"$p\" ] && list $p\n"
	"}\n"
	"programs() {\n"
	"	grep -E '^(/usr)?/s?bin/|^/usr/games/|^/usr/local/.*bin/|^/opt/.*/bin/' $files | while IFS= read -r f; do\n"
	"		[ ! -f \"$f\" ] || [ ! -x \"$f\" ] || printf 'program %s\\n' \"$f\"\n"
	"	done\n"
	"}\n"
	"name=$p\n"
	"list $p\n"
	"for i in 1 2 3; do is_words && needs || break; done\n"
	"programs\n"
	"grep '^/usr/share/applications/.*\\.desktop$' $files | while IFS= read -r f; do\n"
	"	[ -f \"$f\" ] || continue\n"
	"	printf 'entry %s %d\\n' \"$f\" \"$(head -c 65536 -- \"$f\" | wc -c)\"\n"
	"	head -c 65536 -- \"$f\" && echo\n"
	"done\n"
	"choices() {\n"
	"	find /etc/alternatives -type l -printf '%l\\n' 2>/dev/null | grep -Fxf - $files | while IFS= read -r f; do\n"
	"		grep -slxF -- \"$f\" /var/lib/dpkg/alternatives/* | while IFS= read -r a; do\n"
	"			[ \"$(readlink \"/etc/alternatives/${a##*/}\")\" != \"$f\" ] || sed -n '2s,^\\(/usr/s*bin/\\),program \\1,p' \"$a\"\n"
	"		done\n"
	"	done\n"
	"}\n"
	"choices\n"
	/* What is called like it and lies in a package that it needs (dnsmasq). */
	"if [ ! \"$({ programs; choices; } | head -n 1)\" ] && needs; then programs | grep \"/$name\\$\"; fi\n"
	/* Services are often a package of their own that the app depends on. */
	"dpkg -L $all | while IFS= read -r f; do\n"
	"	case $f in\n"
	"	*@.service) ;;\n"
	"	/lib/systemd/system/*.service|/usr/lib/systemd/system/*.service)\n"
	"		[ -f \"$f\" ] && [ ! -h \"$f\" ] || continue\n"
	"		printf 'unit %s %d\\n' \"$f\" \"$(head -c 65536 -- \"$f\" | wc -c)\"\n"
	"		head -c 65536 -- \"$f\" && echo ;;\n"
	"	/usr/lib/tmpfiles.d/*.conf)\n"
	"		[ -f \"$f\" ] && [ ! -h \"$f\" ] || continue\n"
	"		printf 'tmpfiles %s %d\\n' \"$f\" \"$(head -c 65536 -- \"$f\" | wc -c)\"\n"
	"		head -c 65536 -- \"$f\" && echo ;;\n"
	"	esac\n"
	"done";
static const char note_base[] =
	"p=$1; [ \"$(dpkg-query -W -f '${db:Status-Status}' \"$p\" 2>/dev/null)\" = installed ] ||\n"
	"	{ echo \"this system had $p itself, and has it no more\" >&2; exit 1; }\n"
	NOTE_PACKAGE;

static struct install_step *add_step(struct install_plan *plan, const char *what, const char *script)
{
	struct install_step *step;

	plan->steps = xrealloc(plan->steps, (plan->count + 1) * sizeof(*plan->steps));
	step = &plan->steps[plan->count++];
	memset(step, 0, sizeof(*step));
	step->what = what;
	step->script = script;
	step->file = -1;
	step->cwd = "/root";
	step->argv = xcalloc(2, sizeof(*step->argv));
	return step;
}

static void plan_deb(struct install_plan *plan, const struct install_request *r)
{
	struct install_step *step;

	for (size_t i = 0; i < r->file_count; i++) {
		step = add_step(plan, "take in the package", take_package);
		step->argv[0] = xasprintf("%zu", i);
		step->file = (int)i;
	}
	add_step(plan, "read the package", r->again ? read_again : read_fields)->fields = true;
	add_step(plan, "dpkg", r->again ? unpack_again : unpack_deb)->manager = true;
	add_step(plan, "find its programs", list_entries)->entries = true;
}

static void plan_command(struct install_plan *plan, const struct install_request *r)
{
	struct install_step *step;
	size_t n = 0;

	if (r->with) {
		step = add_step(plan, "copy the folder in", place_copy);
		step->argv[0] = xstrdup(r->with);
		step->file = 0;
		plan->cwd = xstrdup(r->with);
	}
	step = add_step(plan, "the installer", NULL);
	free(step->argv);
	while (r->argv[n])
		n++;
	step->argv = xcalloc(n + 1, sizeof(*step->argv));
	for (size_t i = 0; i < n; i++)
		step->argv[i] = xstrdup(r->argv[i]);
	step->with_person = step->at_home = true;
	if (r->with) {
		step->cwd = plan->cwd;
		add_step(plan, "take the folder out again", remove_copy);
	}
	add_step(plan, "give its person the home", own_home)->at_home = true;
}

static int check_request(const struct install_request *r, struct err *err)
{
	bool deb = strcmp(r->kind, "deb") == 0, bundle = strcmp(r->kind, "bundle") == 0, command = strcmp(r->kind, "command") == 0;

	if (!deb && !bundle && !command && strcmp(r->kind, "directory") != 0 && strcmp(r->kind, "program") != 0)
		return err_set(err, EINVAL, "kind of package '%s' is not known (deb, bundle, directory, program, command)",
			       r->kind);
	if (command && (!r->argv || !r->argv[0]))
		return err_set(err, EINVAL, "no installer command was named");
	if (r->with && r->with[0] != '/')
		return err_set(err, EINVAL, "folder '%s' is not an absolute path", r->with);
	if (deb ? r->file_count < 1 || r->file_count > PACKAGES_MAX
		: r->file_count != (command && !r->with ? 0u : 1u))
		return err_set(err, EINVAL, "%zu files came with a package of kind '%s'", r->file_count, r->kind);
	return 0;
}

int install_plan_make(struct install_plan *plan, const struct install_request *r, struct err *err)
{
	struct install_step *step;

	memset(plan, 0, sizeof(*plan));
	if (check_request(r, err) < 0)
		return -1;
	if (strcmp(r->kind, "deb") == 0) {
		plan_deb(plan, r);
	} else if (strcmp(r->kind, "bundle") == 0) {
		add_step(plan, "unpack the bundle", unpack_bundle)->file = 0;
	} else if (strcmp(r->kind, "command") == 0) {
		plan_command(plan, r);
	} else {
		step = strcmp(r->kind, "directory") == 0 ? add_step(plan, "unpack the folder", unpack_directory)
							  : add_step(plan, "put the program in place", unpack_program);
		step->argv[0] = xstrdup(r->name);
		step->file = 0;
	}
	return 0;
}

int install_plan_base(struct install_plan *plan, const char *package, struct err *err)
{
	struct install_step *step;

	(void)err;
	memset(plan, 0, sizeof(*plan));
	step = add_step(plan, "look for the package", note_base);
	step->argv[0] = xstrdup(package);
	step->manager = true;
	step = add_step(plan, "find its programs", list_entries);
	step->argv[0] = xstrdup(package);
	step->entries = true;
	return 0;
}

void install_plan_finish(struct install_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		for (char **p = plan->steps[i].argv; *p; p++)
			free(*p);
		free(plan->steps[i].argv);
	}
	free(plan->steps);
	free(plan->cwd);
	memset(plan, 0, sizeof(*plan));
}

char **install_step_argv(const struct install_step *step)
{
	size_t n = 0, out = 0;
	char **argv;

	while (step->argv[n])
		n++;
	argv = xcalloc(n + 5, sizeof(*argv));
	if (step->script) {
		argv[out++] = xstrdup("/bin/sh");
		argv[out++] = xstrdup("-c");
		argv[out++] = xstrdup(step->script);
		argv[out++] = xstrdup("sh");
	}
	for (size_t i = 0; i < n; i++)
		argv[out++] = xstrdup(step->argv[i]);
	return argv;
}
