/* SPDX-License-Identifier: MIT
 *
 * Debian packages: opened by the host's own dpkg-deb, which runs as we do, with
 * no rights; its output is read here.
 */
#include "inspect/inspect.h"

#include "base/fields.h"
#include "inspect/members.h"
#include "inspect/scan.h"
#include "inspect/tar.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#define CONTROL_MAX 262144u

static char path_variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
static char *const environment[] = { path_variable, NULL };

/* dpkg-deb OPTION FILE on a pipe. */
static int start(int fd, const char *option, pid_t *ret_pid, struct err *err)
{
	int ends[2];

	/* Through its standard input: the file is its owner's, and not ours to open. */
	if (lseek(fd, 0, SEEK_SET) < 0 || pipe2(ends, O_CLOEXEC) < 0 || (*ret_pid = fork()) < 0)
		return err_sys(err, "start dpkg-deb");
	if (*ret_pid == 0) {
		int null = open("/dev/null", O_RDWR);

		if (null < 0 || dup2(fd, 0) < 0 || dup2(ends[1], 1) < 0 || dup2(null, 2) < 0)
			_exit(126);
		(void)execle("/usr/bin/dpkg-deb", "dpkg-deb", option, "-", (char *)NULL, environment);
		_exit(127);
	}
	(void)close(ends[1]);
	return ends[0];
}

static int finish(pid_t pid, struct err *err)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		return err_sys(err, "wait for dpkg-deb");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(err, EINVAL, "this is not a Debian package that dpkg-deb can read");
}

static void tell_depends(const struct field *f)
{
	const char *p = f->value, *end = f->more_len ? f->more + f->more_len : f->value + f->value_len;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p)), *stop = comma ? comma : end;
		char one[INSPECT_VALUE_SIZE];
		size_t n = 0;

		/* Lines that go on are one line. */
		for (; p < stop && n < sizeof(one) - 1; p++) {
			char c = isspace((unsigned char)*p) ? ' ' : *p;

			if (!(c == ' ' && (n == 0 || one[n - 1] == ' ')))
				one[n++] = c;
		}
		while (n && one[n - 1] == ' ')
			n--;
		if (n)
			tell_fact(INSPECT_DEPENDS, one, n);
		p = stop + 1;
	}
}

static void tell_description(const struct field *f)
{
	const char *p = f->more, *end = f->more + f->more_len;

	tell_fact(INSPECT_SUMMARY, f->value, f->value_len);
	for (int lines = 0; p < end && lines < 60; lines++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;

		while (p < stop && *p == ' ')
			p++;
		tell_fact(INSPECT_DESCRIPTION, p, stop == p + 1 && *p == '.' ? 0 : (size_t)(stop - p));
		p = stop + 1;
	}
}

static void tell_size(const struct field *f)
{
	unsigned long long n = 0;
	char text[32];

	for (size_t i = 0; i < f->value_len && isdigit((unsigned char)f->value[i]) && n < 1ull << 50; i++)
		n = n * 10 + (unsigned long long)(f->value[i] - '0');
	(void)snprintf(text, sizeof(text), "%llu", n * 1024);
	tell_fact(INSPECT_INSTALLED_SIZE, text, strlen(text));
}

static struct judge *judge; /* NULL: the contents are not asked for */

/* "contacts: find friends with a torch", a line each. */
static void take_says(const struct field *f)
{
	const char *p = f->value, *end = f->more_len ? f->more + f->more_len : f->value + f->value_len;
	char line[INSPECT_VALUE_SIZE];

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;

		while (p < stop && (*p == ' ' || *p == '\t'))
			p++;
		if (judge)
			judge_says(judge, p, (size_t)(stop - p));
		else if (says_line(p, (size_t)(stop - p), line))
			tell_fact(INSPECT_SAYS, line, strlen(line));
		p = stop + 1;
	}
}

static void judge_field(const struct field *f)
{
	if (field_is(f, "Section"))
		judge_section(judge, f->value, f->value_len);
	else if (field_is(f, "Package") || field_is(f, "Description"))
		judge_words(judge, f->value, f->value_len);
}

static void tell_field(const struct field *f)
{
	static const struct {
		const char *name;
		enum inspect_key key;
	} plain[] = {
		{ "Package", INSPECT_NAME },     { "Version", INSPECT_VERSION },       { "Architecture", INSPECT_ARCH },
		{ "Section", INSPECT_SECTION },  { "Maintainer", INSPECT_MAINTAINER }, { "Homepage", INSPECT_HOMEPAGE },
	};

	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		if (field_is(f, plain[i].name))
			tell_fact(plain[i].key, f->value, f->value_len);
	}
	if (judge)
		judge_field(f);
	if (field_is(f, "Cowbell-Permissions"))
		take_says(f);
	if (field_is(f, "Depends") || field_is(f, "Pre-Depends"))
		tell_depends(f);
	else if (field_is(f, "Description"))
		tell_description(f);
	else if (field_is(f, "Installed-Size"))
		tell_size(f);
}

