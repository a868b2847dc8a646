/* SPDX-License-Identifier: MIT
 *
 * Reading policy/kinds.
 */
#include "inspect/kinds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINES_MAX 1000u

static const char *const kind_words[] = { [KIND_CATEGORY] = "category", [KIND_SECTION] = "section", [KIND_WORD] = "word" };
static const char *const how_words[] = { [SIGN_IS] = "is",     [SIGN_HAS] = "has",     [SIGN_BEGINS] = "begins",
					 [SIGN_ENDS] = "ends", [SIGN_LINKS] = "links", [SIGN_FILE] = "file" };

static int word_number(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return (int)i;
	}
	return -1;
}

static int parse_kind(struct kinds *k, enum kind_of of, char **save)
{
	struct kind *kind = &k->kinds[k->kind_count];
	char *word = strtok_r(NULL, " \t", save);

	if (!word || strlen(word) >= sizeof(kind->name))
		return -1;
	memset(kind, 0, sizeof(*kind));
	kind->of = of;
	(void)snprintf(kind->name, sizeof(kind->name), "%s", word);
	while ((word = strtok_r(NULL, " \t", save))) {
		if (kind->permission_count == KINDS_PERMISSIONS_MAX || strlen(word) >= sizeof(kind->permissions[0]))
			return -1;
		if (strcmp(word, "-") != 0)
			(void)snprintf(kind->permissions[kind->permission_count++], sizeof(kind->permissions[0]), "%s", word);
		else if (kind->permission_count)
			return -1;
	}
	k->kind_count++;
	return 0;
}

static int parse_sign(struct kinds *k, char **save)
{
	struct sign *sign = &k->signs[k->sign_count];
	char *permission = strtok_r(NULL, " \t", save), *how = strtok_r(NULL, " \t", save);
	char *text = strtok_r(NULL, " \t", save), *equals = strtok_r(NULL, " \t", save), *why = strtok_r(NULL, "", save);
	int number = how ? word_number(how_words, ARRAY_LEN(how_words), how) : -1;

	if (!why || strcmp(equals, "=") != 0 || number < 0 || strlen(permission) >= sizeof(sign->permission) ||
	    strlen(text) >= sizeof(sign->text) || strlen(text) < 3 || strlen(why) >= sizeof(sign->why))
		return -1;
	sign->how = (enum sign_how)number;
	(void)snprintf(sign->permission, sizeof(sign->permission), "%s", permission);
	(void)snprintf(sign->text, sizeof(sign->text), "%s", text);
	(void)snprintf(sign->why, sizeof(sign->why), "%s", why + strspn(why, " \t"));
	sign->text_len = strlen(text);
	k->sign_count++;
	return 0;
}

static int parse_line(struct kinds *k, char *line)
{
	char *save = NULL, *word;
	int of;

	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return 0;
	word = strtok_r(line, " \t", &save);
	if (strcmp(word, "sign") == 0)
		return parse_sign(k, &save);
	of = word_number(kind_words, ARRAY_LEN(kind_words), word);
	return of < 0 ? -1 : parse_kind(k, (enum kind_of)of, &save);
}

int kinds_parse(const char *text, struct kinds *ret, struct err *err)
{
	unsigned int number = 1;

	memset(ret, 0, sizeof(*ret));
	ret->kinds = xcalloc(LINES_MAX, sizeof(*ret->kinds));
	ret->signs = xcalloc(LINES_MAX, sizeof(*ret->signs));
	for (const char *p = text; *p; number++) {
		size_t len = strcspn(p, "\n");
		char line[400];

		if (number > LINES_MAX || len >= sizeof(line)) {
			kinds_finish(ret);
			return err_set(err, EINVAL, "kinds: line %u is too long, or one of too many", number);
		}
		memcpy(line, p, len);
		line[len] = '\0';
		if (parse_line(ret, line) < 0) {
			kinds_finish(ret);
			return err_set(err, EINVAL, "kinds: line %u is none", number);
		}
		p += len + (p[len] == '\n');
	}
	return 0;
}

void kinds_finish(struct kinds *kinds)
{
	free(kinds->kinds);
	free(kinds->signs);
	memset(kinds, 0, sizeof(*kinds));
}

const char *kinds_permission(const struct kinds *kinds, unsigned int number)
{
	const char *seen[32];
	unsigned int n = 0;

	for (size_t i = 0; i < kinds->sign_count && n < ARRAY_LEN(seen); i++) {
		bool known = false;

		for (unsigned int s = 0; s < n; s++)
			known |= strcmp(seen[s], kinds->signs[i].permission) == 0;
		if (!known)
			seen[n++] = kinds->signs[i].permission;
	}
	return number < n ? seen[number] : NULL;
}

int kinds_number(const struct kinds *kinds, const char *permission)
{
	const char *name;

	for (unsigned int i = 0; (name = kinds_permission(kinds, i)); i++) {
		if (strcmp(name, permission) == 0)
			return (int)i;
	}
	return -1;
}

bool kinds_match(const struct kinds *kinds, enum kind_of of, const char *name, size_t len, uint32_t *set)
{
	bool any = false;

	for (size_t i = 0; i < kinds->kind_count; i++) {
		const struct kind *k = &kinds->kinds[i];

		if (k->of != of || strlen(k->name) != len || strncasecmp(k->name, name, len) != 0)
			continue;
		any = true;
		for (size_t p = 0; p < k->permission_count; p++) {
			int number = kinds_number(kinds, k->permissions[p]);

			if (number >= 0)
				*set |= 1u << number;
		}
	}
	return any;
}
