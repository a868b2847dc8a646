/* SPDX-License-Identifier: MIT
 *
 * A reader of tar streams.
 */
#include "inspect/tar.h"

#include <errno.h>
#include <string.h>

#define BLOCK 512u
#define MEMBERS_MAX 1000000u
#define EXTRA_MAX 1048576u /* a pax header, a long name */

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};

static int broken(struct err *err, const char *what)
{
	return err_set(err, EPROTO, "the archive is broken: %s", what);
}

static int read_full(struct tar *t, void *buf, size_t size, struct err *err)
{
	size_t used = 0;

	while (used < size) {
		ssize_t n = t->read(t->source, (char *)buf + used, size - used);

		if (n < 0)
			return err_sys(err, "read the archive");
		if (n == 0)
			return broken(err, "it is cut off");
		used += (size_t)n;
	}
	return 0;
}

static int skip(struct tar *t, uint64_t size, struct err *err)
{
	char buf[8192];

	while (size) {
		size_t n = size < sizeof(buf) ? (size_t)size : sizeof(buf);

		if (read_full(t, buf, n, err) < 0)
			return -1;
		size -= n;
	}
	return 0;
}

/* Octal with blanks around it, or GNU's base 256 for large ones. */
static bool number(const char *p, size_t n, uint64_t *ret)
{
	size_t i = 0;

	*ret = 0;
	if ((uint8_t)p[0] & 0x80) {
		if ((uint8_t)p[0] != 0x80) /* negative, or beyond 2^88 */
			return false;
		for (i = 1; i < n; i++) {
			if (*ret >> 55)
				return false;
			*ret = *ret << 8 | (uint8_t)p[i];
		}
		return true;
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) {
		if (*ret >> 60)
			return false;
		*ret = *ret << 3 | (uint64_t)(p[i] - '0');
	}
	for (; i < n; i++) {
		if (p[i] != ' ' && p[i] != '\0')
			return false;
	}
	return true;
}

static bool checksum_good(const struct header *h)
{
	const uint8_t *p = (const uint8_t *)h;
	uint64_t want, sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : p[i];
	return number(h->checksum, sizeof(h->checksum), &want) && want == sum;
}

static bool is_zero(const struct header *h)
{
	const char *p = (const char *)h;

	for (size_t i = 0; i < BLOCK; i++) {
		if (p[i])
			return false;
	}
	return true;
}

static void copy(char *out, const char *p, size_t n)
{
	size_t len = strnlen(p, n);

	memcpy(out, p, len);
	out[len] = '\0';
}

static uint64_t pad(uint64_t size)
{
	return (BLOCK - size % BLOCK) % BLOCK;
}

