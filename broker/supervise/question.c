/* SPDX-License-Identifier: MIT
 *
 * A gate opens by an answer of the broker alone, and by a mount of cowbelld's
 * where the answer speaks of the real thing: two processes have to agree. All
 * else ends in a refusal.
 */
#include "supervise/supervise.h"

#include "base/log.h"
#include "platform/arm/gate.h"
#include "platform/arm/mnt.h"
#include "platform/arm/root.h"
#include "supervise/copying.h"
#include "supervise/who.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void questions_init(struct questions *q, struct gate_engine *engine, const struct platform_view *view)
{
	q->engine = engine;
	q->count = view->gate_count;
	for (size_t i = 0; i < q->count; i++) {
		q->of[i].s = CONTAINER_OF(q, struct supervise, questions);
		q->of[i].gate = view->gates[i].gate;
		q->of[i].kind = view->gates[i].kind;
		q->of[i].vault = q->of[i].mount = -1;
		q->of[i].given = q->of[i].standing = GIVE_NO;
	}
}

void questions_set_vault(struct questions *q, size_t index, int vault)
{
	q->of[index].vault = vault;
}

/* Gate 0: a place in the table that is free again. */
struct question *question_find(struct questions *qs, uint16_t gate)
{
	for (size_t i = 0; i < qs->count; i++) {
		if (qs->of[i].gate == gate)
			return &qs->of[i];
	}
	return NULL;
}

static void drop_mount(struct question *q)
{
	if (q->mount >= 0)
		(void)close(q->mount);
	q->mount = -1;
}

/* --- who waits --- */

static void name_program(struct question *q)
{
	who_name(q->s->spare.host_proc, q->pid, q->program, sizeof(q->program));
}

static void tell_need(const struct question *q)
{
	static struct wr w;

	chan_begin(&w, MSG_NEED, q->s->session);
	wr_u32(&w, q->number);
	wr_u16(&w, q->gate);
	wr_u32(&w, (uint32_t)q->pid);
	wr_str(&w, q->program);
	supervise_tell(q->s, &w, NULL, 0);
}

static void tell_answered(const struct question *q, enum give give, uint32_t code, const char *why, uint64_t bytes,
			  uint32_t files)
{
	static struct wr w;

	chan_begin(&w, MSG_ANSWERED, q->s->session);
	wr_u32(&w, q->number);
	wr_u16(&w, q->gate);
	wr_u8(&w, (uint8_t)give);
	wr_u32(&w, code);
	wr_str(&w, why);
	wr_u64(&w, bytes);
	wr_u32(&w, files);
	supervise_tell(q->s, &w, NULL, 0);
}

static void tell_used(const struct question *q)
{
	static struct wr w;

	chan_begin(&w, MSG_USED, q->s->session);
	wr_u16(&w, q->gate);
	wr_u8(&w, (uint8_t)q->given);
	wr_str(&w, q->program);
	supervise_tell(q->s, &w, NULL, 0);
}

static void deny_one(struct questions *qs, uint16_t gate, uint32_t token, int code)
{
	struct err err = { 0 };

	if (gate_deny(qs->engine, gate, token, code, &err) < 0)
		log_warn("%s", err.msg);
}

static void give_empty(struct question *q);

static void forget_standing(struct question *q)
{
	q->standing = GIVE_NO;
	if (!q->number)
		drop_mount(q);
}

/* What was laid out is as good as an answer, as long as the broker that did it lives
 * and could take it back. A folder that was deleted meanwhile is no answer. */
static bool answer_from_standing(struct question *q, uint32_t token)
{
	enum give give = q->standing;
	struct stat st;

	if (give == GIVE_NO || q->number || !q->s->broker)
		return false;
	if ((q->standing_until_ms && loop_boot_ms() >= q->standing_until_ms) ||
	    (give != GIVE_EMPTY && (q->mount < 0 || q->mount_give != give || fstat(q->mount, &st) < 0 || st.st_nlink == 0))) {
		forget_standing(q);
		return false;
	}
	q->tokens[0] = token;
	q->token_count = 1;
	q->standing = GIVE_NO;
	q->answer = (struct question_answer){ .give = give };
	name_program(q);
	if (give == GIVE_EMPTY)
		give_empty(q);
	else
		question_settle(q, q->mount, 0, 0);
	return true;
}

