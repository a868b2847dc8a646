/* SPDX-License-Identifier: MIT
 *
 * When an answer that gives something of yours for good has lain unused for so long
 * that it is asked again. Pure. Times are of the device being on, in milliseconds
 * over all its boots: a phone that lay in a drawer has missed nothing, and a wrong
 * clock takes nothing away.
 */
#ifndef POLICY_LAPSE_H
#define POLICY_LAPSE_H

#include "policy/permission.h"

#define LAPSE_DAYS_DEFAULT 90u
#define LAPSE_DAYS_MAX 3650u
#define LAPSE_TEXT_SIZE 48u

struct lapse_rule {
	uint32_t days;     /* 0: nothing lapses */
	uint64_t since_ms; /* when it was set; nothing lapses by it before it was announced */
};

/* "90 0"; what is no rule (text "" included) is the default one. */
struct lapse_rule lapse_rule_parse(const char *text);
void lapse_rule_format(const struct lapse_rule *rule, char buf[LAPSE_TEXT_SIZE]);

/* Days as people write them: "90", "90d", "off". 0 or -1 with err. */
int lapse_days_parse(const char *word, uint32_t *ret, struct err *err);

/* Whether an answer is of the kind that lapses: the real thing, for good, and not
 * locked. A no and an empty one take nothing away by staying, a private copy is the
 * app's own by now. */
bool lapse_concerns(enum give give, enum lasts lasts, bool locked);

/* What is left of its time; 0: it is over. UINT64_MAX: it never is. used_ms: of the
 * last use, or of the answer. */
uint64_t lapse_left_ms(const struct lapse_rule *rule, uint64_t used_ms, uint64_t now_ms);

/* Whether so little is left that its person is told: the last sixth, of 90 days 15. */
bool lapse_is_soon(const struct lapse_rule *rule, uint64_t left_ms);

/* Whether a use of item can have been one of the answer for granted: of the network
 * also of a wildcard above it, another port, or a scope. In doubt it was. */
bool lapse_is_use_of(const char *permission, const char *item, const char *granted);

#endif