static ssize_t read_pipe(void *source, void *buf, size_t size)
{
	ssize_t n;

	do
		n = read(*(int *)source, buf, size);
	while (n < 0 && errno == EINTR);
	return n;
}

static const char *plain_name(const char *name)
{
	return strncmp(name, "./", 2) == 0 ? name + 2 : name;
}

static int take_control(struct tar *tar, struct err *err)
{
	static char text[CONTROL_MAX];
	size_t n = 0;
	ssize_t got = 1;
	const char *p = text;
	struct field field;

	while (n < sizeof(text) && (got = tar_read(tar, text + n, sizeof(text) - n, err)) > 0)
		n += (size_t)got;
	if (got < 0)
		return -1;
	if (n == sizeof(text))
		return err_set(err, EFBIG, "the package says more than %u bytes of itself", CONTROL_MAX);
	while (field_next(&p, text + n, &field))
		tell_field(&field);
	return 0;
}

static bool is_script(const char *name)
{
	static const char *const scripts[] = { "preinst", "postinst", "prerm", "postrm", "config" };

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		if (strcmp(name, scripts[i]) == 0)
			return true;
	}
	return false;
}

static int walk_control(struct tar *tar, struct tar_member *m, bool contents, struct err *err)
{
	bool found = false;
	int rc;

	while ((rc = tar_next(tar, m, err)) == 1) {
		const char *name = plain_name(m->name);

		if (strcmp(name, "control") == 0 && m->kind == TAR_FILE) {
			if (found)
				return err_set(err, EINVAL, "the package has two control files");
			found = true;
			if (take_control(tar, err) < 0)
				return -1;
		} else if (contents && is_script(name)) {
			tell_fact(INSPECT_SCRIPT, name, strlen(name));
		}
	}
	if (rc == 0 && !found)
		return err_set(err, EINVAL, "the package has no control file");
	return rc;
}

static int walk(int fd, const char *option, bool contents,
		int (*fn)(struct tar *tar, struct tar_member *m, bool contents, struct err *err), struct err *err)
{
	struct tar_member *m = xcalloc(1, sizeof(*m));
	struct tar *tar = xcalloc(1, sizeof(*tar));
	struct err walking = { 0 }, ending = { 0 };
	pid_t pid = -1;
	int in = start(fd, option, &pid, err), rc = -1, ended;

	tar->read = read_pipe;
	tar->source = &in;
	if (in >= 0) {
		rc = fn(tar, m, contents, &walking);
		if (rc == 0) { /* to the end, or dpkg-deb would not end well */
			char rest[4096];

			while (read_pipe(&in, rest, sizeof(rest)) > 0)
				continue;
		}
		(void)close(in);
		ended = finish(pid, &ending);
		/* A stream that is cut off is dpkg-deb's failure, which says what it is. */
		if (rc < 0)
			*err = walking.code == EPROTO && ended < 0 ? ending : walking;
		else if (ended < 0)
			*err = ending, rc = -1;
	}
	free(tar);
	free(m);
	return rc;
}

/* --- what it carries --- */

struct carried {
	uint64_t files, bytes;
	unsigned int told;
};

#define TOLD_MAX 2000u

static bool is_program_path(const char *name)
{
	static const char *const folders[] = { "usr/bin/",  "usr/sbin/", "bin/", "sbin/", "usr/games/", "usr/local/bin/",
					       "usr/local/games/" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		size_t n = strlen(folders[i]);

		if (strncmp(name, folders[i], n) == 0 && name[n] && !strchr(name + n, '/'))
			return true;
	}
	return strncmp(name, "opt/", 4) == 0 && strstr(name, "/bin/");
}

/* Texts for people name everything and do nothing. */
static bool is_text_for_people(const char *name)
{
	static const char *const folders[] = { "usr/share/doc/",  "usr/share/man/",  "usr/share/info/", "usr/share/locale/",
					       "usr/share/icons/", "usr/share/pixmaps/", "usr/share/lintian/",
					       "usr/share/metainfo/", "usr/share/help/" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (strncmp(name, folders[i], strlen(folders[i])) == 0)
			return true;
	}
	return false;
}

static void tell_odd(struct carried *c, const char *what, const char *name)
{
	char text[INSPECT_VALUE_SIZE];

	if (c->told++ > TOLD_MAX)
		return;
	(void)snprintf(text, sizeof(text), "%s: %.800s", what, name);
	tell_fact(INSPECT_ODD, text, strlen(text));
}

static bool climbs(const char *name)
{
	return name[0] == '/' || strcmp(name, "..") == 0 || strncmp(name, "../", 3) == 0 || strstr(name, "/../") ||
	       (strlen(name) > 2 && strcmp(name + strlen(name) - 3, "/..") == 0);
}

