/* SPDX-License-Identifier: MIT
 *
 * What of /etc is nobody's secret. A file that a package brought and nobody
 * changed since is public: everybody can read it in the archive. One that was
 * changed may hold a token, whatever its name. Besides these only what tools
 * generate from public parts is shown, by name.
 *
 * Files are copies: what was compared is what is shown, and what comes to /etc
 * later does not show.
 */
#include "platform/arm/mask.h"

#include "base/fd.h"
#include "base/md5.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STATUS_MAX (64u << 20)
#define FILE_MAX (1u << 20)
#define SUM_MAX (8u << 20) /* of all copies: they are the app's memory */
#define FILES_MAX 6000u

/* Made by maintainer scripts and tools, of public parts. Nothing here is a place
 * where people write settings of programs that log in somewhere. */
static const char *const generated[] = {
	"ld.so.cache", "ld.so.conf", "ld.so.conf.d/*.conf", "locale.conf", "locale.gen", "default/locale",
	"default/keyboard", "default/console-setup", "timezone", "localtime", "debian_version", "os-release",
	"lsb-release", "shells", "networks", "protocols", "services", "rpc", "mime.types", "mailcap", "papersize",
	"inputrc", "manpath.config", "ca-certificates.conf", "xml/*", "sgml/*", "fonts/*", "fonts/conf.d/*", "terminfo/*/*",
	"X11/rgb.txt", "perl/XML/SAX/ParserDetails.ini", "python3/debian_config", "emacs/site-start.d/*",
	"dictionaries-common/*", "pam.d/common-*", "apt/sources.list.d/debian.sources", "dpkg/origins/*",
	"console-setup/cached_*",
};

/* Folders that maintainer scripts take for granted. */
static const char *const folders[] = {
	"etc/opt", "etc/skel", "etc/default", "etc/init.d", "etc/profile.d", "etc/systemd/system", "etc/systemd/user",
	"etc/apt/apt.conf.d", "etc/apt/sources.list.d", "etc/apt/preferences.d", "etc/apt/trusted.gpg.d", "etc/xdg",
};

/* Links and certificates by the hundred: shared as they are, private ones hidden. */
static const char *const whole[] = { "etc/alternatives", "etc/ssl/certs" };

struct conffile {
	const char *path, *md5; /* in the text */
};

struct link {
	char *path, *target; /* path in the view, target made absolute in the host */
	char *text;
};

struct public {
	const struct mask *mask;
	char *text;
	struct conffile *conffiles;
	size_t conffile_count;
	struct link *links;
	size_t link_count;
	size_t files, sum;
	char **hidden; /* the real place of each of the spec's; NULL: it is not there */
};

/* --- what packages brought --- */

static void add_conffile(struct public *p, char *line)
{
	char *path = line + 1, *md5 = strchr(path, ' ');

	if (path[0] != '/' || !md5 || strspn(md5 + 1, "0123456789abcdef") != 32)
		return;
	*md5++ = '\0';
	md5[32] = '\0';
	if ((p->conffile_count & (p->conffile_count - 1)) == 0)
		p->conffiles = xrealloc(p->conffiles, (p->conffile_count ? p->conffile_count * 2 : 1) *
							      sizeof(*p->conffiles));
	p->conffiles[p->conffile_count++] = (struct conffile){ path, md5 };
}

