/* SPDX-License-Identifier: MIT
 *
 * A flashlight needs the torch. What a package says it is, against what the signs
 * in its files say that it may want.
 */
#include "inspect/inspect.h"
#include "inspect/scan.h"

#include "base/fd.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define SAYS_MAX 16u

struct judge {
	struct kinds kinds;
	struct scan scan;
	bool by_category, by_other;
	uint32_t category_needs, needs;
	char says[SAYS_MAX][INSPECT_VALUE_SIZE];
	size_t says_count;
};

struct judge *judge_create(struct err *err)
{
	struct judge *j = xcalloc(1, sizeof(*j));
	cleanup_free char *own = NULL;
	struct err ignored = { 0 };

	if (fd_read_file(AT_FDCWD, "/etc/cowbell/kinds", 262144, &own, NULL, &ignored) < 0)
		own = NULL;
	if (kinds_parse(own ? own : kinds_text, &j->kinds, err) < 0) {
		if (own)
			err_wrap(err, "/etc/cowbell/kinds");
		free(j);
		return NULL;
	}
	j->scan.kinds = &j->kinds;
	j->scan.seen = xcalloc(j->kinds.sign_count + 1, 1);
	return j;
}

void judge_free(struct judge *judge)
{
	if (!judge)
		return;
	free(judge->scan.seen);
	kinds_finish(&judge->kinds);
	free(judge);
}

struct scan *judge_scan(struct judge *judge)
{
	return &judge->scan;
}

void judge_category(struct judge *j, const char *categories)
{
	while (*categories) {
		size_t n = strcspn(categories, ";");

		if (n && kinds_match(&j->kinds, KIND_CATEGORY, categories, n, &j->category_needs))
			j->by_category = true;
		categories += n + (categories[n] == ';');
	}
}

void judge_section(struct judge *j, const char *section, size_t len)
{
	const char *slash = memchr(section, '/', len); /* "contrib/net" */

	if (slash) {
		len -= (size_t)(slash + 1 - section);
		section = slash + 1;
	}
	if (kinds_match(&j->kinds, KIND_SECTION, section, len, &j->needs))
		j->by_other = true;
}

void judge_words(struct judge *j, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *start;

		while (text < end && !isalnum((unsigned char)*text))
			text++;
		for (start = text; text < end && isalnum((unsigned char)*text); text++)
			continue;
		if (text > start && kinds_match(&j->kinds, KIND_WORD, start, (size_t)(text - start), &j->needs))
			j->by_other = true;
	}
}

bool says_line(const char *text, size_t len, char ret[INSPECT_VALUE_SIZE])
{
	size_t n = 0;

	if (len == 0 || len >= INSPECT_VALUE_SIZE)
		return false;
	while (n < len && (islower((unsigned char)text[n]) || text[n] == '-'))
		n++;
	if (n == 0 || n > 31)
		return false;
	memcpy(ret, text, len);
	ret[len] = '\0';
	/* "contacts: why" and "contacts why"; "storage:Music: why" too */
	while (ret[n] && ret[n] != ' ' && !(ret[n] == ':' && (ret[n + 1] == ' ' || !ret[n + 1])))
		n++;
	if (ret[n] == ':')
		memmove(ret + n, ret + n + 1, len - n);
	return true;
}

void judge_says(struct judge *j, const char *text, size_t len)
{
	if (j->says_count < SAYS_MAX && says_line(text, len, j->says[j->says_count]))
		j->says_count++;
}

static void tell_want(const struct judge *j, const char *permission)
{
	for (size_t i = 0; i < j->kinds.sign_count; i++) {
		const struct sign *s = &j->kinds.signs[i];
		char text[256];

		if (!j->scan.seen[i] || strcmp(s->permission, permission) != 0)
			continue;
		(void)snprintf(text, sizeof(text), "%s %s", permission, s->why);
		tell_fact(INSPECT_WANTS, text, strlen(text));
		return; /* one reason is enough */
	}
	if (strcmp(permission, "network") == 0 && j->scan.bare_host[0]) {
		char text[256];

		(void)snprintf(text, sizeof(text), "network its files name %s", j->scan.bare_host);
		tell_fact(INSPECT_WANTS, text, strlen(text));
	}
}

void judge_tell(struct judge *j)
{
	uint32_t needs = j->needs | j->category_needs;
	const char *permission;

	for (size_t i = 0; i < j->says_count; i++)
		tell_fact(INSPECT_SAYS, j->says[i], strlen(j->says[i]));
	for (unsigned int i = 0; (permission = kinds_permission(&j->kinds, i)); i++) {
		if (needs & (1u << i))
			tell_fact(INSPECT_NEEDS, permission, strlen(permission));
		tell_want(j, permission);
	}
	if (needs == 0 && (j->by_category || j->by_other))
		tell_fact(INSPECT_NEEDS, "-", 1);
	for (size_t i = 0; i < j->scan.host_count; i++)
		tell_fact(INSPECT_HOST, j->scan.hosts[i], strlen(j->scan.hosts[i]));
}
