/* SPDX-License-Identifier: MIT
 *
 * /etc is the one shared folder with secrets and people in it. Accounts, names
 * and the resolver are written anew; of the rest shows what is public
 * (mask_public.c).
 */
#include "platform/arm/mask.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ACCOUNTS_MAX (1u << 20)

static const char nsswitch[] = "passwd: files\ngroup: files\nshadow: files\ngshadow: files\nhosts: files dns\n"
			       "networks: files\nprotocols: files\nservices: files\nethers: files\nrpc: files\n"
			       "netgroup: files\n";

/* A text that grows; never larger than what it is made from plus one line. */
struct text {
	char *s;
	size_t len;
};

static void text_add(struct text *t, const char *s)
{
	size_t n = strlen(s);

	t->s = xrealloc(t->s, t->len + n + 1);
	memcpy(t->s + t->len, s, n + 1);
	t->len += n;
}

/* Splits a line of an account file; missing fields are "". Returns the count. */
static size_t split(char *line, char *fields[], size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < max; i++)
		fields[i] = strchr(line, '\0');
	while (n < max) {
		fields[n++] = line;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

static bool parse_id(const char *s, uint32_t *ret)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(s, &end, 10);
	if (s[0] < '0' || s[0] > '9' || *end || errno || v >= UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool is_system_id(uint32_t id)
{
	return id < 1000 || id == 65534;
}

/* A field that would break the file it is written to is not written. */
static const char *field(const char *s)
{
	return strpbrk(s, ":\n") ? "" : s;
}

struct accounts {
	struct text passwd, shadow, group, gshadow;
	char shell[PATH_MAX], group_name[64];
	gid_t shadow_gid;
};

static void add_user(struct accounts *a, const char *name, uint32_t uid, uint32_t gid, const char *gecos,
		     const char *home, const char *shell)
{
	cleanup_free char *line = xasprintf("%s:x:%u:%u:%s:%s:%s\n", name, uid, gid, gecos, field(home), field(shell));
	cleanup_free char *lock = xasprintf("%s:*:19000:0:99999:7:::\n", name);

	text_add(&a->passwd, line);
	text_add(&a->shadow, lock);
}

static void add_group(struct accounts *a, const char *name, uint32_t gid)
{
	cleanup_free char *line = xasprintf("%s:x:%u:\n", name, gid);
	cleanup_free char *lock = xasprintf("%s:!::\n", name);

	text_add(&a->group, line);
	text_add(&a->gshadow, lock);
}

static void read_users(struct accounts *a, const struct platform_owner *o, char *text)
{
	char *rest, *f[7];

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		uint32_t uid, gid;

		if (split(line, f, 7) != 7 || !f[0][0] || !parse_id(f[2], &uid) || !parse_id(f[3], &gid))
			continue;
		if (uid == o->uid)
			(void)snprintf(a->shell, sizeof(a->shell), "%s", f[6]);
		else if (is_system_id(uid) && strcmp(f[0], o->name) != 0)
			add_user(a, f[0], uid, gid, f[4], f[5], f[6]);
	}
	add_user(a, field(o->name), o->uid, o->gid, "", o->home, a->shell[0] ? a->shell : "/bin/sh");
}

/* Members are left out: they name the host's people, and nobody inside is in more
 * than one group, but for those of devices and games. */
static void read_groups(struct accounts *a, const struct platform_owner *o, char *text)
{
	char *rest, *f[4];

	(void)snprintf(a->group_name, sizeof(a->group_name), "%s", field(o->name));
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		uint32_t gid;

		if (split(line, f, 4) < 3 || !f[0][0] || !parse_id(f[2], &gid))
			continue;
		if (strcmp(f[0], "shadow") == 0)
			a->shadow_gid = gid;
		if (gid == o->gid)
			(void)snprintf(a->group_name, sizeof(a->group_name), "%s", f[0]);
		else if (is_system_id(gid))
			add_group(a, f[0], gid);
	}
	add_group(a, a->group_name, o->gid);
}

static int write_accounts(const struct mask *mask, struct err *err)
{
	struct accounts a = { 0 };
	cleanup_free char *users = NULL, *groups = NULL;
	int r = -1;

	mask_saw(mask, WITNESS_CONTENT, "etc/passwd"); /* before it is read: a change after is seen */
	mask_saw(mask, WITNESS_CONTENT, "etc/group");
	if (fd_read_file(AT_FDCWD, "/etc/passwd", ACCOUNTS_MAX, &users, NULL, err) < 0 ||
	    fd_read_file(AT_FDCWD, "/etc/group", ACCOUNTS_MAX, &groups, NULL, err) < 0)
		return -1;
	read_users(&a, &mask->spec->owner, users);
	read_groups(&a, &mask->spec->owner, groups);
	if (mask->spec->device_gid)
		add_group(&a, "devices", 65536);
	if (mask_file(mask, "etc/passwd", a.passwd.s, 0644, 0, err) == 0 &&
	    mask_file(mask, "etc/group", a.group.s, 0644, 0, err) == 0 &&
	    mask_file(mask, "etc/shadow", a.shadow.s, 0640, a.shadow_gid, err) == 0 &&
	    mask_file(mask, "etc/gshadow", a.gshadow.s, 0640, a.shadow_gid, err) == 0)
		r = 0;
	free(a.passwd.s);
	free(a.shadow.s);
	free(a.group.s);
	free(a.gshadow.s);
	return r;
}

int mask_etc_fill(const struct mask *mask, struct err *err)
{
	if (write_accounts(mask, err) < 0 ||
	    mask_file(mask, "etc/hosts", "127.0.0.1 localhost app\n::1 localhost app ip6-localhost ip6-loopback\n", 0644, 0,
		      err) < 0 ||
	    mask_file(mask, "etc/hostname", "app\n", 0644, 0, err) < 0 ||
	    mask_file(mask, "etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0 timeout:30 attempts:5\n", 0644, 0, err) < 0 ||
	    mask_file(mask, "etc/nsswitch.conf", nsswitch, 0644, 0, err) < 0)
		return -1;
	return mask_public(mask, "/etc", "var/lib/dpkg", err);
}
