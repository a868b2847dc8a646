/* SPDX-License-Identifier: MIT
 *
 * A reader for the small part of Varlink's interface language that method
 * parameters use.
 */
#include "varlink/check.h"

#include <stdio.h>
#include <string.h>

struct field {
	char name[64];
	char type[32];
	bool optional;
};

/* The "(" of "method NAME(", at the start of a line. */
static const char *find_method(const char *text, const char *method)
{
	char head[96];
	size_t n;

	n = (size_t)snprintf(head, sizeof(head), "method %s(", method);
	if (n >= sizeof(head))
		return NULL;
	for (const char *p = text; (p = strstr(p, head)); p += n) {
		if (p == text || p[-1] == '\n')
			return p + n;
	}
	return NULL;
}

static const char *read_field(const char *p, struct field *field)
{
	size_t n;

	memset(field, 0, sizeof(*field));
	p += strspn(p, " \n\t,");
	if (*p == ')' || *p == '\0')
		return NULL;
	n = strcspn(p, ":");
	if (n >= sizeof(field->name) || p[n] != ':')
		return NULL;
	memcpy(field->name, p, n);
	p += n + 1;
	p += strspn(p, " \n\t");
	field->optional = *p == '?';
	p += field->optional;
	n = strcspn(p, ",)");
	if (n >= sizeof(field->type))
		return NULL;
	memcpy(field->type, p, n);
	return p + n;
}

static bool type_fits(const char *type, const json_t *value)
{
	size_t i;
	json_t *item;

	if (strcmp(type, "string") == 0)
		return json_is_string(value);
	if (strcmp(type, "int") == 0)
		return json_is_integer(value);
	if (strcmp(type, "bool") == 0)
		return json_is_boolean(value);
	if (strcmp(type, "[]string") != 0 || !json_is_array(value))
		return false;
	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return false;
	}
	return true;
}

static bool is_field(const char *fields, const char *key)
{
	struct field field;

	for (const char *p = fields; (p = read_field(p, &field));) {
		if (strcmp(field.name, key) == 0)
			return true;
	}
	return false;
}

const char *check_params(const char *interface_text, const char *method, json_t *params, char *buf, size_t size,
			 bool *ret_known)
{
	const char *fields = find_method(interface_text, method);
	struct field field;
	const char *key;
	json_t *value;

	*ret_known = fields != NULL;
	if (!fields)
		return NULL;
	for (const char *p = fields; (p = read_field(p, &field));) {
		value = json_object_get(params, field.name);
		if ((!value || json_is_null(value)) && field.optional)
			continue;
		if (!value || !type_fits(field.type, value)) {
			(void)snprintf(buf, size, "%s", field.name);
			return buf;
		}
	}
	json_object_foreach(params, key, value)
	{
		if (!is_field(fields, key)) {
			(void)snprintf(buf, size, "%s", key);
			return buf;
		}
	}
	return NULL;
}
