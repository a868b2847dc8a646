/* SPDX-License-Identifier: MIT
 *
 * A prompt that is published again replaces the one with its number.
 */
#include "ui-tty/bells.h"

#include "policy/alphabet.h"
#include "policy/permission.h"
#include "ui-tty/show.h"

#include <stdio.h>
#include <string.h>

static void copy_escaped(char *to, size_t size, json_t *p, const char *key)
{
	const char *text = str_of(p, key);

	text_escape(text, strlen(text), to, size);
}

bool bells_read(json_t *p, struct prompt_text *ret)
{
	json_t *word;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	ret->id = (uint64_t)json_integer_value(json_object_get(p, "id"));
	copy_escaped(ret->app, sizeof(ret->app), p, "app");
	copy_escaped(ret->permission, sizeof(ret->permission), p, "permission");
	copy_escaped(ret->title, sizeof(ret->title), p, "title");
	copy_escaped(ret->source, sizeof(ret->source), p, "source");
	copy_escaped(ret->about, sizeof(ret->about), p, "about");
	copy_escaped(ret->program, sizeof(ret->program), p, "program");
	copy_escaped(ret->says, sizeof(ret->says), p, "says");
	copy_escaped(ret->note, sizeof(ret->note), p, "note");
	if (ret->title[0] && ret->title[strlen(ret->title) - 1] == ' ') /* it has no version */
		ret->title[strlen(ret->title) - 1] = '\0';
	ret->more = (unsigned int)json_integer_value(json_object_get(p, "more"));
	/* The safe answer first, "no" last: the order in which people read. */
	json_array_foreach(json_object_get(p, "answers"), i, word)
	{
		const char *s = json_string_value(word);

		if (s && strcmp(s, "no") != 0 && ret->answer_count < PROMPT_ANSWERS_MAX - 1)
			text_escape(s, strlen(s), ret->answers[ret->answer_count++], sizeof(ret->answers[0]));
	}
	(void)snprintf(ret->answers[ret->answer_count++], sizeof(ret->answers[0]), "no");
	for (i = 0; i < ret->answer_count; i++) {
		if (strcmp(ret->answers[i], str_of(p, "safe")) == 0)
			ret->safe = i;
	}
	ret->looks_alike = text_looks_alike(ret->title) || text_looks_alike(ret->program) ||
			   text_looks_alike(ret->about) || text_looks_alike(ret->source);
	ret->next_time = strcmp(str_of(p, "state"), "unanswered") == 0;
	return ret->id != 0;
}

static void take_out(struct bells *bells, size_t i)
{
	memmove(bells->waiting + i, bells->waiting + i + 1, (bells->count - i - 1) * sizeof(bells->waiting[0]));
	bells->count--;
}

bool bells_pick(struct bells *bells, uint64_t id, struct prompt_text *ret)
{
	for (size_t i = 0; i < bells->count; i++) {
		if (bells->waiting[i].id != id)
			continue;
		*ret = bells->waiting[i];
		take_out(bells, i);
		return true;
	}
	return false;
}

enum bells_news bells_take(struct bells *bells, json_t *prompt, uint64_t *ret_id)
{
	struct prompt_text text, old;

	if (!bells_read(prompt, &text))
		return BELLS_NOTHING;
	*ret_id = text.id;
	(void)bells_pick(bells, text.id, &old);
	if (strcmp(str_of(prompt, "state"), "waiting") != 0)
		return BELLS_OVER;
	if (bells->count == BELLS_MAX)
		return BELLS_NOTHING;
	bells->waiting = xrealloc(bells->waiting, (bells->count + 1) * sizeof(bells->waiting[0]));
	bells->waiting[bells->count++] = text;
	return BELLS_CAME;
}

bool bells_next(struct bells *bells, const char *app, struct prompt_text *ret)
{
	size_t first = 0;

	if (bells->count == 0)
		return false;
	for (size_t i = bells->count; i-- > 0;) {
		if (app ? strcmp(bells->waiting[i].app, app) == 0 : strcmp(bells->waiting[i].app, bells->last) != 0)
			first = i;
	}
	*ret = bells->waiting[first];
	(void)snprintf(bells->last, sizeof(bells->last), "%s", ret->app);
	take_out(bells, first);
	return true;
}

void bells_free(struct bells *bells)
{
	free(bells->waiting);
	memset(bells, 0, sizeof(*bells));
}
