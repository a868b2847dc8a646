/* SPDX-License-Identifier: MIT
 *
 * What an install needs from the host's own lists: the packages that were named,
 * or what packages that came as files depend on. It is fetched before anything of
 * the app runs, by the host's package manager with its own keys, and goes the same
 * way as a file that the person gave.
 */
#include "broker/install_impl.h"

#include "broker/says.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define INODES_WANTED 1000u
#define ROOM_MOST ((uint64_t)1 << 50)

static int check_need(struct install *in, uint64_t need, struct err *err)
{
	if (in->disk_inodes < INODES_WANTED)
		return err_set(err, ENOSPC, "no room for more files: the disk has hardly any inodes left");
	if (need <= in->disk_bytes)
		return 0;
	err_set(err, ENOSPC, "no room: it needs %.1f MB, and %.1f MB are left above what is kept free for the system",
		(double)need / 1e6, (double)in->disk_bytes / 1e6);
	return err_hint(err, "cowbell list shows what takes room");
}

/* A package is kept as it came, and unpacked. What it takes is known before. */
int install_check_room(struct install *in, struct err *err)
{
	uint64_t need = in->coming_room;

	for (size_t i = 0; i < in->file_count; i++) {
		struct stat st;

		if (fstat(in->files[i], &st) == 0 && S_ISREG(st.st_mode))
			need += (uint64_t)st.st_size;
	}
	return check_need(in, need, err);
}

void install_keep_new(struct install *in)
{
	struct install_request request = { .kind = "deb", .name = in->name, .source = "", .file_count = in->file_count };
	struct err err = { 0 };
	int rc;

	if (!in->bundle && install_check_room(in, &err) < 0) {
		install_fail(in, err.msg);
		return;
	}
	if (in->packages && !in->bundle) {
		install_plan_finish(&in->plan);
		rc = in->about.from_base ? install_plan_base(&in->plan, in->names[0], &err)
					 : install_plan_make(&in->plan, &request, &err);
		if (rc < 0) {
			install_fail(in, err.msg);
			return;
		}
	}
	install_keep_and_run(in);
}

/* All is here that it is installed from. */
static void keep(struct install *in)
{
	if (in->update && in->no_new)
		install_compare(in);
	else
		install_keep_new(in);
}

/* --- the host's lists --- */

static void on_item(void *data, const struct package_item *item)
{
	struct install *in = data;
	struct err err = { 0 };
	bool first = in->names && strcmp(item->name, in->names[0]) == 0;

	if (first) {
		(void)snprintf(in->about.version, sizeof(in->about.version), "%.63s", item->version);
		(void)snprintf(in->about.summary, sizeof(in->about.summary), "%.127s", item->summary);
		(void)snprintf(in->about.title, sizeof(in->about.title), "%.63s", item->name);
		in->about.from_base = item->flags & PACKAGE_IN_BASE;
		in->newest = in->update && strcmp(item->version, in->old_version) == 0;
	}
	if (item->flags & PACKAGE_IN_BASE)
		return;
	in->coming++;
	in->coming_bytes += item->download;
	in->coming_room += item->installed;
	/* Before the first byte is fetched. */
	if (check_need(in, in->coming_bytes + in->coming_room, &err) < 0)
		install_fail(in, err.msg);
}

static void on_progress(void *data, uint32_t permille)
{
	struct install *in = data;
	char text[96];

	(void)snprintf(text, sizeof(text), "fetch %zu package%s (%.1f MB)", in->coming, in->coming == 1 ? "" : "s",
		       (double)in->coming_bytes / 1e6);
	install_progress(in, permille / 2, text);
}

static void on_file(void *data, const char *name, int fd)
{
	struct install *in = data;

	(void)name;
	in->files = xrealloc(in->files, (in->file_count + 1) * sizeof(*in->files));
	in->files[in->file_count++] = fd;
	in->came++;
}

static void ask(struct install *in, enum package_want want, char *const *words);

