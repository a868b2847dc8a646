/* SPDX-License-Identifier: MIT
 *
 * Questions that wait for a person. The same question is asked once however
 * many gates and threads wait. A prompt has exactly one ending: answered,
 * unanswered (refused for now, nothing stored), or withdrawn.
 */
#ifndef BROKER_PROMPT_H
#define BROKER_PROMPT_H

#include "broker/session.h"
#include "policy/reach.h"

enum prompt_state {
	PROMPT_PREPARING = 0, /* contacts are being counted; not shown yet */
	PROMPT_WAITING,
	PROMPT_ANSWERED,
	PROMPT_WITHDRAWN,
	PROMPT_UNANSWERED,
};

#define PROMPT_GRACE_MS 60000u  /* how long a question waits with no agent there */
#define PROMPT_QUIET_MS 10000u  /* how long an unanswered question is refused unasked */
#define PROMPT_NETWORK_MS 120000u /* the kernel itself gives up later: tcp_syn_retries */
#define PROMPTS_MAX 256u        /* waiting at once; more are refused */
#define UNANSWERED_MAX 64u

struct prompt {
	struct prompt *next;
	struct broker *broker;
	uint64_t id;
	struct session *session; /* NULL once it is over */
	char app[APP_ID_SIZE];
	char title[160], source[256];
	const struct permission *permission;
	char item[128];
	struct reach to; /* network: where to */
	char about[256];  /* "your contacts (42 people)" */
	char program[128]; /* the app's word, escaped */
	char says[256];    /* its author's word on why, escaped; "" none */
	char note[96];     /* what became of an earlier answer; "" nothing */
	uint64_t session_id;
	uint64_t since_wall_ms;
	enum prompt_state state;
	struct job *counting;
	struct loop_source *show_timer, *grace_timer;
};

/* A gate of session waits and nothing has decided. */
void prompt_need(struct session *session, const struct gate *gate, uint32_t question, const char *program);

/* As prompt_need, for a destination; about: "to reach example.com (port 443)". */
void prompt_need_network(struct session *session, const struct reach *to, const char *item, const char *about,
			 uint32_t question, const char *program);

/* The same for a port; the app goes on meanwhile, and is reached by nobody. */
void prompt_need_listen(struct session *session, const char *item, const char *about, uint32_t question,
			const char *program);

/* The app is uninstalled: what it asked is nobody's question any more, least of
 * all that of a later app of the same name. */
void prompt_app_gone(struct broker *broker, const char *app);

struct prompt *prompt_find(struct broker *broker, uint64_t id);

/* Gives what was answered: stores it first if it is to last, and only then lets
 * the app go on. by: who answered, for the record. says: one line on what will
 * happen now. An unanswered prompt can be answered too: for next time. After -1
 * the question still waits. */
int prompt_answer(struct prompt *prompt, enum give give, struct duration lasts, const char *by, char *says,
		  size_t says_size, struct err *err);

/* GIVE_CHOSEN: items, in the spelling of policy/reach.h; none: what was asked
 * about. All of them are stored, or none. */
#define PROMPT_ITEMS_MAX 32u
int prompt_answer_items(struct prompt *prompt, const char (*items)[REACH_ITEM_SIZE], size_t count,
			struct duration lasts, const char *by, char *says, size_t says_size, struct err *err);

/* "Later": refused for now. */
void prompt_later(struct prompt *prompt);

/* Withdraws what session asks of permission, if it does. */
void prompt_withdraw(struct session *session, const struct permission *permission);

/* Withdraws what session asks of this item alone. */
void prompt_withdraw_item(struct session *session, const struct permission *permission, const char *item);

/* App wanted permission with no run of it there to wait: listed as unanswered. */
void prompt_for_next_time(struct broker *broker, const char *app, const struct permission *permission);

/* What session asks of permission is refused already: listed as unanswered. */
void prompt_unanswered(struct session *session, const struct permission *permission);

/* Withdraws what session asked. */
void prompt_session_gone(struct session *session);

/* Something was granted or locked elsewhere: questions that are decided now are
 * settled by that. */
void prompt_rethink(struct broker *broker, const char *app);

/* An agent came or went, or was locked. */
void prompt_agents_changed(struct broker *broker);

/* How many others of the same app wait. */
unsigned int prompt_more(const struct prompt *prompt);

const char *prompt_state_name(enum prompt_state state);
void prompt_finish_all(struct broker *broker);

#endif
