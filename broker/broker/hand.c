/* SPDX-License-Identifier: MIT */
#include "broker/hand.h"

#include "broker/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct hand {
	char *path; /* as the person wrote it */
	bool write, there;
	int fd;
};

struct hands {
	struct hand of[HANDS_MAX];
	size_t count, there;
	bool sent;
};

struct hands *hands_create(char *const *words, struct err *err)
{
	struct hands *hands = xcalloc(1, sizeof(*hands));

	for (size_t i = 0; words && words[i]; i++) {
		bool reads = strncmp(words[i], "read ", 5) == 0, writes = strncmp(words[i], "write ", 6) == 0;
		const char *path = words[i] + (writes ? 6 : 5);

		if (hands->count == HANDS_MAX || (!reads && !writes) || !*path) {
			err_set(err, EINVAL, hands->count == HANDS_MAX ? "more than %u files are given at once"
								       : "one of %u files given has no path",
				HANDS_MAX);
			err_hint(err, "cowbell run --give PATH[:ro] APP");
			hands_destroy(hands);
			return NULL;
		}
		hands->of[hands->count++] = (struct hand){ .path = xstrdup(path), .write = writes, .fd = -1 };
	}
	return hands;
}

static void close_fd(struct hand *hand)
{
	if (hand->fd >= 0)
		(void)close(hand->fd);
	hand->fd = -1;
}

void hands_destroy(struct hands *hands)
{
	for (size_t i = 0; hands && i < hands->count; i++) {
		close_fd(&hands->of[i]);
		free(hands->of[i].path);
	}
	free(hands);
}

size_t hands_count(const struct hands *hands)
{
	return hands ? hands->count : 0;
}

void hands_take(struct hands *hands, int *fds)
{
	for (size_t i = 0; i < hands->count; i++) {
		hands->of[i].fd = fds[i];
		fds[i] = -1;
	}
}

/* The name that the app sees; a path that ends in "/" or ".." has none. */
static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > 255 ? "given" : name;
}

static void send_all(struct hands *hands, const struct command *command)
{
	struct wr *w = xcalloc(1, sizeof(*w));

	for (size_t i = 0; i < hands->count; i++) {
		struct hand *hand = &hands->of[i];

		chan_begin(w, MSG_HAND, command->session->id);
		wr_u32(w, command->id);
		wr_u8(w, (uint8_t)i);
		wr_u8(w, hand->write);
		wr_str(w, name_of(hand->path));
		chan_send(command->session->broker->parent, w, &hand->fd, 1);
		close_fd(hand);
	}
	free(w);
	hands->sent = true;
}

bool hands_ready(struct hands *hands, struct command *command)
{
	if (hands && !hands->sent)
		send_all(hands, command);
	return !hands || hands->there == hands->count;
}

static void replace_words(struct command *command, const struct hand *hand, const char *inside)
{
	char **argv = command->run.argv;

	for (size_t i = 1; argv[0] && argv[i]; i++) {
		if (strcmp(argv[i], hand->path) != 0)
			continue;
		free(argv[i]);
		argv[i] = xstrdup(inside);
	}
}

static void note(const struct command *command, const struct hand *hand)
{
	char why[256];

	text_escape(hand->path, strlen(hand->path), why, sizeof(why) - 16);
	(void)strcat(why, hand->write ? "" : ", read-only");
	broker_note_alone(command->session->broker, &(struct history_note){
							    .kind = HISTORY_DECISION,
							    .app = command->session->app,
							    .what = "given a file",
							    .why = why,
							    .give = hand->write ? GIVE_WRITE : GIVE_READ,
							    .lasts = { .lasts = LASTS_RUN },
							    .session = command->session->id,
						    });
}

/* The command may have ended meanwhile: NULL, and nobody waits. */
static struct hand *find(struct session *session, uint32_t id, uint8_t index, struct command **ret)
{
	*ret = session ? command_find(session, id) : NULL;
	if (!*ret || index >= hands_count((*ret)->hands) || (*ret)->hands->of[index].there)
		return NULL;
	return &(*ret)->hands->of[index];
}

bool hand_handle_handed(struct session *session, struct msg *m)
{
	uint32_t id = rd_u32(&m->body);
	uint8_t index = rd_u8(&m->body);
	uint32_t code = rd_u32(&m->body);
	char why[512], inside[PATH_SIZE];
	struct command *command;
	struct hand *hand;

	rd_str(&m->body, why, sizeof(why));
	rd_str(&m->body, inside, sizeof(inside));
	if (!rd_end(&m->body))
		return false;
	hand = find(session, id, index, &command);
	if (!hand)
		return true;
	if (code) {
		command_refuse(command, why);
		return true;
	}
	hand->there = true;
	command->hands->there++;
	replace_words(command, hand, inside);
	note(command, hand);
	command_start_ready(session);
	return true;
}

bool hand_handle_failed(struct broker *broker, struct msg *m)
{
	uint32_t id = rd_u32(&m->body);
	uint8_t index = rd_u8(&m->body);
	char why[512], shown[256], text[800];
	struct command *command;
	struct hand *hand;

	(void)rd_u32(&m->body);
	rd_str(&m->body, why, sizeof(why));
	if (!rd_end(&m->body))
		return false;
	hand = find(session_by_id(broker, m->id), id, index, &command);
	if (!hand)
		return true;
	text_escape(hand->path, strlen(hand->path), shown, sizeof(shown));
	(void)snprintf(text, sizeof(text), "'%s' cannot be given: %s", shown, why);
	command_refuse(command, text);
	return true;
}
