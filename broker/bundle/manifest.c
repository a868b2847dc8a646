/* SPDX-License-Identifier: MIT
 *
 * The manifest: JSON, one reader, and no word in it that this reader does not know.
 */
#include "bundle/bundle.h"

#include "policy/permission.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static int bad(struct err *err, const char *key, const char *why)
{
	char shown[64];

	text_escape(key, strlen(key), shown, sizeof(shown));
	return err_set(err, EINVAL, "the manifest is broken: '%s' %s", shown, why);
}

static int only(json_t *object, const char *const *known, const char *where, struct err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return bad(err, where, "is no object");
	json_object_foreach(object, key, value)
	{
		bool found = false;

		for (const char *const *k = known; *k; k++)
			found |= strcmp(*k, key) == 0;
		if (!found)
			return bad(err, key, "is not known");
	}
	return 0;
}

/* Text that needs no escaping, and nothing else: what is shown is what is meant. */
static int take_text(json_t *object, const char *key, bool must, char *buf, size_t size, struct err *err)
{
	json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);
	char shown[512];

	if (!value && !must)
		return 0;
	if (!text || (must && !*text))
		return bad(err, key, "is missing or no text");
	if (json_string_length(value) >= size || json_string_length(value) != strlen(text))
		return bad(err, key, "is too long");
	text_escape(text, strlen(text), shown, sizeof(shown));
	if (strcmp(text, shown) != 0)
		return bad(err, key, "has signs in it that cannot be shown");
	(void)snprintf(buf, size, "%s", text);
	return 0;
}

static int take_number(json_t *object, const char *key, bool must, uint64_t most, uint64_t *ret, struct err *err)
{
	json_t *value = json_object_get(object, key);

	if (!value && !must)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) <= 0 || (uint64_t)json_integer_value(value) > most)
		return bad(err, key, "is missing, no number, or out of its bounds");
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

static bool path_good(const char *p)
{
	return p[0] == '/' && p[1] && !strstr(p, "//") && !strstr(p, "/../") && !strstr(p, "/./") && p[strlen(p) - 1] != '/' &&
	       strcmp(p + strlen(p) - (strlen(p) > 2 ? 3 : 1), "/..") != 0;
}

static int take_commands(json_t *root, struct bundle_manifest *m, struct err *err)
{
	json_t *array = json_object_get(root, "commands"), *value;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) == 0 || json_array_size(array) > MANIFEST_COMMANDS_MAX)
		return bad(err, "commands", "is missing, empty, or too long");
	json_array_foreach(array, i, value)
	{
		json_t *holder = json_pack("{s:O}", "commands", value);
		int rc = take_text(holder, "commands", true, m->commands[i], sizeof(m->commands[i]), err);

		json_decref(holder);
		if (rc < 0)
			return -1;
		if (!path_good(m->commands[i]))
			return bad(err, "commands", "has a path that is not absolute and clean");
	}
	m->command_count = json_array_size(array);
	if (!m->main[0])
		(void)snprintf(m->main, sizeof(m->main), "%s", m->commands[0]);
	for (i = 0; i < m->command_count; i++) {
		if (strcmp(m->main, m->commands[i]) == 0)
			return 0;
	}
	return bad(err, "main", "is none of its commands");
}

