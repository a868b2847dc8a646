/* SPDX-License-Identifier: MIT
 *
 * apt, unprivileged: it reads the host's lists and state, and writes into /tmp
 * alone. Nothing of it is configured anew: sources, keys and proxies are the
 * host's. Locks are not taken, for nothing is changed.
 */
#include "packages/apt_impl.h"

#include "policy/permission.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool apt_present(void)
{
	return access("/usr/bin/apt-get", X_OK) == 0 && access("/usr/bin/dpkg", X_OK) == 0;
}

void apt_add(struct argv *a, const char *word)
{
	if (a->count + 1 < ARRAY_LEN(a->words))
		a->words[a->count++] = word;
}

void apt_begin(struct argv *a, const char *program)
{
	static const char *const options[] = {
		"-q", "-o", "Debug::NoLocking=1", "-o", "Dir::Cache=/tmp/apt", "-o", "Dir::Cache::archives=/tmp/apt/archives",
		"-o", "Dir::Log=/tmp", "-o", "Dir::State::extended_states=/tmp/apt/states", "-o", "APT::Sandbox::User=", "-o", "APT::Color=0", "-o", "APT::Cmd::Disable-Script-Warning=1",
	};

	memset(a, 0, sizeof(*a));
	apt_add(a, program);
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		apt_add(a, options[i]);
	/* The host's own cache, where it keeps one: reading all lists takes seconds
	 * on a small board. */
	if (access("/var/cache/apt/pkgcache.bin", R_OK) == 0) {
		apt_add(a, "-o");
		apt_add(a, "Dir::Cache::pkgcache=/var/cache/apt/pkgcache.bin");
	} else {
		apt_add(a, "-o");
		apt_add(a, "Dir::Cache::pkgcache=/tmp/apt/pkgcache.bin");
	}
	apt_add(a, "-o");
	apt_add(a, "Dir::Cache::srcpkgcache=");
}

static void begin_install(struct argv *a, bool dependencies, const char *const *more)
{
	apt_begin(a, "apt-get");
	apt_add(a, "-y");
	apt_add(a, "--no-install-recommends");
	apt_add(a, "--no-remove");
	if (!dependencies)
		apt_add(a, "--no-upgrade");
	for (; *more; more++)
		apt_add(a, *more);
	apt_add(a, dependencies ? "satisfy" : "install");
	apt_add(a, "--");
}

static void add_words(struct argv *a, char **words)
{
	for (; *words; words++)
		apt_add(a, *words);
}

/* "a, b": what of the host would have to go. apt lists it below a line of its own. */
static void removed_names(const char *out, char *buf, size_t size)
{
	const char *p = out ? strstr(out, "packages will be REMOVED:\n") : NULL;
	size_t n = 0;

	buf[0] = '\0';
	for (p = p ? strchr(p, '\n') + 1 : NULL; p && *p == ' '; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *end = p + strcspn(p, "\n");

		while ((p += strspn(p, " ")) < end && n + 100 < size) {
			int len = (int)strcspn(p, " *\n"); /* "name*" would be purged */

			n += (size_t)snprintf(buf + n, size - n, "%s%.*s", n ? ", " : "", len < 80 ? len : 80, p);
			p += strcspn(p, " \n");
		}
	}
}

