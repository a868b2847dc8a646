/* SPDX-License-Identifier: MIT
 *
 * cowbelld froze a session because the disk is nearly full, or let it go on: its
 * person is told, and history.
 */
#include "broker/session.h"

#include "broker/notes.h"

#include <stdio.h>

bool session_handle_held(struct broker *broker, struct msg *m)
{
	struct session *session = session_by_id(broker, m->id);
	bool held = rd_u8(&m->body) != 0;
	uint64_t left = rd_u64(&m->body) >> 20, floor = rd_u64(&m->body) >> 20;
	char text[400];

	if (!rd_end(&m->body))
		return false;
	if (!session || session->held == held)
		return true;
	session->held = held;
	if (held)
		(void)snprintf(text, sizeof(text),
			       "the disk is nearly full (%llu MB left, %llu are kept free): %s is held until there is room "
			       "(cowbell stop %s ends it)",
			       (unsigned long long)left, (unsigned long long)floor, session->app, session->app);
	else
		(void)snprintf(text, sizeof(text), "there is room on the disk again: %s goes on", session->app);
	session_notice(session, text);
	if (!session->app[0]) /* one that is being taken over: it was noted */
		return true;
	notes_later(broker, &(struct history_note){ .kind = HISTORY_LIFE,
						    .app = session->app,
						    .what = held ? "held" : "went on",
						    .why = held ? "the disk is nearly full" : "there is room again",
						    .session = session->id });
	return true;
}