static void wait_at(struct supervise *s, struct question *q, const struct gate_request *r)
{
	/* An installer runs unattended: it is told no. Where something is attached
	 * and still the gate is asked, it is from a place that cannot see it. */
	if (s->state != SUPERVISE_LIVE || s->kind == SESSION_INSTALL || q->given != GIVE_NO ||
	    q->token_count == QUESTION_TOKENS_MAX) {
		deny_one(&s->questions, q->gate, r->token, EACCES);
		return;
	}
	q->pid = q->number ? q->pid : r->pid;
	if (answer_from_standing(q, r->token))
		return;
	q->tokens[q->token_count++] = r->token;
	if (q->number)
		return;
	drop_mount(q); /* laid out for an answer that is none any more */
	if (++s->questions.last_number == 0)
		s->questions.last_number = 1;
	q->number = s->questions.last_number;
	name_program(q);
	tell_need(q);
}

void questions_read(struct supervise *s)
{
	struct gate_request r;
	struct err err = { 0 };
	int n;

	while ((n = gate_read(s->questions.engine, &r, &err)) > 0) {
		struct question *q = question_find(&s->questions, r.gate);

		if (q)
			wait_at(s, q, &r);
		else
			deny_one(&s->questions, r.gate, r.token, EACCES);
	}
	if (n < 0)
		fatal("%s", err.msg);
}

void questions_repeat(struct supervise *s)
{
	for (size_t i = 0; i < s->questions.count; i++) {
		struct question *q = &s->questions.of[i];

		if (!q->number || q->copying)
			continue;
		/* A mount that the old broker did not live to ask for never comes. */
		drop_mount(q);
		q->answered = false;
		tell_need(q);
	}
}

void questions_list(const struct questions *q, struct session_hello *ret)
{
	for (size_t i = 0; i < q->count; i++) {
		if (q->of[i].given == GIVE_NO)
			continue;
		ret->given[ret->given_count].gate = q->of[i].gate;
		ret->given[ret->given_count++].give = (uint8_t)q->of[i].given;
	}
}

/* --- endings --- */

static void close_question(struct question *q)
{
	drop_mount(q);
	q->token_count = 0;
	q->number = 0;
	q->answered = false;
}

static void deny_all(struct question *q, int code)
{
	for (size_t i = 0; i < q->token_count; i++)
		deny_one(&q->s->questions, q->gate, q->tokens[i], code);
}

void question_shut(struct question *q, int code)
{
	forget_standing(q);
	deny_all(q, code);
	close_question(q);
}

void question_refuse(struct question *q, const struct err *err)
{
	deny_all(q, EACCES);
	tell_answered(q, q->answer.give, (uint32_t)(err->code ? err->code : EIO), err->msg, 0, 0);
	close_question(q);
}

static int restrict_mount(const struct question *q, int mnt, enum give give, struct err *err)
{
	uint64_t attrs = MOUNT_ATTR_NOSUID;

	/* Nodes are what an answer about nodes gives, and nothing else does. */
	attrs |= q->kind == PLATFORM_GATE_NODES ? MOUNT_ATTR_NOEXEC : MOUNT_ATTR_NODEV;
	/* What READ means is made true here too, whoever made the mount. */
	if (give == GIVE_READ)
		attrs |= MOUNT_ATTR_RDONLY;
	return mnt_set(mnt, attrs, -1, err);
}