/* What apt complains of, in one line: its "E:" lines and what it lists as unmet. */
int apt_failed(const struct child_run *run, struct err *err)
{
	char text[420] = "";
	const char *sources[] = { run->out, run->errors };
	bool unmet = false;
	size_t n = 0;

	for (size_t s = 0; s < 2; s++) {
		for (const char *p = sources[s]; p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
			size_t len = strcspn(p, "\n");
			bool wanted = strncmp(p, "E: ", 3) == 0;

			if (strncmp(p, "The following packages have unmet", 33) == 0)
				unmet = true;
			else if (unmet && p[0] == ' ')
				wanted = true;
			else
				unmet = false;
			if (!wanted || strncmp(p, "E: Unable to correct", 20) == 0 || n >= sizeof(text) - 4)
				continue;
			p += p[0] == 'E' ? 3 : strspn(p, " ");
			len = strcspn(p, "\n");
			if (strncmp(p, "satisfy:command-line : ", 23) == 0) {
				p += 23;
				len -= 23;
			}
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s", n ? "; " : "", (int)len, p);
		}
	}
	if (run->status == 127)
		return err_set(err, ENOENT, "'%s' is not there", run->argv[0]);
	if (strstr(text, "Held packages were changed")) {
		err_set(err, EPERM, "it needs a package that is on hold on this system");
		return err_hint(err, "apt-mark showhold names those");
	}
	if (strstr(text, "but remove is disabled")) {
		removed_names(run->out, text, sizeof(text));
		err_set(err, EEXIST, "it cannot stand beside what this system has itself: %s", text);
		return err_hint(err, "cowbell search finds others that do the same");
	}
	err_set(err, ENOENT, "%.400s", text[0] ? text : "apt failed without saying why");
	if (strstr(text, "Can't find a source to download version"))
		err_hint(err, "this system has it itself, from where its lists do not lead: install runs that one");
	return -1;
}

int apt_run(struct argv *a, struct child_run *run, struct err *err)
{
	run->argv = a->words;
	return child_run(run, err);
}

/* --- what there is --- */

static void merge_item(struct package_item *to, const struct package_item *from)
{
	uint8_t flags = to->flags;
	uint64_t download = to->download;

	*to = *from;
	to->flags = flags;
	if (download)
		to->download = download;
}

/* Fills in what the lists say of the items; those that are not found stay as they are. */
int apt_show(struct item_list *list, struct err *err)
{
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { 0 };
	struct package_item item;
	char **names = xcalloc(list->count + 1, sizeof(*names));
	const char *p;
	int rc;

	apt_begin(a, "apt-cache");
	apt_add(a, "show");
	apt_add(a, "--no-all-versions");
	apt_add(a, "--");
	for (size_t i = 0; i < list->count; i++) {
		const struct package_item *it = &list->items[i];

		names[i] = it->version[0] ? xasprintf("%s=%s", it->name, it->version) : xstrdup(it->name);
		apt_add(a, names[i]);
	}
	rc = apt_run(a, &run, err);
	for (p = run.out; rc == 0 && record_next(&p, &item);) {
		struct package_item *it = item_find(list, item.name);

		if (it && (!it->version[0] || strcmp(it->version, item.version) == 0))
			merge_item(it, &item);
	}
	for (size_t i = 0; i < list->count; i++)
		free(names[i]);
	free(names);
	free(run.out);
	free(a);
	return rc;
}

/* Marks those that the host has, with the version that it has. */
int apt_mark_base(struct item_list *list, struct err *err)
{
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { 0 };
	int rc;

	apt_add(a, "dpkg-query");
	apt_add(a, "-W");
	apt_add(a, "-f");
	apt_add(a, "${Package} ${db:Status-Status} ${Version}\n");
	for (size_t i = 0; i < list->count; i++)
		apt_add(a, list->items[i].name);
	rc = apt_run(a, &run, err);
	for (char *save = NULL, *line = strtok_r(run.out, "\n", &save); rc == 0 && line; line = strtok_r(NULL, "\n", &save)) {
		char name[128], status[32], version[64];
		struct package_item *it;

		if (sscanf(line, "%127s %31s %63s", name, status, version) != 3 || strcmp(status, "installed") != 0)
			continue;
		it = item_find(list, name);
		if (!it)
			continue;
		it->flags |= PACKAGE_IN_BASE;
		(void)snprintf(it->version, sizeof(it->version), "%s", version);
	}
	free(run.out);
	free(a);
	return rc;
}

static bool have_lists(void)
{
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { 0 };
	struct err err = { 0 };
	bool have;

	apt_begin(a, "apt-get");
	apt_add(a, "indextargets");
	apt_add(a, "Identifier: Packages");
	have = apt_run(a, &run, &err) == 0 && run.status == 0 && run.out_len > 0;
	free(run.out);
	free(a);
	return have;
}