static int compare_conffiles(const void *a, const void *b)
{
	const struct conffile *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Other fields have lines that look alike, and packages write them. */
static int read_conffiles(struct public *p, const char *dpkg, struct err *err)
{
	cleanup_free char *status = xasprintf("/%s/status", dpkg);
	struct err why = { 0 };
	bool inside = false;
	char *line, *rest;

	mask_saw(p->mask, WITNESS_CONTENT, status + 1);
	if (fd_read_file(AT_FDCWD, status, STATUS_MAX, &p->text, NULL, &why) < 0) {
		if (why.code == ENOENT)
			return 0; /* another kind of host: the names alone count */
		*err = why;
		return -1;
	}
	for (line = strtok_r(p->text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (line[0] != ' ')
			inside = strcmp(line, "Conffiles:") == 0;
		else if (inside)
			add_conffile(p, line);
	}
	if (p->conffile_count)
		qsort(p->conffiles, p->conffile_count, sizeof(*p->conffiles), compare_conffiles);
	return 0;
}

/* name is "etc/...". NULL: no package claims it. */
static const char *noted_md5(const struct public *p, const char *name)
{
	char path[PATH_MAX + 1];
	struct conffile key = { path, NULL };
	const struct conffile *found;

	if (!p->conffile_count)
		return NULL;
	(void)snprintf(path, sizeof(path), "/%s", name);
	found = bsearch(&key, p->conffiles, p->conffile_count, sizeof(key), compare_conffiles);
	return found ? found->md5 : NULL;
}

static bool is_generated(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(generated); i++) {
		if (fnmatch(generated[i], name + strlen("etc/"), FNM_PATHNAME | FNM_PERIOD) == 0)
			return true;
	}
	return false;
}

/* --- files --- */

static bool in_mask(const struct public *p, const char *name)
{
	struct stat st;

	return fstatat(p->mask->view, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A file that changes or goes while we look is one that does not show. */
static int take_file(struct public *p, const struct mask_entry *e, struct err *err)
{
	const char *md5 = noted_md5(p, e->path);
	bool named = is_generated(e->path);
	cleanup_fd int fd = -1;
	cleanup_free char *bytes = NULL;
	char hex[MD5_HEX_SIZE];
	struct stat st;
	ssize_t n;

	if ((!md5 && !named) || in_mask(p, e->path))
		return 0;
	fd = openat(e->dirfd, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	mask_saw_as(p->mask, WITNESS_CONTENT, e->path, &st);
	if (!S_ISREG(st.st_mode) || mask_is_private(&st) || st.st_size > (off_t)FILE_MAX)
		return 0;
	if (p->files >= FILES_MAX || p->sum + (size_t)st.st_size > SUM_MAX)
		return 0;
	bytes = xcalloc(1, (size_t)st.st_size + 1);
	n = fd_read_full(fd, bytes, (size_t)st.st_size);
	if (n < 0 || n != st.st_size)
		return 0;
	if (!named) {
		md5_hex(bytes, (size_t)n, hex);
		if (strcmp(hex, md5) != 0)
			return 0;
	}
	p->files++;
	p->sum += (size_t)n;
	return mask_bytes(p->mask, e->path, bytes, (size_t)n, st.st_mode & 0755, 0, err);
}

/* --- links --- */

/* Where a link leads, by its words: dir is "etc/...". false: out of the root. */
static bool resolve(const char *dir, const char *text, char ret[PATH_MAX])
{
	char all[PATH_MAX], *rest, *part;
	size_t len = 0;

	if (snprintf(all, sizeof(all), "%s/%s", text[0] == '/' ? "" : dir, text) >= (int)sizeof(all))
		return false;
	ret[0] = '\0';
	for (part = strtok_r(all, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			if (!len)
				return false;
			while (len && ret[len] != '/')
				len--;
			ret[len] = '\0';
			continue;
		}
		len += (size_t)snprintf(ret + len, PATH_MAX - len, "/%s", part);
	}
	return len > 0;
}

static int take_link(struct public *p, const struct mask_entry *e)
{
	char text[PATH_MAX], target[PATH_MAX];
	ssize_t n = readlinkat(e->dirfd, e->name, text, sizeof(text) - 1);

	/* Enabled units are named after what they serve. */
	if (n < 0 || p->link_count >= FILES_MAX || strncmp(e->path, "etc/systemd/", 12) == 0)
		return 0;
	text[n] = '\0';
	if (!resolve(e->dir, text, target) || in_mask(p, e->path))
		return 0;
	p->links = xrealloc(p->links, (p->link_count + 1) * sizeof(*p->links));
	p->links[p->link_count++] = (struct link){ xstrdup(e->path), xstrdup(target), xstrdup(text) };
	return 0;
}

static bool leads_to_public(const struct public *p, const char *target)
{
	static const char *const roots[] = { "/usr", "/bin", "/sbin", "/lib", "/proc", "/etc/alternatives",
					     "/var/lib/sgml-base", "/var/lib/xml-core" };

	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		if (platform_path_is_within(target, roots[i]))
			return true;
	}
	return platform_path_is_within(target, "/etc") && in_mask(p, target + 1);
}

/* Twice: a link may lead to a link. A third step shows as missing. */
static int place_links(struct public *p, struct err *err)
{
	for (size_t i = 0; i < p->link_count * 2; i++) {
		const struct link *l = &p->links[i % p->link_count];

		if (in_mask(p, l->path) || !leads_to_public(p, l->target))
			continue;
		if (mask_link(p->mask, l->path, l->text, err) < 0)
			return -1;
	}
	return 0;
}

/* --- the walk --- */

/* Where each hidden path really is: asked once, not for each file. */
static void find_hidden(struct public *p)
{
	const struct platform_view *spec = p->mask->spec;

	p->hidden = xcalloc(spec->hidden_count + 1, sizeof(*p->hidden));
	for (size_t i = 0; i < spec->hidden_count; i++)
		p->hidden[i] = realpath(spec->hidden[i], NULL);
}

static bool is_named_hidden(const struct public *p, const char *path)
{
	char full[PATH_MAX + 1];

	(void)snprintf(full, sizeof(full), "/%s", path);
	for (size_t i = 0; i < p->mask->spec->hidden_count; i++) {
		if (platform_path_is_within(full, p->mask->spec->hidden[i]) ||
		    (p->hidden[i] && platform_path_is_within(full, p->hidden[i])))
			return true;
	}
	return false;
}

static bool is_whole(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		if (strcmp(path, whole[i]) == 0)
			return true;
	}
	return false;
}

static int take_entry(void *data, const struct mask_entry *e, struct err *err)
{
	struct public *p = data;
	struct stat st;
	int fd;

	if (is_named_hidden(p, e->path))
		return 0;
	if (e->type == DT_LNK)
		return take_link(p, e);
	if (e->type == DT_REG)
		return take_file(p, e, err);
	if (e->type != DT_DIR || e->depth >= MASK_DEPTH_MAX || is_whole(e->path) || strcmp(e->path, "etc/cowbell") == 0)
		return 0;
	fd = openat(e->dirfd, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0)
		mask_saw_as(p->mask, WITNESS_CONTENT, e->path, &st);
	else
		st.st_mode = 0;
	if (mask_is_private(&st)) {
		(void)close(fd);
		return 0;
	}
	return mask_each(fd, e->path, take_entry, data, e->depth + 1, err);
}

static int place_folders(const struct mask *mask, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (mask_dir(mask, folders[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		if (mask_share(mask, whole[i], err) < 0 || mask_hide_private(mask, whole[i], err) < 0)
			return -1;
	}
	return 0;
}

static void finish(struct public *p)
{
	for (size_t i = 0; i < p->link_count; i++) {
		free(p->links[i].path);
		free(p->links[i].target);
		free(p->links[i].text);
	}
	free(p->links);
	for (size_t i = 0; p->hidden && i < p->mask->spec->hidden_count; i++)
		free(p->hidden[i]);
	free(p->hidden);
	free(p->conffiles);
	free(p->text);
}

int mask_public(const struct mask *mask, const char *etc, const char *dpkg, struct err *err)
{
	struct public p = { .mask = mask };
	int fd, r = -1;

	if (place_folders(mask, err) < 0)
		return -1;
	fd = open(etc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open folder '%s'", etc);
	find_hidden(&p);
	mask_saw(mask, WITNESS_CONTENT, "etc");
	if (read_conffiles(&p, dpkg, err) < 0)
		(void)close(fd);
	else if (mask_each(fd, "etc", take_entry, &p, 0, err) == 0)
		r = place_links(&p, err);
	finish(&p);
	return r;
}
