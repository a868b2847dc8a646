/* SPDX-License-Identifier: MIT
 *
 * An editor writes a file in several steps, so a change is read a moment after
 * its last sign. Of a file that is bad its last good version stays in force, also
 * across a start of the broker (policy_kept.h); with none, nothing below it may give (policy/decide.h).
 */
#include "broker/policy_files.h"

#include "base/fd.h"
#include "base/log.h"
#include "broker/access.h"
#include "broker/policy_kept.h"
#include "broker/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#define SETTLE_MS 100u
#define RETRY_MS 60000u /* until the store is tried again */
#define SIGNS                                                                                                          \
	(IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB)

struct folder {
	char path[PATH_SIZE];
	struct ruleset *set;
	char trouble[600];
};

struct policy_files {
	struct folder folders[2]; /* admin, vendor */
	char trouble[1400];
	int watch;
	struct loop_source *source, *timer, *retry;
};

const char *policy_files_folder(const struct broker *broker, bool vendor)
{
	return broker->policy_files->folders[vendor].path;
}

const char *policy_files_trouble(const struct broker *broker)
{
	return broker->policy_files ? broker->policy_files->trouble : "";
}

/* --- reading --- */

static void read_folder(struct folder *folder)
{
	cleanup_fd int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ruleset now = { 0 };
	struct err err = { 0 };

	folder->trouble[0] = '\0';
	if (fd < 0 && errno != ENOENT) {
		/* What it says now is not known, what it said is. */
		(void)snprintf(folder->trouble, sizeof(folder->trouble), "'%.400s' cannot be read: %s%s", folder->path,
			       strerror(errno),
			       folder->set->text_count ? "; the rules read earlier stay in force" : "");
		folder->set->broken |= folder->set->text_count == 0;
		return;
	}
	if (ruleset_load(&now, fd, folder->set, &err) < 0)
		(void)snprintf(folder->trouble, sizeof(folder->trouble), "%.200s/%.300s; %s", folder->path, err.msg,
			       now.broken ? "nothing below this file may give" : "its last good version stays in force");
	ruleset_finish(folder->set);
	*folder->set = now;
}

static void read_all(struct policy_files *files)
{
	char before[sizeof(files->trouble)];

	(void)snprintf(before, sizeof(before), "%s", files->trouble);
	for (size_t i = 0; i < ARRAY_LEN(files->folders); i++)
		read_folder(&files->folders[i]);
	(void)snprintf(files->trouble, sizeof(files->trouble), "%s%s%s", files->folders[0].trouble,
		       files->folders[0].trouble[0] && files->folders[1].trouble[0] ? "; " : "", files->folders[1].trouble);
	if (files->trouble[0] && strcmp(before, files->trouble) != 0)
		log_warn("policy: %s", files->trouble);
	else if (before[0] && !files->trouble[0])
		log_info("policy: all files are good again");
}

/* What is not kept yet is tried again: an older version may give what this one took. */
static void keep_all(struct broker *broker);

static void on_retry(void *data)
{
	struct broker *broker = data;

	loop_remove(broker->policy_files->retry);
	broker->policy_files->retry = NULL;
	keep_all(broker);
}

static void keep_all(struct broker *broker)
{
	struct policy_files *files = broker->policy_files;

	for (size_t i = 0; i < ARRAY_LEN(files->folders); i++) {
		struct err err = { 0 };

		if (policy_kept_write(broker, i == 1, files->folders[i].set, &err) == 0)
			continue;
		log_warn("policy: the files of '%s' cannot be kept for a start with bad ones: %s", files->folders[i].path,
			 err.msg);
		if (!files->retry)
			files->retry = loop_add_timer(broker->loop, RETRY_MS, on_retry, broker);
	}
}

/* --- what runs --- */

static void on_taken(void *data, uint32_t held)
{
	struct session *session = data;

	if (held) /* policy is not a wish */
		session_end(session);
}

