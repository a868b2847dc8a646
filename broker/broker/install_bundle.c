/* SPDX-License-Identifier: MIT
 *
 * Native bundles: kept first; a reader without rights checks what was kept to its
 * last bit, and only then is anything of it unpacked, from what was kept. Who signed
 * it is decided here: a publisher whose key the admin put in place, the one that the
 * app has had, or one that the person has just accepted by its key.
 */
#include "broker/install_impl.h"

#include "bundle/bundle.h"
#include "broker/says.h"

#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

/* --- publishers --- */

/* Names the publisher by its file ("acme" of acme.pub); false: not in the folder. */
static bool is_trusted(const struct broker *broker, const char *key, char *name, size_t size)
{
	cleanup_free char *path = broker->root[0] ? xasprintf("%s/etc/publishers.d", broker->root)
						  : xstrdup("/etc/cowbell/publishers.d");
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		cleanup_free char *text = NULL;
		size_t n = strlen(entry->d_name);
		char line[BUNDLE_KEY_TEXT];
		struct err err = { 0 };
		struct stat st;

		if (n < 5 || strcmp(entry->d_name + n - 4, ".pub") != 0 || fstatat(dirfd(dir), entry->d_name, &st, 0) < 0 ||
		    st.st_uid != 0 || (st.st_mode & 022) ||
		    fd_read_file(dirfd(dir), entry->d_name, 1024, &text, NULL, &err) < 0 ||
		    bundle_key_read(text, line, &err) < 0 || strcmp(line, key) != 0)
			continue;
		found = true;
		(void)snprintf(name, size, "%.*s", (int)(n - 4), entry->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

static int check_signer(struct install *in, struct err *err)
{
	char name[64];

	if (!in->bundle_key[0])
		return err_set(err, EBADMSG, "nobody signed the bundle");
	if (in->pinned_key[0] && strcmp(in->pinned_key, in->bundle_key) != 0) {
		err_set(err, EPERM, "'%s' was signed with another key until now: %s", in->id, in->pinned_key);
		return err_hint(err, "uninstall it first if you mean to change its publisher");
	}
	if (is_trusted(in->broker, in->bundle_key, name, sizeof(name)) || in->pinned_key[0] ||
	    strcmp(in->accepted_key, in->bundle_key) == 0)
		return 0;
	err_set(err, EPERM, "its publisher is not known here: key %s", in->bundle_key);
	return err_hint(err, "cowbell install --key %s accepts it", in->bundle_key);
}

static int check_arch(const char *arch, struct err *err)
{
	static const struct {
		const char *machine, *arch;
	} rows[] = { { "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armv7l", "armhf" }, { "armv8l", "armhf" } };
	struct utsname u;

	if (strcmp(arch, "all") == 0 || uname(&u) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(u.machine, rows[i].machine) == 0 && strcmp(arch, rows[i].arch) == 0)
			return 0;
	}
	return err_set(err, EINVAL, "the bundle is for %s, and this is %s", arch, u.machine);
}

/* --- checking --- */

static void on_fact(void *data, enum inspect_key key, const char *value)
{
	struct install *in = data;

	switch ((unsigned int)key) {
	case INSPECT_SIGNER:
		(void)snprintf(in->bundle_key, sizeof(in->bundle_key), "%.56s", value);
		return;
	case INSPECT_NAME:
		(void)snprintf(in->about.package, sizeof(in->about.package), "%.63s", value);
		return;
	case INSPECT_VERSION:
		(void)snprintf(in->about.version, sizeof(in->about.version), "%.63s", value);
		return;
	case INSPECT_TITLE:
		(void)snprintf(in->about.title, sizeof(in->about.title), "%.63s", value);
		return;
	case INSPECT_SUMMARY:
		(void)snprintf(in->about.summary, sizeof(in->about.summary), "%.127s", value);
		return;
	case INSPECT_ARCH:
		(void)snprintf(in->bundle_arch, sizeof(in->bundle_arch), "%.15s", value);
		return;
	case INSPECT_INSTALLED_SIZE:
		in->coming_room += strtoull(value, NULL, 10);
		return;
	case INSPECT_MEMORY:
		in->about.memory_max = strtoull(value, NULL, 10);
		return;
	case INSPECT_PROCESSES:
		in->about.pids_max = (uint32_t)strtoul(value, NULL, 10);
		return;
	case INSPECT_PROGRAM:
		inspect_entries_take(&in->entries, key, value);
		return;
	case INSPECT_MAIN:
		(void)snprintf(in->about.main, sizeof(in->about.main), "%.127s", value);
		return;
	case INSPECT_SAYS: {
		says_add(in->about.says, value);
		size_t n = strlen(in->about.declared), len = strcspn(value, " ");

		if (n + len + 2 < sizeof(in->about.declared))
			(void)snprintf(in->about.declared + n, sizeof(in->about.declared) - n, "%s%.*s", n ? " " : "", (int)len,
				       value);
		return;
	}
	}
}

static int judge(struct install *in, struct err *err)
{
	if (check_arch(in->bundle_arch, err) < 0 || check_signer(in, err) < 0)
		return -1;
	if (in->update && strcmp(in->about.package, in->pinned_id) != 0)
		return err_set(err, EINVAL, "the bundle is of '%s', and '%s' was installed from one of '%s'", in->about.package,
			       in->id, in->pinned_id);
	if (in->update && !in->force && bundle_version_compare(in->about.version, in->old_version) < 0) {
		err_set(err, EINVAL, "version %s is older than %s", in->about.version, in->old_version);
		return err_hint(err, "--force takes it all the same");
	}
	(void)snprintf(in->about.signer, sizeof(in->about.signer), "%s", in->bundle_key);
	return in->update || in->trial || in->name[0] ? 0 : install_take_name(in, in->about.package, err);
}

static void on_checked(void *data, int code, const char *why)
{
	struct install *in = data;
	struct err err = { 0 };

	in->reading = NULL;
	job_cancel(steal_ptr(&in->feeding));
	if (code) {
		install_fail(in, why);
		return;
	}
	if (judge(in, &err) < 0 || install_check_room(in, &err) < 0) {
		install_fail(in, err.msg);
		return;
	}
	in->checked = true;
	install_run(in);
}

static const struct inspect_ops check_ops = { .on_fact = on_fact, .on_done = on_checked };

static void on_fed(void *data, const struct job_result *result)
{
	struct install *in = data;

	(void)result; /* a stream that is cut off is the reader's to find */
	in->feeding = NULL;
}

static const struct job_ops feed_ops = { .on_done = on_fed };

/* The kept bundle on a pipe: the reading end. */
static int kept_bundle(struct install *in)
{
	struct wr *w;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_KEEPER_PACKAGE_GET, 0);
	wr_u64(w, in->layer);
	wr_u16(w, 0);
	in->feeding = job_start(in->broker, w, ends[1], &feed_ops, in);
	(void)close(ends[1]);
	free(w);
	return ends[0];
}

void install_bundle_check(struct install *in)
{
	int fd = kept_bundle(in);

	install_progress(in, 100, "check the bundle");
	if (fd < 0) {
		install_fail(in, "no pipe to check the bundle with");
		return;
	}
	in->reading = inspect_ask(in->broker, INSPECT_BUNDLE, fd, -1, &check_ops, in);
	(void)close(fd);
}

/* --- unpacking --- */

static void on_nothing(void *data, enum inspect_key key, const char *value)
{
	(void)data;
	(void)key;
	(void)value;
}

static void on_unpacked(void *data, int code, const char *why)
{
	struct install *in = data;

	in->reading = NULL;
	if (in->failed)
		return;
	if (code)
		install_fail(in, why);
	else
		install_step_maybe_over(in);
}

static const struct inspect_ops unpack_ops = { .on_fact = on_nothing, .on_done = on_unpacked };

int install_bundle_feed(struct install *in)
{
	int fd = kept_bundle(in), ends[2];

	if (fd < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		(void)close(fd);
		return -1;
	}
	in->reading = inspect_ask(in->broker, INSPECT_BUNDLE_TAR, fd, ends[1], &unpack_ops, in);
	(void)close(fd);
	(void)close(ends[1]);
	return ends[0];
}
