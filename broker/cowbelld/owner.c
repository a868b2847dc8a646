/* SPDX-License-Identifier: MIT
 *
 * The device's owner, and the table of what stands behind the gates. Whatever
 * is looked at in the owner's home is looked at with the owner's rights: a
 * symlink there must not borrow ours.
 */
#include "cowbelld/daemon.h"

#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10;
}

static const struct passwd *first_account(void)
{
	const struct passwd *pw, *best = NULL;
	uid_t best_uid = 60000;
	static char name[64];

	setpwent();
	while ((pw = getpwent())) {
		if (pw->pw_uid >= 1000 && pw->pw_uid < best_uid && strlen(pw->pw_name) < sizeof(name)) {
			best_uid = pw->pw_uid;
			(void)snprintf(name, sizeof(name), "%s", pw->pw_name);
		}
	}
	endpwent();
	if (best_uid < 60000)
		best = getpwnam(name);
	return best;
}

static int find_account(struct daemon *d, const struct passwd **ret, struct err *err)
{
	const char *user = d->options.user;

	*ret = NULL;
	/* The profile proposes; a device that was set up for somebody else has another. */
	if (!user && d->board.owner[0]) {
		*ret = is_number(d->board.owner) ? getpwuid((uid_t)atol(d->board.owner)) : getpwnam(d->board.owner);
		if (*ret)
			return 0;
	}
	if (!user) {
		*ret = first_account();
		if (*ret)
			return 0;
		err_set(err, ENOENT, "this system has no account from uid 1000 up to be the owner");
		return err_hint(err, "--user UID --home DIR");
	}
	*ret = is_number(user) ? getpwuid((uid_t)atol(user)) : getpwnam(user);
	if (*ret || is_number(user))
		return 0;
	return err_set(err, ENOENT, "there is no account '%s'", user);
}

static int check_owner(struct daemon *d, struct err *err)
{
	if (d->owner_uid == 0)
		return err_set(err, EINVAL, "the owner cannot be root (--user NAME|UID)");
	if (d->owner_uid >= ID_RANGE || d->owner_gid >= ID_RANGE)
		return err_set(err, EINVAL, "the owner's uid %u or gid %u is above 65535, which apps cannot have",
			       d->owner_uid, d->owner_gid);
	return 0;
}

int owner_find(struct daemon *d, struct err *err)
{
	const struct passwd *pw;
	cleanup_free char *real = NULL;
	const char *home;
	struct stat st;

	if (find_account(d, &pw, err) < 0)
		return -1;
	d->owner_uid = pw ? pw->pw_uid : (uid_t)atol(d->options.user);
	d->owner_gid = pw ? pw->pw_gid : (gid_t)d->owner_uid;
	(void)snprintf(d->owner_name, sizeof(d->owner_name), "%s", pw ? pw->pw_name : "user");
	if (check_owner(d, err) < 0)
		return -1;
	home = d->options.home ? d->options.home : pw ? pw->pw_dir : NULL;
	if (!d->options.home && !d->options.user && d->board.home[0])
		home = d->board.home;
	if (!home)
		return err_set(err, EINVAL, "uid %u has no account, so its home must be named (--home DIR)",
			       d->owner_uid);
	real = realpath(home, NULL);
	if (!real || stat(real, &st) < 0)
		return err_sys(err, "open the owner's home '%s'", home);
	if (!S_ISDIR(st.st_mode) || !resource_path_is_clean(real) || strcmp(real, "/") == 0)
		return err_set(err, ENOTDIR, "the owner's home '%s' is not a folder", real);
	(void)snprintf(d->home, sizeof(d->home), "%s", real);
	return 0;
}

/* --- with the owner's rights --- */

static bool folder_exists(void *data, const char *path)
{
	struct stat st;

	(void)data;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int owner_read_resources(struct daemon *d, struct err *err)
{
	cleanup_free char *user_dirs = NULL;
	char path[PATH_SIZE + 32];
	struct err ignored = { 0 };

	/* A non-zero fsuid also takes the capabilities over files out of effect
	 * (capabilities(7)); we have one thread. */
	(void)setfsgid(d->owner_gid);
	(void)setfsuid(d->owner_uid);
	(void)snprintf(path, sizeof(path), "%s/.config/user-dirs.dirs", d->home);
	(void)fd_read_file(AT_FDCWD, path, 65536, &user_dirs, NULL, &ignored);
	resource_table_make(&d->resources, &d->board, d->home, user_dirs, folder_exists, NULL);
	(void)setfsuid(0);
	(void)setfsgid(0);
	if (d->resources.count == 0)
		return err_set(err, EINVAL, "no folder of '%s' can stand behind a gate", d->home);
	if (d->resources.ignored)
		log_info("%u folders or lines of user-dirs.dirs are not used for gates", d->resources.ignored);
	return 0;
}

const struct resource *owner_resource(const struct daemon *d, uint16_t gate)
{
	for (size_t i = 0; i < d->resources.count; i++) {
		if (d->resources.resources[i].gate == gate)
			return &d->resources.resources[i];
	}
	return NULL;
}