void question_settle(struct question *q, int mnt, uint64_t bytes, uint32_t files)
{
	struct err err = { 0 };

	/* The one that came from cowbelld was restricted when it came. */
	if ((mnt != q->mount && restrict_mount(q, mnt, q->answer.give, &err) < 0) ||
	    gate_attach(q->s->questions.engine, q->gate, mnt, q->tokens, q->token_count, &err) < 0) {
		question_refuse(q, &err);
		return;
	}
	q->given = q->answer.give;
	if (q->number)
		tell_answered(q, q->given, 0, "", bytes, files);
	else
		tell_used(q);
	close_question(q);
}

/* --- answers --- */

/* What an app would write on a volume that is none is kept nowhere. */
static int empty_volume(const struct root_owner *owner, struct err *err)
{
	char uid[16], gid[16];
	const struct mnt_option options[] = {
		{ "mode", "0755" }, { "size", "4k" }, { "uid", uid }, { "gid", gid }, { NULL, NULL },
	};

	(void)snprintf(uid, sizeof(uid), "%u", owner->uid);
	(void)snprintf(gid, sizeof(gid), "%u", owner->gid);
	return mnt_new("tmpfs", MNT_PLAIN | MOUNT_ATTR_RDONLY, options, err);
}

static void give_empty(struct question *q)
{
	const struct platform_owner *o = &q->s->spare.view.owner;
	const struct root_owner owner = { q->s->base + o->uid, q->s->base + o->gid };
	struct err err = { 0 };
	cleanup_fd int dir = q->vault < 0 ? -1 : root_mount_point(q->vault, "/empty", 0, owner, owner, &err);
	cleanup_fd int mnt = q->path ? empty_volume(&owner, &err) : dir < 0 ? -1 : mnt_clone(dir, "", &err);

	if (mnt < 0)
		question_refuse(q, &err);
	else
		question_settle(q, mnt, 0, 0);
}

/* Does what can be done with what has come so far. */
static void proceed(struct question *q)
{
	bool here = q->mount >= 0 && q->mount_give == q->answer.give;

	if (!q->number || !q->answered || q->copying)
		return;
	if (q->answer.give == GIVE_EMPTY)
		give_empty(q);
	else if (q->answer.give == GIVE_COPY && (copying_reuse(q) || !here))
		return;
	else if (q->answer.give == GIVE_COPY)
		copying_begin(q);
	else if (here)
		question_settle(q, q->mount, 0, 0);
}

static void refuse_by_answer(struct question *q)
{
	copying_cancel(q);
	deny_all(q, q->answer.code >= 1 && q->answer.code < 512 ? (int)q->answer.code : EACCES);
	tell_answered(q, GIVE_NO, 0, "", 0, 0);
	close_question(q);
}

static void take_answer(struct question *q, const struct question_answer *answer)
{
	struct err err = { 0 };

	/* Only a no can overtake an answer that is being carried out. */
	if (q->answered && answer->give != GIVE_NO)
		return;
	q->answer = *answer;
	q->answered = true;
	switch (answer->give) {
	case GIVE_ALLOW:
		if (q->kind == PLATFORM_GATE_FOLDER)
			break;
		proceed(q);
		return;
	case GIVE_NO:
		refuse_by_answer(q);
		return;
	case GIVE_EMPTY:
	case GIVE_COPY:
	case GIVE_READ:
	case GIVE_WRITE:
		if (q->kind != PLATFORM_GATE_FOLDER)
			break;
		proceed(q);
		return;
	case GIVE_ASK:
	case GIVE_CHOSEN:
	case GIVE_COUNT:
		break;
	}
	(void)err_set(&err, EINVAL, "a %s cannot be given as '%s'",
		      q->kind == PLATFORM_GATE_FOLDER ? "folder" : "device", give_name(answer->give));
	question_refuse(q, &err);
}

