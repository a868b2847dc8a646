/* SPDX-License-Identifier: MIT
 *
 * One question, one process.
 */
#include "broker/packages.h"

#include "broker/job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ITEMS_PER_QUESTION PACKAGE_ITEMS_MAX

struct packages {
	struct job *job;
	const struct packages_ops *ops;
	void *data;
	unsigned int items, files;
};

void packages_cancel(struct packages *packages)
{
	if (!packages)
		return;
	job_cancel(packages->job);
	free(packages);
}

static void end(struct packages *p, int code, const char *why)
{
	const struct packages_ops *ops = p->ops;
	void *data = p->data;
	char text[512];

	(void)snprintf(text, sizeof(text), "%s", why);
	packages_cancel(p);
	ops->on_done(data, code, text);
}

static bool handle_item(struct packages *p, struct rd *body)
{
	struct package_item *item = xcalloc(1, sizeof(*item));
	bool good = package_item_decode(body, item) && p->items++ < ITEMS_PER_QUESTION;

	if (good)
		p->ops->on_item(p->data, item);
	free(item);
	return good;
}

static bool handle_file(struct packages *p, struct msg *m)
{
	char name[128];

	rd_str(&m->body, name, sizeof(name));
	if (!rd_end(&m->body) || m->fd_count != 1 || !p->ops->on_file || p->files++ >= ITEMS_PER_QUESTION)
		return false;
	p->ops->on_file(p->data, name, steal_fd(&m->fds[0]));
	return true;
}

static bool on_message(void *data, struct msg *m)
{
	struct packages *p = data;
	char why[512];
	uint32_t n;

	if (!msg_allowed(m->op, 'P', 'B'))
		return false;
	switch ((unsigned int)m->op) {
	case MSG_PACKAGES_ITEM:
		return handle_item(p, &m->body);
	case MSG_PACKAGES_FILE:
		return handle_file(p, m);
	case MSG_PACKAGES_PROGRESS:
		n = rd_u32(&m->body);
		if (!rd_end(&m->body) || n > 1000)
			return false;
		if (p->ops->on_progress)
			p->ops->on_progress(p->data, n);
		return true;
	}
	n = rd_u32(&m->body);
	rd_str(&m->body, why, sizeof(why));
	if (!rd_end(&m->body))
		return false;
	end(p, (int)n, why);
	return true;
}

static void on_gone(void *data, const char *why)
{
	struct packages *p = data;

	p->job = NULL;
	end(p, EIO, why);
}

static const struct job_talk talk = { .what = "package manager", .on_message = on_message, .on_gone = on_gone };

int packages_refuse_name(const char *name, struct err *err)
{
	static const struct {
		char sign;
		const char *hint;
	} signs[] = {
		{ '=', "without what follows the '='; what comes is the version that this system's lists have" },
		{ ':', "without what follows the ':'; apps are built for this system's own machine" },
		{ '^', "that is a task of apt's: name its packages" },
	};
	char shown[128];

	text_escape(name, strlen(name), shown, sizeof(shown));
	err_set(err, EINVAL, "'%s' is no name of a package", shown);
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (strchr(name, signs[i].sign))
			return err_hint(err, "%s", signs[i].hint);
	}
	return -1;
}

static int check_word(enum package_want want, const char *word, struct err *err)
{
	char shown[128];

	text_escape(word, strlen(word), shown, sizeof(shown));
	if (want == PACKAGE_SATISFY ? package_dependency_good(word)
	    : want == PACKAGE_SEARCH ? strlen(word) > 0 && strlen(word) < 64 : package_name_good(word))
		return 0;
	if (want == PACKAGE_SATISFY)
		return err_set(err, EINVAL, "dependency '%s' is none", shown);
	if (want == PACKAGE_SEARCH)
		return err_set(err, EINVAL, "'%s' is no word to search for", shown);
	return packages_refuse_name(word, err);
}

struct packages *packages_ask(struct broker *broker, enum package_want want, char *const *words,
			      const struct packages_ops *ops, void *data, struct err *err)
{
	struct packages *p;
	struct wr *w;
	uint16_t n = 0;

	while (words[n]) {
		if (check_word(want, words[n], err) < 0)
			return NULL;
		if (++n > 500) {
			err_set(err, E2BIG, "more than 500 packages at once");
			return NULL;
		}
	}
	if (!n) {
		err_set(err, EINVAL, "no package was named");
		return NULL;
	}
	p = xcalloc(1, sizeof(*p));
	p->ops = ops;
	p->data = data;
	w = xcalloc(1, sizeof(*w));
	chan_begin(w, MSG_PACKAGES_ASK, 0);
	wr_u8(w, (uint8_t)want);
	wr_u16(w, n);
	for (uint16_t i = 0; i < n; i++)
		wr_str(w, words[i]);
	if (w->overflow) {
		free(w);
		free(p);
		err_set(err, E2BIG, "the words are longer than 64 kB together");
		return NULL;
	}
	p->job = job_start_talk(broker, MSG_PACKAGES, w, -1, -1, &talk, p);
	free(w);
	return p;
}