static bool has_word(const char *list, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i += strcspn(list + i, " ") + 1) {
		if (memcmp(list + i, word, n) == 0 && (i + n == len || list[i + n] == ','))
			return true;
	}
	return false;
}

/* "a, b": packages that provide what none is called; false: there are none. */
static bool find_providers(const char *name, char *buf, size_t size)
{
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { 0 };
	struct err err = { 0 };
	const char *p;
	size_t n = 0;

	apt_begin(a, "apt-cache");
	apt_add(a, "showpkg");
	apt_add(a, "--");
	apt_add(a, name);
	p = apt_run(a, &run, &err) == 0 && run.out ? strstr(run.out, "\nReverse Provides:") : NULL;
	for (p = p ? strchr(p + 1, '\n') : NULL; p && p[1]; p = strchr(p + 1, '\n')) {
		char one[64];

		/* Each version of a package has a line of its own. */
		(void)snprintf(one, sizeof(one), "%.*s", (int)strcspn(p + 1, " \n"), p + 1);
		if (has_word(buf, n, one) || n + strlen(one) + 8 > size)
			continue;
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "", one);
	}
	free(run.out);
	free(a);
	return n > 0;
}

static int check_names(struct item_list *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct package_item *it = &list->items[i];
		char providers[300];

		if (it->arch[0] || (it->flags & PACKAGE_IN_BASE))
			continue;
		err_set(err, ENOENT, "no package '%s' in this system's lists", it->name);
		if (!have_lists())
			return err_hint(err, "there are no lists: apt update");
		if (find_providers(it->name, providers, sizeof(providers)))
			return err_hint(err, "it is provided by %s", providers);
		return err_hint(err, "cowbell search %s; lists that are old: apt update", it->name);
	}
	return 0;
}

/* "'http://host/path' name_version_arch.deb size hash" */
static void take_uri(struct item_list *list, char *line)
{
	char *end = strchr(line + 1, '\''), *file = end ? end + 2 : NULL, *size, *version, *p;
	struct package_item *it;

	if (!end || end[1] != ' ' || !(size = strchr(file, ' ')))
		return;
	*size++ = '\0';
	if (!(version = strchr(file, '_')))
		return;
	*version++ = '\0';
	version[strcspn(version, "_")] = '\0';
	for (p = version; (p = strstr(p, "%3a"));) { /* an epoch */
		*p = ':';
		memmove(p + 1, p + 3, strlen(p + 3) + 1);
	}
	it = item_find(list, file);
	if (!it && (it = item_add(list)))
		text_escape(file, strlen(file), it->name, sizeof(it->name));
	if (!it)
		return;
	it->flags &= (uint8_t)~PACKAGE_IN_BASE;
	(void)snprintf(it->version, sizeof(it->version), "%s", version);
	it->download = strtoull(size, NULL, 10);
}

static int list_uris(char **words, bool dependencies, struct item_list *list, struct err *err)
{
	static const char *const more[] = { "--print-uris", NULL };
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { 0 };
	int rc;

	begin_install(a, dependencies, more);
	add_words(a, words);
	rc = apt_run(a, &run, err);
	if (rc == 0 && run.status != 0)
		rc = apt_failed(&run, err);
	for (char *save = NULL, *line = strtok_r(run.out, "\n", &save); rc == 0 && line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '\'')
			take_uri(list, line);
	}
	free(run.out);
	free(a);
	return rc;
}

static bool all_in_base(const struct item_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!(list->items[i].flags & PACKAGE_IN_BASE))
			return false;
	}
	return true;
}

static int apt_resolve(char **words, bool dependencies, struct item_list *ret, struct err *err)
{
	if (!dependencies) {
		for (char **w = words; *w; w++) {
			struct package_item *it = item_find(ret, *w) ? NULL : item_add(ret);

			if (!it)
				continue;
			(void)snprintf(it->name, sizeof(it->name), "%s", *w);
			it->flags = PACKAGE_ASKED;
		}
		if (apt_mark_base(ret, err) < 0 || apt_show(ret, err) < 0 || check_names(ret, err) < 0)
			return -1;
		if (all_in_base(ret))
			return 0;
	}
	if (list_uris(words, dependencies, ret, err) < 0 || (ret->count && apt_show(ret, err) < 0))
		return -1;
	return 0;
}

