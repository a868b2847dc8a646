/* SPDX-License-Identifier: MIT
 *
 * Who may say what, when. cowbelld is obeyed until it is gone, which ends
 * everything; a broker may come and go while the session lives on.
 */
#include "supervise/supervise.h"

#include "base/log.h"
#include "supervise/volume.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

void supervise_tell(struct supervise *s, const struct wr *w, const int *fds, size_t fd_count)
{
	if (s->broker)
		chan_send(s->broker, w, fds, fd_count);
}

void supervise_end(struct supervise *s)
{
	if (s->state != SUPERVISE_LIVE)
		return;
	s->state = SUPERVISE_ENDING;
	/* Its pid namespace goes with it, to the last process. Ours to reap, so the
	 * number is still its. */
	(void)kill(s->init_pid, SIGKILL);
}

void supervise_hello(struct supervise *s)
{
	struct session_hello *hello = xcalloc(1, sizeof(*hello));
	static struct wr w;

	questions_forget_standing(s);
	memcpy(hello->app, s->app, sizeof(hello->app));
	hello->kind = s->kind;
	hello->command_count = runs_list(&s->runs, hello->commands);
	hello->left = s->runs.left;
	questions_list(&s->questions, hello);
	chan_begin(&w, MSG_SESSION_HELLO, s->session);
	session_hello_encode(&w, hello);
	free(hello);
	supervise_tell(s, &w, NULL, 0);
	runs_repeat(s);
	questions_repeat(s);
	network_repeat(s);
	listening_repeat(s);
}

static bool handle_end(struct supervise *s, struct msg *m)
{
	if (!rd_end(&m->body))
		return false;
	s->end_asked = true;
	supervise_end(s);
	return true;
}

static bool on_broker_message(void *data, struct msg *m)
{
	struct supervise *s = data;

	if (!msg_allowed(m->op, 'B', 'S') || m->id != s->session)
		return false;
	/* What still arrives for a session that is ending comes too late. */
	if (s->state == SUPERVISE_ENDING && m->op != MSG_END)
		return true;
	switch ((unsigned int)m->op) {
	case MSG_RUN:
		return runs_handle_run(s, m);
	case MSG_SIGNAL:
		return runs_handle_signal(s, m);
	case MSG_END:
		return handle_end(s, m);
	case MSG_ANSWER:
		return questions_handle_answer(s, m);
	case MSG_NET_ANSWER:
		return network_handle_answer(s, m);
	case MSG_NET_REVOKE:
		return network_handle_revoke(s, m);
	case MSG_LISTEN:
		return listening_handle_listen(s, m);
	case MSG_STANDING:
		return questions_handle_standing(s, m);
	case MSG_NET_COUNT:
		return traffic_handle_count(s, m);
	case MSG_NET_CAP:
		return traffic_handle_cap(s, m);
	case MSG_REVOKE:
		return questions_handle_revoke(s, m);
	case MSG_VOLUME:
		return volume_handle(s, m);
	}
	return false;
}

/* Questions wait, what was given stays given, until a new broker comes. */
static void on_broker_gone(void *data, const struct err *err)
{
	struct supervise *s = data;

	log_debug("broker of session %llu: %s", (unsigned long long)s->session, err->msg);
	chan_destroy(s->broker);
	s->broker = NULL;
	questions_forget_standing(s);
}

const struct chan_ops supervise_broker_ops = { on_broker_message, on_broker_gone };