/* The content of a helper member, NUL-ended; freed by the caller. */
static char *read_extra(struct tar *t, uint64_t size, struct err *err)
{
	char *text;

	if (size > EXTRA_MAX) {
		(void)broken(err, "a header is larger than 1 MB");
		return NULL;
	}
	text = xcalloc(1, size + 1);
	if (read_full(t, text, size, err) < 0 || skip(t, pad(size), err) < 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Of two names for one member, readers take different ones. */
static int take_name(char *out, const char *name, struct err *err)
{
	if (strlen(name) >= TAR_NAME_SIZE)
		return broken(err, "a name is longer than 4095 bytes");
	if (out[0] || !name[0])
		return broken(err, "a member has two names, or none");
	memcpy(out, name, strlen(name) + 1);
	return 0;
}

static int take_long(struct tar *t, char *out, uint64_t size, struct err *err)
{
	cleanup_free char *text = read_extra(t, size, err);

	if (!text)
		return -1;
	return take_name(out, text, err);
}

/* Whether key=value is taken as we take it by who unpacks. */
static int take_pax_word(struct tar *t, const char *key, const char *value, bool for_all, struct err *err)
{
	bool path = strcmp(key, "path") == 0, link = strcmp(key, "linkpath") == 0;

	if (strcmp(key, "size") == 0 || strncmp(key, "GNU.sparse", 10) == 0)
		return broken(err, "a pax header changes the size of a member");
	if (for_all && (path || link))
		return broken(err, "a pax header gives all members one name");
	if (path || link)
		return take_name(path ? t->long_name : t->long_target, value, err);
	return 0;
}

/* "LENGTH KEY=VALUE\n", many; for_all: a global header. */
static int take_pax(struct tar *t, uint64_t size, bool for_all, struct err *err)
{
	cleanup_free char *text = read_extra(t, size, err);
	char *p = text, *end;

	if (!text)
		return -1;
	end = text + size;
	while (p < end) {
		char *key, *value, *stop;
		unsigned long len = strtoul(p, &key, 10);

		if (key == p || *key != ' ' || len < 4 || len > (size_t)(end - p) || p[len - 1] != '\n')
			return broken(err, "a pax header has no length");
		stop = p + len - 1;
		*stop = '\0';
		key++;
		value = strchr(key, '=');
		if (!value || strlen(key) != (size_t)(stop - key))
			return broken(err, "a pax header has no value, or a NUL in it");
		*value++ = '\0';
		if (take_pax_word(t, key, value, for_all, err) < 0)
			return -1;
		p = stop + 1;
	}
	return 0;
}

static bool kind_of(char type, enum tar_kind *ret)
{
	switch (type) {
	case '0':
	case '\0':
	case '7':
		*ret = TAR_FILE;
		return true;
	case '1':
		*ret = TAR_HARDLINK;
		return true;
	case '2':
		*ret = TAR_SYMLINK;
		return true;
	case '3':
		*ret = TAR_CHAR;
		return true;
	case '4':
		*ret = TAR_BLOCK;
		return true;
	case '5':
		*ret = TAR_DIR;
		return true;
	case '6':
		*ret = TAR_FIFO;
		return true;
	}
	return false;
}

static int fill(struct tar *t, const struct header *h, uint64_t size, struct tar_member *m, struct err *err)
{
	uint64_t mode;
	size_t n = 0;

	if (!kind_of(h->type, &m->kind))
		return broken(err, "a member is of a kind that is not known");
	if (!number(h->mode, sizeof(h->mode), &mode) || !number(h->uid, sizeof(h->uid), &m->uid) ||
	    !number(h->gid, sizeof(h->gid), &m->gid) || mode > 07777777)
		return broken(err, "a mode or an owner is no number");
	m->mode = (uint32_t)mode & 07777;
	if (t->long_name[0]) {
		memcpy(m->name, t->long_name, sizeof(m->name));
	} else {
		if (memcmp(h->magic, "ustar", 6) == 0 && h->prefix[0]) {
			copy(m->name, h->prefix, sizeof(h->prefix));
			n = strlen(m->name);
			m->name[n++] = '/';
		}
		copy(m->name + n, h->name, sizeof(h->name));
	}
	if (t->long_target[0])
		memcpy(m->target, t->long_target, sizeof(m->target));
	else
		copy(m->target, h->link, sizeof(h->link));
	t->long_name[0] = t->long_target[0] = '\0';
	if (!m->name[0])
		return broken(err, "a member has no name");
	m->size = m->kind == TAR_FILE ? size : 0;
	if (m->kind != TAR_FILE && size)
		return broken(err, "something that is no file has a size");
	t->left = m->size;
	t->padding = pad(m->size);
	return 1;
}

int tar_next(struct tar *t, struct tar_member *ret, struct err *err)
{
	struct header h;
	uint64_t size;

	if (skip(t, t->left, err) < 0 || skip(t, t->padding, err) < 0)
		return -1;
	t->left = t->padding = 0;
	for (;;) {
		int rc = 0;

		if (read_full(t, &h, sizeof(h), err) < 0)
			return -1;
		if (is_zero(&h))
			return 0;
		if (!checksum_good(&h))
			return broken(err, "a header does not check");
		if (!number(h.size, sizeof(h.size), &size) || size >> 42)
			return broken(err, "a size is no number, or larger than 4 TB");
		if (++t->members > MEMBERS_MAX)
			return broken(err, "it has more than a million members");
		if (h.type == 'L')
			rc = take_long(t, t->long_name, size, err);
		else if (h.type == 'K')
			rc = take_long(t, t->long_target, size, err);
		else if (h.type == 'x' || h.type == 'g')
			rc = take_pax(t, size, h.type == 'g', err);
		else
			return fill(t, &h, size, ret, err);
		if (rc < 0)
			return -1;
	}
}

ssize_t tar_read(struct tar *t, void *buf, size_t size, struct err *err)
{
	ssize_t n;

	if (!t->left)
		return 0;
	n = t->read(t->source, buf, size < t->left ? size : (size_t)t->left);
	if (n < 0)
		return err_sys(err, "read the archive");
	if (n == 0)
		return broken(err, "it is cut off");
	t->left -= (uint64_t)n;
	return n;
}
