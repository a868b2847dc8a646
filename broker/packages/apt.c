/* SPDX-License-Identifier: MIT
 *
 * apt, unprivileged: it reads the host's lists and state, and writes into /tmp
 * alone. Nothing of it is configured anew: sources, keys and proxies are the
 * host's. Locks are not taken, for nothing is changed.
 */
#include "packages/manager.h"

#include "policy/permission.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ARGV_MAX (WORDS_MAX + 40u)

static bool apt_present(void)
{
	return access("/usr/bin/apt-get", X_OK) == 0 && access("/usr/bin/dpkg", X_OK) == 0;
}

struct argv {
	const char *words[ARGV_MAX + PACKAGE_ITEMS_MAX];
	size_t count;
};

static void add(struct argv *a, const char *word)
{
	if (a->count + 1 < ARRAY_LEN(a->words))
		a->words[a->count++] = word;
}

static void begin(struct argv *a, const char *program)
{
	static const char *const options[] = {
		"-q", "-o", "Debug::NoLocking=1", "-o", "Dir::Cache=/tmp/apt", "-o", "Dir::Cache::archives=/tmp/apt/archives",
		"-o", "Dir::Log=/tmp", "-o", "Dir::State::extended_states=/tmp/apt/states", "-o", "APT::Sandbox::User=", "-o", "APT::Color=0", "-o", "APT::Cmd::Disable-Script-Warning=1",
	};

	memset(a, 0, sizeof(*a));
	add(a, program);
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		add(a, options[i]);
	/* The host's own cache, where it keeps one: reading all lists takes seconds
	 * on a small board. */
	if (access("/var/cache/apt/pkgcache.bin", R_OK) == 0) {
		add(a, "-o");
		add(a, "Dir::Cache::pkgcache=/var/cache/apt/pkgcache.bin");
	} else {
		add(a, "-o");
		add(a, "Dir::Cache::pkgcache=/tmp/apt/pkgcache.bin");
	}
	add(a, "-o");
	add(a, "Dir::Cache::srcpkgcache=");
}

static void begin_install(struct argv *a, bool dependencies, const char *const *more)
{
	begin(a, "apt-get");
	add(a, "-y");
	add(a, "--no-install-recommends");
	add(a, "--no-remove");
	if (!dependencies)
		add(a, "--no-upgrade");
	for (; *more; more++)
		add(a, *more);
	add(a, dependencies ? "satisfy" : "install");
	add(a, "--");
}

static void add_words(struct argv *a, char **words)
{
	for (; *words; words++)
		add(a, *words);
}

/* What apt complains of, in one line: its "E:" lines and what it lists as unmet. */
static int apt_failed(const struct child_run *run, struct err *err)
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
	return err_set(err, ENOENT, "%.400s", text[0] ? text : "apt failed without saying why");
}

static int run_argv(struct argv *a, struct child_run *run, struct err *err)
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
static int show(struct item_list *list, struct err *err)
{
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { 0 };
	struct package_item item;
	char **names = xcalloc(list->count + 1, sizeof(*names));
	const char *p;
	int rc;

	begin(a, "apt-cache");
	add(a, "show");
	add(a, "--no-all-versions");
	add(a, "--");
	for (size_t i = 0; i < list->count; i++) {
		const struct package_item *it = &list->items[i];

		names[i] = it->version[0] ? xasprintf("%s=%s", it->name, it->version) : xstrdup(it->name);
		add(a, names[i]);
	}
	rc = run_argv(a, &run, err);
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
static int mark_base(struct item_list *list, struct err *err)
{
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { 0 };
	int rc;

	add(a, "dpkg-query");
	add(a, "-W");
	add(a, "-f");
	add(a, "${Package} ${db:Status-Status} ${Version}\n");
	for (size_t i = 0; i < list->count; i++)
		add(a, list->items[i].name);
	rc = run_argv(a, &run, err);
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

	begin(a, "apt-get");
	add(a, "indextargets");
	add(a, "Identifier: Packages");
	have = run_argv(a, &run, &err) == 0 && run.status == 0 && run.out_len > 0;
	free(run.out);
	free(a);
	return have;
}

static int check_names(struct item_list *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct package_item *it = &list->items[i];

		if (it->arch[0] || (it->flags & PACKAGE_IN_BASE))
			continue;
		err_set(err, ENOENT, "no package '%s' in this system's lists", it->name);
		if (!have_lists())
			return err_hint(err, "there are no lists: apt update");
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
	rc = run_argv(a, &run, err);
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
		if (mark_base(ret, err) < 0 || show(ret, err) < 0 || check_names(ret, err) < 0)
			return -1;
		if (all_in_base(ret))
			return 0;
	}
	if (list_uris(words, dependencies, ret, err) < 0 || (ret->count && show(ret, err) < 0))
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
	rc = run_argv(a, &run, err);
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
	begin(a, "apt-get");
	add(a, "download");
	add(a, "--");
	add(a, name);
	if (show(ret, err) == 0 && check_names(ret, err) == 0 && run_argv(a, &run, err) == 0)
		rc = run.status ? apt_failed(&run, err) : 0;
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
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open what apt fetched for '%s'", item->name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != item->download) {
		(void)close(fd);
		return err_set(err, EIO, "what apt fetched for '%s' has not the size that its list says", item->name);
	}
	return fd;
}

/* --- searching --- */

#define FOUND_MAX 100u

/* apt-cache takes expressions; people mean letters. */
static char *quote(const char *word)
{
	char *out = xcalloc(2, strlen(word) + 1), *o = out;

	for (; *word; word++) {
		if (strchr("\\.[]{}()*+?^$|", *word))
			*o++ = '\\';
		*o++ = *word;
	}
	return out;
}

static int rank(const char *name, char **words)
{
	return strcmp(name, words[0]) == 0 ? 0 : strncmp(name, words[0], strlen(words[0])) == 0 ? 1 : strstr(name, words[0]) ? 2 : 3;
}

static void take_found(char *out, char **words, struct item_list *ret)
{
	/* The best first: the name itself, names that begin with it, that hold it,
	 * then the rest. */
	for (int r = 0; r <= 3; r++) {
		const char *p = out;

		while (*p && ret->count < FOUND_MAX) {
			size_t len = strcspn(p, "\n"), n = strcspn(p, " \n");
			char name[128];

			if (n < sizeof(name) && n < len) {
				(void)snprintf(name, sizeof(name), "%.*s", (int)n, p);
				if (rank(name, words) == r && package_name_good(name) && !item_find(ret, name))
					(void)snprintf(item_add(ret)->name, 128, "%s", name);
			}
			p += len;
			p += *p == '\n';
		}
	}
}

static int apt_search(char **words, struct item_list *ret, struct err *err)
{
	struct argv *a = xcalloc(1, sizeof(*a));
	struct child_run run = { 0 };
	char *quoted[16] = { NULL };
	int rc;

	begin(a, "apt-cache");
	add(a, "search");
	add(a, "--");
	for (size_t i = 0; words[i] && i < ARRAY_LEN(quoted); i++)
		add(a, quoted[i] = quote(words[i]));
	rc = run_argv(a, &run, err);
	if (rc == 0 && run.status != 0)
		rc = apt_failed(&run, err);
	if (rc == 0)
		take_found(run.out, words, ret);
	for (size_t i = 0; i < ARRAY_LEN(quoted); i++)
		free(quoted[i]);
	free(run.out);
	free(a);
	if (rc < 0 || !ret->count)
		return rc;
	return show(ret, err) < 0 || mark_base(ret, err) < 0 ? -1 : 0;
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