static void rethink_session(struct broker *broker, struct session *session)
{
	for (size_t i = 0; i < broker->gate_count && session->state == SESSION_RUNNING; i++) {
		struct permission_ref ref = { .permission = broker->gates[i].permission };
		enum give given = session->gates[i].given, has = given != GIVE_NO ? given : session->gates[i].standing;
		struct access_decision found;

		if (has == GIVE_NO || session->gates[i].revoking)
			continue;
		(void)snprintf(ref.item, sizeof(ref.item), "%s", broker->gates[i].item);
		found = access_decide(broker, session, session->app, &ref);
		if (found.decision.give == has)
			continue;
		if (given != GIVE_NO)
			session_notice(session, "a policy has changed; a permission is taken back");
		access_revoke(session, ref.permission, ref.item, on_taken, session);
	}
}

static void rethink(struct broker *broker)
{
	for (struct session *s = broker->sessions; s; s = s->next) {
		rethink_session(broker, s);
		access_stand(s);
		prompt_rethink(broker, s->app);
	}
}

/* --- watching --- */

/* A folder that is not there is waited for in the nearest one that is. */
static void watch_folder(struct policy_files *files, const char *path)
{
	char part[PATH_SIZE];
	size_t n;

	(void)snprintf(part, sizeof(part), "%s", path);
	while (inotify_add_watch(files->watch, part, SIGNS | IN_ONLYDIR) < 0) {
		char *slash = strrchr(part, '/');

		if (!slash || strcmp(part, "/") == 0) {
			log_warn("policy folder '%s' cannot be watched: changes count from the next start", path);
			return;
		}
		n = slash == part ? 1 : (size_t)(slash - part);
		part[n] = '\0';
	}
}

static void watch_all(struct policy_files *files)
{
	for (size_t i = 0; i < ARRAY_LEN(files->folders); i++)
		watch_folder(files, files->folders[i].path);
}

static void on_settled(void *data)
{
	struct broker *broker = data;
	struct policy_files *files = broker->policy_files;

	loop_remove(files->timer);
	files->timer = NULL;
	watch_all(files); /* before reading: what comes after is seen */
	read_all(files);
	keep_all(broker);
	rethink(broker);
}

static void on_sign(void *data, uint32_t events)
{
	struct broker *broker = data;
	struct policy_files *files = broker->policy_files;
	char buf[4096];

	(void)events;
	while (read(files->watch, buf, sizeof(buf)) > 0)
		continue;
	if (!files->timer) /* not put off by further signs: an endless writer must not hide a change */
		files->timer = loop_add_timer(broker->loop, SETTLE_MS, on_settled, broker);
}

void policy_files_start(struct broker *broker)
{
	struct policy_files *files = xcalloc(1, sizeof(*files));
	const char *root = broker->root;

	broker->policy_files = files;
	files->folders[0].set = &broker->admin;
	files->folders[1].set = &broker->vendor;
	(void)snprintf(files->folders[0].path, PATH_SIZE, root[0] ? "%s/etc/policy.d" : "%s/etc/cowbell/policy.d", root);
	(void)snprintf(files->folders[1].path, PATH_SIZE, root[0] ? "%s/share/policy.d" : "%s/usr/share/cowbell/policy.d",
		       root);
	for (size_t i = 0; i < ARRAY_LEN(files->folders); i++)
		policy_kept_read(broker, i == 1, files->folders[i].set);
	files->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (files->watch >= 0) {
		files->source = loop_add_fd(broker->loop, files->watch, EPOLLIN, on_sign, broker);
		watch_all(files);
	} else {
		log_warn("policy folders cannot be watched: %s; changes count from the next start", strerror(errno));
	}
	read_all(files);
	keep_all(broker);
}

void policy_files_stop(struct broker *broker)
{
	struct policy_files *files = broker->policy_files;

	if (!files)
		return;
	loop_remove(files->source);
	loop_remove(files->timer);
	loop_remove(files->retry);
	if (files->watch >= 0)
		(void)close(files->watch);
	ruleset_finish(&broker->admin);
	ruleset_finish(&broker->vendor);
	free(files);
	broker->policy_files = NULL;
}
