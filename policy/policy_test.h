/* SPDX-License-Identifier: MIT
 *
 * Tests of policy files, so that whoever ships a device can prove what it says.
 * Lines of a test file:
 *
 *   admin FILE...      policy files of the administrator, beside the test file
 *   vendor FILE...     and of the vendor
 *   grant APP PERMISSION[:ITEM] ANSWER [lock]   what the owner has answered
 *   forget             no answers any more
 *   expect APP PERMISSION[:ITEM] ANSWER [by=WORD]  # why
 *
 * WORD is what decides: enforced, lock, grant, policy, vendor, nobody.
 */
#ifndef POLICY_POLICY_TEST_H
#define POLICY_POLICY_TEST_H

#include "policy/rules.h"

struct policy_test_report {
	unsigned int passed, failed;
	/* One line for each that failed: "FILE:LINE: APP PERMISSION is no, decided by ..." */
	void (*on_failed)(void *data, const char *text);
	/* Reads a policy file that the test names; text is freed. 0 or -1 with err. */
	int (*read_file)(void *data, const char *name, char **ret, size_t *ret_size, struct err *err);
	void *data;
};

/* 0: it ran to its end (look at failed); -1 with err "FILE:LINE: ...": it did not. */
int policy_test_run(const char *file, const char *text, size_t size, struct policy_test_report *report,
		    struct err *err);

/* Rules of set that can never speak, since another always does before them: calls fn
 * with "FILE:LINE: is never reached: OTHER speaks first". Returns how many. */
unsigned int policy_lint(const struct ruleset *set, void (*fn)(void *data, const char *text), void *data);

#endif
