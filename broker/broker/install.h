/* SPDX-License-Identifier: MIT
 *
 * Installing: whatever the package is, its installer runs inside the sandbox of
 * an app that has no name yet; what it changed becomes the app's install layer.
 * Either an app stands at the end, or nothing of it does.
 */
#ifndef BROKER_INSTALL_H
#define BROKER_INSTALL_H

#include "broker/client.h"
#include "broker/session.h"

#define INSTALL_FILES_MAX 32u

struct install;

struct install_request {
	const char *kind; /* "name", "deb", "bundle", "directory", "program", "command" */
	const char *name; /* "" for name and deb: its own */
	const char *source; /* what the person called it, for the record */
	char *const *argv;  /* command; for "name" the packages, the first gives the name */
	const char *with;   /* NULL, or the absolute folder whose copy the installer sees */
	size_t file_count;  /* descriptors after the standard three */
	uint8_t tty;
	uint16_t rows, columns;
	const char *key;    /* NULL, or the publisher's that the person accepts */
	uint64_t timeout_s; /* 0: what is usual for its kind */
	bool trial; /* nobody sees the app, and it goes when the client does */
	bool again; /* packages that were kept, on a host that may have some of them by now */
};

/* Refuses bad names, taken names and unknown kinds at once. */
struct install *install_create(struct broker *broker, const struct install_request *request, uint64_t *ret_session,
			       struct err *err);

/* A new version for an app that came from packages: of this system's lists, or from
 * the client's files. Refused at once for a running app and for one that has no
 * versions. */
struct update_request {
	const char *app;
	size_t file_count;
	bool bundle, force; /* the file is a bundle; also an older one */
	const char *key;
	bool no_new_permissions; /* not when it may want more than before */
};
struct install *install_update(struct broker *broker, const struct update_request *request, struct err *err);

void install_attach(struct install *install, int fd);
void install_abandon(struct install *install);

/* More id ranges came, or none did: those that wait for one go on. */
void install_ranges_came(struct broker *broker);

/* True for an app that was installed from packages on another state of the host
 * than there is now. An install that did not come from packages adds files and
 * stays as it is. */
bool install_is_stale(struct broker *broker, const char *app);

/* Whether it is of a kind that is installed anew on a changed base. */
bool install_comes_again(const struct app_record *app);

/* Installs app anew from the packages that were kept; its state goes on on top.
 * The caller holds its turn and it is in no session. fn exactly once, later; after
 * a failure (code: errno) everything is as before. */
struct install *install_rebuild(struct broker *broker, const char *app,
				void (*fn)(void *data, int code, const char *why), void *data);

/* fn is still called. */
void install_rebuild_cancel(struct install *install);

/* A session that was installing when the last broker died: when it is over, what
 * it began is taken away. */
void install_left_behind(struct session *session);

/* Takes an app and everything of it away. The caller holds its turn and it is
 * in no session. fn hears what went. */
void install_remove(struct broker *broker, const char *app,
		    void (*fn)(void *data, uint32_t generations, uint64_t bytes, const struct err *err), void *data);

#endif
