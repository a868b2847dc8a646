/* SPDX-License-Identifier: MIT
 *
 * Numbers with the units that a person reads, and words for the interface's
 * words.
 */
#include "ui-tty/show.h"

#include "policy/permission.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char *str_of(json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

long long int_of(json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

bool bool_of(json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

void show_size(long long bytes, char buf[SHORT_TEXT])
{
	text_size(bytes > 0 ? (uint64_t)bytes : 0, buf, SHORT_TEXT);
}

void show_time_at(long long wall_ms, long long now_ms, char buf[SHORT_TEXT])
{
	time_t t = (time_t)(wall_ms / 1000), now = (time_t)(now_ms / 1000), apart = t < now ? now - t : t - now;
	struct tm tm;

	(void)snprintf(buf, SHORT_TEXT, "-");
	if (wall_ms <= 0 || !localtime_r(&t, &tm))
		return;
	if (apart < 12 * 3600)
		(void)strftime(buf, SHORT_TEXT, "%H:%M", &tm);
	else if (apart < 6 * 24 * 3600)
		(void)strftime(buf, SHORT_TEXT, "%a %H:%M", &tm);
	else
		(void)strftime(buf, SHORT_TEXT, "%Y-%m-%d", &tm);
}

void show_time(long long wall_ms, char buf[SHORT_TEXT])
{
	show_time_at(wall_ms, (long long)time(NULL) * 1000, buf);
}

void show_count(long long n, const char *word, char buf[SHORT_TEXT])
{
	(void)snprintf(buf, SHORT_TEXT, "%lld %s%s", n, word, n == 1 ? "" : "s");
}

void show_left(long long ms, char buf[SHORT_TEXT])
{
	long long hours = (ms + 3599999) / 3600000;

	if (hours < 48)
		show_count(hours, "hour", buf);
	else
		show_count(hours / 24, "day", buf);
}

void show_duration(const char *word, char buf[SHORT_TEXT])
{
	size_t n = strlen(word);

	if (strcmp(word, "run") == 0)
		(void)snprintf(buf, SHORT_TEXT, "this run");
	else if (strcmp(word, "boot") == 0)
		(void)snprintf(buf, SHORT_TEXT, "until restart");
	else if (n > 1 && word[0] >= '0' && word[0] <= '9' && (word[n - 1] == 'h' || word[n - 1] == 'm'))
		(void)snprintf(buf, SHORT_TEXT, "%.*s %s", (int)(n - 1 < 20 ? n - 1 : 20), word,
			       word[n - 1] == 'h' ? "h" : "min");
	else
		(void)snprintf(buf, SHORT_TEXT, "%s", word);
}

const char *show_given(const char *answer)
{
	static const struct {
		const char *answer, *says;
	} words[] = {
		{ "no", "refused" },
		{ "ask", "refused for now" },
		{ "empty", "an empty one" },
		{ "copy", "a private copy" },
		{ "read", "the real ones, no changes" },
		{ "write", "the real ones" },
		{ "allow", "allowed" },
		{ "chosen", "what was picked" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].answer, answer) == 0)
			return words[i].says;
	}
	return answer;
}
