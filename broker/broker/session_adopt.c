/* SPDX-License-Identifier: MIT
 *
 * A session that outlived its broker is taken over as it stands: what it was given,
 * what runs in it, and what that writes.
 */
#include "broker/session_launch.h"

#include "base/log.h"
#include "broker/access.h"
#include "broker/answer.h"
#include "broker/app_log.h"
#include "broker/background.h"
#include "broker/command.h"
#include "broker/install.h"
#include "broker/traffic.h"
#include "broker/turn.h"
#include "broker/volumes.h"

#include <stdio.h>

static void remember_given(struct session *session, const struct session_hello *hello)
{
	for (size_t g = 0; g < session->broker->gate_count; g++)
		session->gates[g].lingers = true; /* only its supervisor knows */
	for (uint16_t i = 0; i < hello->given_count; i++) {
		for (size_t g = 0; g < session->broker->gate_count; g++) {
			if (session->broker->gates[g].id == hello->given[i].gate &&
			    hello->given[i].give < GIVE_COUNT)
				session->gates[g].given = (enum give)hello->given[i].give;
		}
	}
}

static void on_adopted_turn(void *data)
{
	(void)data; /* nobody else can hold it: this broker has only just begun */
}

/* Takes over a session that outlived its broker. */
static void adopt(struct session *session, const struct session_hello *hello)
{
	struct err err = { 0 };

	(void)snprintf(session->app, sizeof(session->app), "%s", hello->app);
	session->kind = hello->kind;
	session->ready = true;
	session->state = SESSION_RUNNING;
	session->turn = turn_request(session->broker, session->app, on_adopted_turn, session);
	remember_given(session, hello);
	answer_recall(session->broker, session);
	for (uint16_t i = 0; i < hello->command_count; i++)
		command_adopt(session, hello->commands[i]);
	access_note_given(session);
	if (session_load_launch(session, &err) < 0)
		log_warn("session of '%s' taken over, but: %s", session->app, err.msg);
	traffic_adopted(session);
	/* An installer's person is gone with the old broker, and so is what
	 * was to become of its work. */
	if (session->kind == SESSION_INSTALL) {
		session->discard = true;
		install_left_behind(session);
	}
	if (session->kind == SESSION_INSTALL || !background_adopted(session, hello->left))
		session_end(session);
	else
		access_stand_soon(session);
	volumes_tell(session);
}

bool session_handle_hello(struct session *session, struct rd *body)
{
	struct session_hello *hello = xcalloc(1, sizeof(*hello));
	bool good = session_hello_decode(body, hello);

	if (good && session->adopted && !session->app[0])
		adopt(session, hello);
	free(hello);
	return good;
}

bool session_handle_log(struct session *session, struct msg *m)
{
	(void)rd_u32(&m->body);
	if (!rd_end(&m->body) || m->fd_count != 1 || m->fds[0] < 0)
		return false;
	if (session->app[0])
		app_log_attach(session->broker, session->app, steal_fd(&m->fds[0]));
	return true;
}