static int take_permissions(json_t *root, struct bundle_manifest *m, struct err *err)
{
	static const char *const known[] = { "name", "reason", NULL };
	json_t *array = json_object_get(root, "permissions"), *value;
	size_t i;

	if (!array)
		return 0;
	if (!json_is_array(array) || json_array_size(array) > MANIFEST_PERMISSIONS_MAX)
		return bad(err, "permissions", "is no list, or too long");
	json_array_foreach(array, i, value)
	{
		if (only(value, known, "permissions", err) < 0 ||
		    take_text(value, "name", true, m->permissions[i].name, sizeof(m->permissions[i].name), err) < 0 ||
		    take_text(value, "reason", true, m->permissions[i].reason, sizeof(m->permissions[i].reason), err) < 0)
			return -1;
		if (strspn(m->permissions[i].name, "abcdefghijklmnopqrstuvwxyz-") != strcspn(m->permissions[i].name, ":"))
			return bad(err, "permissions", "has a name that is none");
	}
	m->permission_count = json_array_size(array);
	return 0;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int take_payload(json_t *root, bool whole, struct bundle_manifest *m, struct err *err)
{
	static const char *const known[] = { "size", "tar_size", "blake2b", NULL };
	json_t *payload = json_object_get(root, "payload");
	char text[2 * BUNDLE_HASH_SIZE + 1] = "";

	if (!whole)
		return payload ? bad(err, "payload", "is written by cowbell bundle") : 0;
	if (only(payload, known, "payload", err) < 0 ||
	    take_number(payload, "size", true, BUNDLE_PAYLOAD_MAX, &m->payload_size, err) < 0 ||
	    take_number(payload, "tar_size", true, BUNDLE_PAYLOAD_MAX * 4, &m->tar_size, err) < 0 ||
	    take_text(payload, "blake2b", true, text, sizeof(text), err) < 0)
		return -1;
	if (strlen(text) != 2 * BUNDLE_HASH_SIZE)
		return bad(err, "blake2b", "has not 128 digits");
	for (size_t i = 0; i < BUNDLE_HASH_SIZE; i++) {
		if (hex(text[2 * i]) < 0 || hex(text[2 * i + 1]) < 0)
			return bad(err, "blake2b", "has a digit that is none");
		m->payload_hash[i] = (uint8_t)(hex(text[2 * i]) << 4 | hex(text[2 * i + 1]));
	}
	return 0;
}

static int take_all(json_t *root, bool whole, struct bundle_manifest *m, struct err *err)
{
	static const char *const known[] = { "format",   "id",          "version", "name",    "summary", "arch",
					     "commands", "main",        "limits",  "payload", "permissions", NULL };
	static const char *const limits[] = { "memory", "processes", NULL };
	json_t *limit = json_object_get(root, "limits");

	if (only(root, known, "manifest", err) < 0)
		return -1;
	if (json_integer_value(json_object_get(root, "format")) != 1)
		return bad(err, "format", "is not 1: this bundle is for another version of Cowbell");
	if (take_text(root, "id", true, m->id, sizeof(m->id), err) < 0 || app_id_check(m->id, err) < 0 ||
	    take_text(root, "version", true, m->version, sizeof(m->version), err) < 0 ||
	    take_text(root, "name", true, m->name, sizeof(m->name), err) < 0 ||
	    take_text(root, "summary", false, m->summary, sizeof(m->summary), err) < 0 ||
	    take_text(root, "arch", true, m->arch, sizeof(m->arch), err) < 0 ||
	    take_text(root, "main", false, m->main, sizeof(m->main), err) < 0)
		return -1;
	if (strchr(m->version, ' ') || strchr(m->version, '/'))
		return bad(err, "version", "has a blank or a slash in it");
	if (limit && (only(limit, limits, "limits", err) < 0 ||
		      take_number(limit, "memory", false, (uint64_t)1 << 42, &m->memory, err) < 0 ||
		      take_number(limit, "processes", false, 4096, &m->processes, err) < 0))
		return -1;
	return take_commands(root, m, err) < 0 || take_permissions(root, m, err) < 0 ? -1 : take_payload(root, whole, m, err);
}

int bundle_manifest_parse(const char *text, size_t size, bool whole, struct bundle_manifest *ret, struct err *err)
{
	json_error_t where;
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (!root)
		return err_set(err, EINVAL, "the manifest is broken: line %d: %s", where.line, where.text);
	rc = take_all(root, whole, ret, err);
	json_decref(root);
	return rc;
}