/* Before a new version is fetched it is known whether there is one. */
static void on_listed(struct install *in)
{
	char text[200];

	in->listed = true;
	in->coming = in->coming_bytes = in->coming_room = 0;
	if (!in->newest) {
		ask(in, PACKAGE_FETCH, in->names);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s %s is the newest that this system's lists have", in->id, in->old_version);
	client_text(in->client, STREAM_NOTICE, text);
	install_fail(in, text);
}

static void on_fetched(void *data, int code, const char *why)
{
	struct install *in = data;

	in->asking = NULL;
	if (code == ENOSYS && !in->names)
		keep(in); /* what is missing is dpkg's to say */
	else if (code)
		install_fail(in, why);
	else if (in->update && in->names && !in->listed)
		on_listed(in);
	else if (in->came != in->coming)
		install_fail(in, "not every package came");
	else
		keep(in);
}

static const struct packages_ops fetch_ops = {
	.on_item = on_item, .on_progress = on_progress, .on_file = on_file, .on_done = on_fetched };

static void ask(struct install *in, enum package_want want, char *const *words)
{
	struct err err = { 0 };

	in->asking = packages_ask(in->broker, want, words, &fetch_ops, in, &err);
	if (!in->asking)
		install_fail(in, err.msg);
}

/* --- what the files depend on --- */

/* What the package says that it takes, or what was found in it: the larger one. */
static void take_room(struct install *in, uint64_t bytes)
{
	bytes = bytes < ROOM_MOST ? bytes : ROOM_MOST; /* many of them have a sum */
	if (bytes <= in->said_room)
		return;
	in->coming_room += bytes - in->said_room;
	in->said_room = bytes;
}

static void on_fact(void *data, enum inspect_key key, const char *value)
{
	struct install *in = data;

	if (key == INSPECT_NAME) /* what comes along is not looked for */
		in->came_names[in->read < INSTALL_FILES_MAX ? in->read : 0] = xstrdup(value);
	if (key == INSPECT_SAYS && in->read == 0) /* the others are there for the first */
		says_add(in->about.says, value);
	if (key == INSPECT_INSTALLED_SIZE || key == INSPECT_BYTES)
		take_room(in, strtoull(value, NULL, 10));
	if (key != INSPECT_DEPENDS || in->depend_count == 400)
		return;
	in->depends = xrealloc(in->depends, (in->depend_count + 2) * sizeof(*in->depends));
	in->depends[in->depend_count++] = xstrdup(value);
	in->depends[in->depend_count] = NULL;
}

/* Whether one of the alternatives is a package that came as a file. */
static bool came_along(const struct install *in, const char *depend)
{
	for (const char *p = depend; *p; p += strcspn(p, "|"), p += *p == '|') {
		size_t n;

		p += strspn(p, " ");
		n = strcspn(p, " :(|");
		for (size_t i = 0; i < in->file_count && i < INSTALL_FILES_MAX; i++) {
			if (in->came_names[i] && strlen(in->came_names[i]) == n &&
			    memcmp(in->came_names[i], p, n) == 0)
				return true;
		}
	}
	return false;
}

static void read_next(struct install *in);

static void on_read(void *data, int code, const char *why)
{
	struct install *in = data;

	in->reading = NULL;
	if (code) {
		install_fail(in, why);
		return;
	}
	in->read++;
	read_next(in);
}

static const struct inspect_ops read_ops = { .on_fact = on_fact, .on_done = on_read };

static void read_next(struct install *in)
{
	size_t n = 0;

	if (in->read < in->want_files) {
		in->said_room = 0;
		in->reading = inspect_ask(in->broker, INSPECT_CONTROL, in->files[in->read], -1, &read_ops, in);
		return;
	}
	for (size_t i = 0; i < in->depend_count; i++) {
		if (came_along(in, in->depends[i]))
			free(in->depends[i]);
		else
			in->depends[n++] = in->depends[i];
	}
	in->depend_count = n;
	if (n == 0) {
		keep(in);
		return;
	}
	in->depends[n] = NULL;
	ask(in, PACKAGE_SATISFY, in->depends);
}

void install_fetch(struct install *in)
{
	in->about.has_said = true;
	if (in->names) {
		install_progress(in, 0, "look into this system's lists");
		ask(in, in->update ? PACKAGE_LIST : PACKAGE_FETCH, in->names);
	} else if (in->bundle) {
		install_keep_new(in);
	} else if (in->packages) {
		read_next(in);
	} else {
		keep(in);
	}
}