/* --- fetching --- */

static void (*progress_fn)(uint32_t permille);

static void on_status(const char *line)
{
	double percent;

	if (progress_fn && sscanf(line, "dlstatus:%*[^:]:%lf", &percent) == 1 && percent >= 0 && percent <= 100)
		progress_fn((uint32_t)(percent * 10));
}

static int apt_fetch(char **words, bool dependencies, const char *folder, void (*on_progress)(uint32_t permille),
		     struct err *err)
{
	char archives[300], partial[320];
	const char *const more[] = { "--download-only", "-o", archives, "-o", "APT::Status-Fd=9", "-o",
				     "Acquire::Retries=2", NULL };
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { .on_status = on_status };
	int rc;

	(void)snprintf(partial, sizeof(partial), "%.256s/partial", folder);
	(void)snprintf(archives, sizeof(archives), "Dir::Cache::archives=%.256s", folder);
	if (mkdir(partial, 0700) < 0 && errno != EEXIST) {
		free(a);
		return err_sys(err, "make folder '%s'", partial);
	}
	progress_fn = on_progress;
	begin_install(a, dependencies, more);
	add_words(a, words);
	rc = apt_run(a, &run, err);
	if (rc == 0 && run.status != 0) {
		rc = apt_failed(&run, err);
		err_wrap(err, "fetch");
	}
	free(run.out);
	free(a);
	return rc;
}

/* apt writes it into the folder it stands in. */
static int apt_get(const char *name, const char *folder, struct item_list *ret, struct err *err)
{
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { .folder = folder };
	struct package_item *it = item_add(ret);
	int rc = -1;

	(void)snprintf(it->name, sizeof(it->name), "%s", name);
	it->flags = PACKAGE_ASKED;
	apt_begin(a, "apt-get");
	apt_add(a, "download");
	apt_add(a, "--");
	apt_add(a, name);
	if (apt_show(ret, err) == 0 && check_names(ret, err) == 0 && apt_run(a, &run, err) == 0)
		rc = run.status ? apt_failed(&run, err) : 0;
	free(run.out);
	free(a);
	return rc;
}

/* Packages of a source that is a folder are used where they lie, unless one asks so. */
static int copy_local(const char *folder, const struct package_item *item, struct err *err)
{
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { .folder = folder };
	char word[400];
	int rc;

	(void)snprintf(word, sizeof(word), "%s=%s", item->name, item->version);
	apt_begin(a, "apt-get");
	apt_add(a, "download");
	apt_add(a, "--");
	apt_add(a, word);
	rc = apt_run(a, &run, err);
	if (rc == 0 && run.status != 0)
		rc = apt_failed(&run, err);
	free(run.out);
	free(a);
	return rc;
}

static int apt_open(const char *folder, const struct package_item *item, struct err *err)
{
	char version[400], path[1024];
	struct stat st;
	size_t n = 0;
	int fd;

	for (const char *p = item->version; *p && n < sizeof(version) - 4; p++)
		n += (size_t)snprintf(version + n, sizeof(version) - n, *p == ':' ? "%%3a" : "%c", *p);
	version[n] = '\0';
	(void)snprintf(path, sizeof(path), "%s/%s_%s_%s.deb", folder, item->name, version, item->arch);
	if (access(path, F_OK) < 0 && copy_local(folder, item, err) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open what apt fetched for '%s'", item->name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != item->download) {
		(void)close(fd);
		return err_set(err, EIO, "what apt fetched for '%s' has not the size that its list says", item->name);
	}
	return fd;
}

const struct manager apt_manager = {
	.name = "apt",
	.present = apt_present,
	.resolve = apt_resolve,
	.fetch = apt_fetch,
	.get = apt_get,
	.open = apt_open,
	.search = apt_search,
};
