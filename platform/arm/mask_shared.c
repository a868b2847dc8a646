/* SPDX-License-Identifier: MIT
 *
 * What of the host is shared as it is, and what must not lie in it: mounts, whose
 * place would show what they cover, and paths that are hidden by name.
 */
#include "platform/arm/mask.h"

#include "base/fd.h"
#include "base/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Folders of the host that programs need to run. */
const char *const mask_shared[] = { "usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32", NULL };

/* Parts of /var that package tools need; the rest of /var is the app's own. */
const char *const mask_shared_var[] = {
	"var/lib/dpkg", "var/lib/pam", "var/lib/ucf", "var/lib/python", "var/lib/systemd/deb-systemd-helper-enabled",
	"var/cache/debconf", "var/lib/dbus", "var/lib/xml-core", "var/lib/sgml-base", NULL,
};

bool mask_host_stat(const char *name, struct stat *st)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "/%s", name) >= (int)sizeof(path))
		return false;
	return lstat(path, st) == 0;
}

/* The one of the lists that has this index, NULL behind the last. */
static const char *shared_at(size_t i)
{
	const size_t first = ARRAY_LEN(mask_shared) - 1;

	return i < first ? mask_shared[i] : i - first < ARRAY_LEN(mask_shared_var) ? mask_shared_var[i - first] : NULL;
}

/* In what is shared with the host, path leads to: the folder that is shared. */
static const char *shared_root_of(const char *path)
{
	const char *name;

	for (size_t i = 0; (name = shared_at(i)); i++) {
		char root[64];

		(void)snprintf(root, sizeof(root), "/%s", name);
		if (platform_path_is_within(path, root))
			return name;
	}
	return NULL;
}

bool mask_covers_shared(const char *path)
{
	const char *name;

	for (size_t i = 0; (name = shared_at(i)); i++) {
		char root[64];
		struct stat st;

		(void)snprintf(root, sizeof(root), "/%s", name);
		if (platform_path_is_within(root, path) && mask_host_stat(name, &st) && S_ISDIR(st.st_mode))
			return true;
	}
	return false;
}

int mask_hide_path(const struct mask *mask, const char *path, struct err *err)
{
	char real[PATH_MAX];

	if (!realpath(path, real))
		(void)snprintf(real, sizeof(real), "%s", path);
	if (!platform_path_is_clean(real))
		return err_set(err, EINVAL, "hide '%s': not a clean absolute path", path);
	if (mask_covers_shared(real))
		return err_set(err, EINVAL, "hide '%s': apps cannot run without what lies in it", path);
	if (!shared_root_of(real))
		return 0;
	return mask_hide(mask, real + 1, err);
}

static int check_mount(void *data, const struct mounted *m, struct err *err)
{
	const struct mask *mask = data;
	const char *path = m->path;
	struct stat st;

	if (strcmp(path, "/") == 0)
		return 0;
	if (mask_covers_shared(path)) {
		(void)err_set(err, EOPNOTSUPP, "build the base view: '%s' is a mount of its own", path);
		return err_hint(err, "apps need '/usr', '/etc' and '/var' on the root file system");
	}
	if (!shared_root_of(path))
		return 0;
	/* A mount over a file that we write ourselves anyway (containers do that). */
	if (fstatat(mask->view, path + 1, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return mask_hide(mask, path + 1, err);
}

static uint64_t mix(uint64_t h, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

static uint64_t mix_text(uint64_t h, const char *s)
{
	return mix(h, s, strlen(s) + 1);
}

static int mix_mount(void *data, const struct mounted *m, struct err *err)
{
	uint64_t *h = data;

	(void)err;
	if (mask_covers_shared(m->path) || shared_root_of(m->path))
		*h = mix_text(*h, m->path);
	return 0;
}

int mask_mounts_print(uint64_t *ret, struct err *err)
{
	*ret = 0xcbf29ce484222325ull;
	return mounts_each(mix_mount, ret, err);
}

uint64_t mask_view_print(const struct platform_view *view)
{
	const uint32_t ids[] = { view->owner.uid, view->owner.gid, view->device_gid, (uint32_t)view->gate_count };
	uint64_t h = mix(0xcbf29ce484222325ull, ids, sizeof(ids));

	h = mix_text(mix_text(h, view->owner.name), view->owner.home);
	for (size_t i = 0; i < view->gate_count; i++) {
		const uint32_t gate[] = { view->gates[i].gate, view->gates[i].kind };

		h = mix_text(mix(h, gate, sizeof(gate)), view->gates[i].path);
	}
	for (size_t i = 0; i < view->hidden_count; i++)
		h = mix_text(h, view->hidden[i]);
	return h;
}

int mask_check_mounts(const struct mask *mask, struct err *err)
{
	return mounts_each(check_mount, (void *)(uintptr_t)mask, err);
}
