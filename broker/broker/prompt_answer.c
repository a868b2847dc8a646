/* SPDX-License-Identifier: MIT
 *
 * The answer to a question: written down first, and only then given.
 */
#include "broker/prompt_impl.h"

#include "broker/access.h"
#include "broker/answer.h"
#include "broker/autostart.h"
#include "broker/network.h"

#include <stdio.h>

/* The answer for item is written down, and what it means. */
static int write_down(struct prompt *prompt, const char *item, enum give give, struct duration lasts, const char *by,
		      char *says, size_t says_size, struct answer_result *ret, struct err *err)
{
	struct answer answer = {
		.app = prompt->app,
		.ref = { .permission = prompt->permission },
		.give = give,
		.lasts = lasts,
		.by = by,
	};

	(void)snprintf(answer.ref.item, sizeof(answer.ref.item), "%s", item);
	if (answer_store(prompt->broker, prompt->session, &answer, ret, err) < 0)
		return -1;
	answer_says(&answer, says, says_size);
	return 0;
}

static int check_run(const struct prompt *prompt, struct duration lasts, struct err *err)
{
	if (prompt->session || lasts.lasts > LASTS_RUN)
		return 0;
	return err_set(err, 0, "the run that asked is over, so an answer for this run has no use "
			       "(answer for 90m, boot or always)");
}

static void settle_network(struct prompt *prompt, enum give give, bool once)
{
	struct session *session = prompt->session;
	char item[REACH_ITEM_SIZE];

	(void)snprintf(item, sizeof(item), "%s", prompt->item);
	prompt->state = prompt_is_open(prompt) ? PROMPT_WAITING : prompt->state;
	prompt_end(prompt, PROMPT_ANSWERED);
	if (session)
		network_answered(session, item, give, once);
}

int prompt_answer_items(struct prompt *prompt, const char (*items)[REACH_ITEM_SIZE], size_t count,
			struct duration lasts, const char *by, char *says, size_t says_size, struct err *err)
{
	struct answer_result result;

	if (check_run(prompt, lasts, err) < 0)
		return -1;
	for (size_t i = 0; i < (count ? count : 1); i++) {
		if (write_down(prompt, count ? items[i] : prompt->item, GIVE_ALLOW, lasts, by, says, says_size, &result,
			       err) < 0)
			return -1;
	}
	settle_network(prompt, GIVE_ALLOW, lasts.lasts == LASTS_ONCE);
	return 0;
}

/* Yes is to the whole scope, no to this destination. */
static int answer_network(struct prompt *prompt, enum give give, struct duration lasts, const char *by, char *says,
			  size_t says_size, struct err *err)
{
	const char *item = prompt->item;
	struct answer_result result;

	if (give == GIVE_CHOSEN)
		return prompt_answer_items(prompt, NULL, 0, lasts, by, says, says_size, err);
	if (check_run(prompt, lasts, err) < 0)
		return -1;
	if (give == GIVE_ALLOW && lasts.lasts != LASTS_ONCE)
		item = prompt->to.local ? REACH_LOCAL : "";
	if (write_down(prompt, item, give, lasts, by, says, says_size, &result, err) < 0)
		return -1;
	settle_network(prompt, give, lasts.lasts == LASTS_ONCE);
	return 0;
}

int prompt_answer(struct prompt *prompt, enum give give, struct duration lasts, const char *by, char *says,
		  size_t says_size, struct err *err)
{
	struct session *session = prompt->session;
	struct broker *broker = prompt->broker;
	struct answer_result result;
	char app[APP_ID_SIZE];

	if (network_is(prompt->permission))
		return answer_network(prompt, give, lasts, by, says, says_size, err);
	if (check_run(prompt, lasts, err) < 0 ||
	    write_down(prompt, prompt->item, give, lasts, by, says, says_size, &result, err) < 0)
		return -1;
	if (session)
		access_answer_waiting(session, prompt->permission, prompt->item, give, result.copy_serial,
				      result.until_boot_ms);
	prompt->state = prompt_is_open(prompt) ? PROMPT_WAITING : prompt->state;
	(void)snprintf(app, sizeof(app), "%s", prompt->app);
	prompt_end(prompt, PROMPT_ANSWERED);
	autostart_rethink(broker, app);
	return 0;
}