static void look_at_member(struct carried *c, const struct tar_member *m, const char *name)
{
	char path[TAR_NAME_SIZE + 1];

	(void)snprintf(path, sizeof(path), "/%s", name);
	if (climbs(name))
		tell_odd(c, "a path that leads out of its place", name);
	if (m->kind == TAR_CHAR || m->kind == TAR_BLOCK || m->kind == TAR_FIFO)
		tell_odd(c, "a device or a pipe", name);
	if (m->kind == TAR_HARDLINK && climbs(plain_name(m->target)))
		tell_odd(c, "a link that leads out of its place", name);
	if ((m->kind == TAR_FILE || m->kind == TAR_HARDLINK) && (m->mode & 06000) && c->told++ < TOLD_MAX)
		tell_fact(INSPECT_SETID, path, strlen(path));
	if (is_program_path(name) && (m->kind == TAR_SYMLINK || m->kind == TAR_HARDLINK || (m->mode & 0111)) &&
	    m->kind != TAR_DIR && c->told++ < TOLD_MAX)
		tell_fact(INSPECT_PROGRAM, path, strlen(path));
	if (m->kind == TAR_FILE && (strstr(name, "systemd/system/") || strncmp(name, "etc/init.d/", 11) == 0) &&
	    c->told++ < TOLD_MAX)
		tell_fact(INSPECT_SERVICE, path, strlen(path));
	scan_path(judge_scan(judge), path);
}

static bool has_end(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

static int take_entry(struct tar *tar, struct err *err)
{
	static char text[65536];
	struct desktop d;
	size_t n = 0;
	ssize_t got = 1;

	while (n < sizeof(text) && (got = tar_read(tar, text + n, sizeof(text) - n, err)) > 0)
		n += (size_t)got;
	if (got < 0)
		return -1;
	if (!desktop_parse(text, n, &d))
		return 0;
	tell_fact(INSPECT_ENTRY_NAME, d.name, strlen(d.name));
	tell_fact(INSPECT_ENTRY_EXEC, d.exec, strlen(d.exec));
	judge_category(judge, d.categories);
	return 0;
}

static int scan_content(struct tar *tar, struct err *err)
{
	static char buf[65536];
	bool first = true;
	ssize_t n;

	while ((n = tar_read(tar, buf, sizeof(buf), err)) > 0) {
		if (first)
			scan_begin_file(judge_scan(judge), n > 4 && memcmp(buf, "\177ELF", 4) == 0);
		first = false;
		scan_bytes(judge_scan(judge), buf, (size_t)n);
	}
	if (!first)
		scan_end_file(judge_scan(judge));
	return n < 0 ? -1 : 0;
}

static void tell_number(enum inspect_key key, uint64_t n)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	tell_fact(key, text, strlen(text));
}

static int walk_data(struct tar *tar, struct tar_member *m, bool contents, struct err *err)
{
	struct carried c = { 0 };
	int rc;

	(void)contents;
	while ((rc = tar_next(tar, m, err)) == 1) {
		const char *name = plain_name(m->name);

		look_at_member(&c, m, name);
		if (m->kind != TAR_FILE)
			continue;
		c.files++;
		c.bytes += m->size;
		if (strncmp(name, "usr/share/applications/", 23) == 0 && has_end(name, ".desktop"))
			rc = take_entry(tar, err);
		else if (!is_text_for_people(name))
			rc = scan_content(tar, err);
		if (rc < 0)
			return -1;
	}
	if (rc < 0)
		return rc;
	tell_number(INSPECT_FILES, c.files);
	tell_number(INSPECT_BYTES, c.bytes);
	return 0;
}

/* Before an install: that it is unpacked where it says, and how much it is. */
static int check_data(struct tar *tar, struct tar_member *m, bool contents, struct err *err)
{
	struct members members = { .package = true };
	uint64_t bytes = 0;
	int rc;

	(void)contents;
	while ((rc = tar_next(tar, m, err)) == 1 && members_take(&members, m, err) == 0)
		bytes += m->size;
	members_finish(&members);
	if (rc == 0)
		tell_number(INSPECT_BYTES, bytes);
	return rc ? -1 : 0;
}

int deb_read(int fd, bool contents, struct err *err)
{
	if (contents && !(judge = judge_create(err)))
		return -1;
	if (walk(fd, "--ctrl-tarfile", contents, walk_control, err) < 0)
		return -1;
	if (!contents)
		return walk(fd, "--fsys-tarfile", false, check_data, err);
	if (walk(fd, "--fsys-tarfile", true, walk_data, err) < 0)
		return -1;
	judge_tell(judge);
	return 0;
}

int program_read(int fd, struct err *err)
{
	static char buf[65536];
	uint64_t size = 0;
	ssize_t n = 0;

	judge = judge_create(err);
	if (!judge)
		return -1;
	while ((n = pread(fd, buf, sizeof(buf), (off_t)size)) > 0) {
		if (size == 0)
			scan_begin_file(judge_scan(judge), n > 4 && memcmp(buf, "\177ELF", 4) == 0);
		scan_bytes(judge_scan(judge), buf, (size_t)n);
		size += (uint64_t)n;
	}
	if (n < 0)
		return err_sys(err, "read the program");
	scan_end_file(judge_scan(judge));
	tell_number(INSPECT_FILES, 1);
	tell_number(INSPECT_BYTES, size);
	judge_tell(judge);
	return 0;
}
