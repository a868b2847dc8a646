/* SPDX-License-Identifier: MIT
 *
 * Every doubt is in favour of what was answered: it is asked about later, never
 * without having been announced.
 */
#include "policy/lapse.h"

#include "policy/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS ((uint64_t)24 * 3600 * 1000)

static bool read_number(const char **p, uint64_t *ret)
{
	const char *begin = *p;

	for (*ret = 0; **p >= '0' && **p <= '9'; (*p)++) {
		if (*p - begin == 18)
			return false;
		*ret = *ret * 10 + (uint64_t)(**p - '0');
	}
	return *p != begin;
}

struct lapse_rule lapse_rule_parse(const char *text)
{
	const struct lapse_rule standard = { .days = LAPSE_DAYS_DEFAULT };
	uint64_t days, since;

	if (!read_number(&text, &days) || *text++ != ' ' || !read_number(&text, &since) || *text || days > LAPSE_DAYS_MAX)
		return standard;
	return (struct lapse_rule){ .days = (uint32_t)days, .since_ms = since };
}

void lapse_rule_format(const struct lapse_rule *rule, char buf[LAPSE_TEXT_SIZE])
{
	(void)snprintf(buf, LAPSE_TEXT_SIZE, "%u %llu", rule->days, (unsigned long long)rule->since_ms);
}

int lapse_days_parse(const char *word, uint32_t *ret, struct err *err)
{
	const char *p = word;
	char shown[64];
	uint64_t days;

	*ret = 0;
	if (strcmp(word, "off") == 0)
		return 0;
	if (read_number(&p, &days) && (!*p || strcmp(p, "d") == 0) && days >= 1 && days <= LAPSE_DAYS_MAX) {
		*ret = (uint32_t)days;
		return 0;
	}
	text_escape(word, strlen(word), shown, sizeof(shown));
	err_set(err, EINVAL, "'%s' is no number of days", shown);
	return err_hint(err, "1 to %u, or off", LAPSE_DAYS_MAX);
}

bool lapse_concerns(enum give give, enum lasts lasts, bool locked)
{
	return lasts == LASTS_ALWAYS && !locked && (give == GIVE_READ || give == GIVE_WRITE || give == GIVE_ALLOW);
}

static uint64_t notice_ms(const struct lapse_rule *rule)
{
	return rule->days * DAY_MS / 6;
}

uint64_t lapse_left_ms(const struct lapse_rule *rule, uint64_t used_ms, uint64_t now_ms)
{
	uint64_t due, announced = rule->since_ms + notice_ms(rule);

	if (!rule->days)
		return UINT64_MAX;
	if (used_ms > now_ms) /* the time was lost and began anew */
		used_ms = now_ms;
	due = used_ms + rule->days * DAY_MS;
	if (due < announced)
		due = announced;
	return due > now_ms ? due - now_ms : 0;
}

bool lapse_is_soon(const struct lapse_rule *rule, uint64_t left_ms)
{
	return rule->days && left_ms <= notice_ms(rule);
}

/* How long item is without its port. */
static size_t host_length(const char *item)
{
	const char *colon = strchr(item, ':');

	if (item[0] == '[')
		return strcspn(item, "]") + 1;
	return !colon || strchr(colon + 1, ':') ? strlen(item) : (size_t)(colon - item);
}

static bool is_same_host(const char *a, const char *b)
{
	size_t n = host_length(a), m = host_length(b);

	if (a[0] == '[' && n >= 2) {
		a++;
		n -= 2;
	}
	if (b[0] == '[' && m >= 2) {
		b++;
		m -= 2;
	}
	return n == m && strncmp(a, b, n) == 0;
}

bool lapse_is_use_of(const char *permission, const char *item, const char *granted)
{
	size_t n = host_length(item), m = host_length(granted);

	if (granted[0] == '\0' || strcmp(item, granted) == 0)
		return true;
	if (strcmp(permission, "network") != 0)
		return item[0] == '\0';
	if (strcmp(granted, REACH_LOCAL) == 0 || is_same_host(item, granted))
		return true;
	return granted[0] == '*' && m > 1 && n >= m - 1 && strncmp(item + n - (m - 1), granted + 1, m - 1) == 0;
}