bool questions_handle_answer(struct supervise *s, struct msg *m)
{
	uint32_t number = rd_u32(&m->body);
	struct question *q = question_find(&s->questions, rd_u16(&m->body));
	uint8_t give = rd_u8(&m->body);
	struct question_answer answer = { .give = give < GIVE_COUNT ? (enum give)give : GIVE_NO };

	answer.code = rd_u32(&m->body);
	answer.serial = rd_u64(&m->body);
	answer.max_bytes = rd_u64(&m->body);
	answer.max_files = rd_u32(&m->body);
	if (!rd_end(&m->body) || give >= GIVE_COUNT || number == 0)
		return false;
	/* Nobody waits for it any more, or it was a volume's, which has left. */
	if (!q || q->number != number)
		return true;
	take_answer(q, &answer);
	return true;
}

bool questions_handle_mount(struct supervise *s, struct msg *m)
{
	struct question *q = question_find(&s->questions, rd_u16(&m->body));
	uint8_t give = rd_u8(&m->body), ahead = rd_u8(&m->body);
	struct err err = { 0 };

	if (!rd_end(&m->body) || m->fd_count != 1)
		return false;
	if (!q) /* of a volume that has left meanwhile */
		return true;
	/* One that nobody waits for must not lie around for a later question; one that
	 * was made ahead must not take the place of the one that is waited for. */
	if (ahead && q->number)
		return true;
	drop_mount(q);
	if (s->state != SUPERVISE_LIVE || q->copying || !(q->number || (ahead && q->given == GIVE_NO)))
		return true;
	if (restrict_mount(q, m->fds[0], (enum give)give, &err) < 0) {
		q->answer.give = (enum give)give;
		if (q->number)
			question_refuse(q, &err);
		return true;
	}
	q->mount = m->fds[0];
	m->fds[0] = -1;
	q->mount_give = (enum give)give;
	proceed(q);
	return true;
}

bool questions_handle_standing(struct supervise *s, struct msg *m)
{
	struct question *q = question_find(&s->questions, rd_u16(&m->body));
	uint8_t give = rd_u8(&m->body);
	uint64_t until_ms = rd_u64(&m->body);

	if (!rd_end(&m->body) || !q || q->kind != PLATFORM_GATE_FOLDER ||
	    (give != GIVE_READ && give != GIVE_WRITE && give != GIVE_EMPTY))
		return false;
	/* What is asked about meanwhile gets its answer the other way. */
	if (q->number || q->given != GIVE_NO)
		return true;
	q->standing = (enum give)give;
	q->standing_until_ms = until_ms;
	return true;
}

void questions_forget_standing(struct supervise *s)
{
	for (size_t i = 0; i < s->questions.count; i++)
		forget_standing(&s->questions.of[i]);
}

bool questions_handle_revoke(struct supervise *s, struct msg *m)
{
	struct question *q = question_find(&s->questions, rd_u16(&m->body));
	struct err err = { 0 };
	static struct wr w;
	uint32_t held = 0;

	if (!rd_end(&m->body) || !q)
		return false;
	forget_standing(q);
	/* An answer that is still being carried out must not come true after this. */
	if (q->answered) {
		q->answer.code = EACCES;
		refuse_by_answer(q);
	}
	/* Who watches its own copy hears of nothing but itself. */
	if (gate_detach(s->questions.engine, q->gate, q->given == GIVE_READ || q->given == GIVE_WRITE, &held, &err) == 0)
		q->given = GIVE_NO;
	if (err.code)
		log_warn("%s", err.msg);
	chan_begin(&w, MSG_REVOKED, s->session);
	wr_u16(&w, q->gate);
	wr_u32(&w, (uint32_t)err.code);
	wr_u32(&w, held);
	supervise_tell(s, &w, NULL, 0);
	return true;
}

void questions_child(struct supervise *s, pid_t pid, int status)
{
	for (size_t i = 0; i < s->questions.count; i++) {
		if (copying_child(&s->questions.of[i], pid, status))
			return;
	}
}

void questions_finish(struct supervise *s)
{
	for (size_t i = 0; i < s->questions.count; i++) {
		copying_cancel(&s->questions.of[i]);
		drop_mount(&s->questions.of[i]);
	}
}
