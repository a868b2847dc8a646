/* SPDX-License-Identifier: MIT
 *
 * Reads never go past the NUL of a message: after an upgrade the next byte
 * belongs to another protocol.
 */
#include "varlink/client.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define REPLY_MAX ((size_t)32 << 20)
#define FDS_MAX 64u

struct varlink_client {
	int fd;
};

static int connect_socket(const char *dir, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	cleanup_fd int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(err, "make a socket");
	if (dir_fd < 0)
		return err_sys(err, "open '%s'", dir);
	/* By descriptor: the path may be longer than a socket address holds. */
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/io.cowbell", dir_fd);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(err, "connect to '%s/io.cowbell'", dir);
	return steal_fd(&fd);
}

struct varlink_client *varlink_client_open(const char *root, struct err *err)
{
	cleanup_free char *dir = xasprintf("%s/run/cowbell", root ? root : "");
	struct varlink_client *client;
	int fd = connect_socket(dir, err);

	if (fd < 0) {
		if (err->code == EACCES || err->code == EPERM)
			err_hint(err, "only root and the device's owner may");
		else
			err_set(err, err->code, "cowbelld does not run on %s%s (start it: cowbelld%s%s)",
				root ? "root " : "this system", root ? root : "", root ? " --root " : "", root ? root : "");
		return NULL;
	}
	client = xcalloc(1, sizeof(*client));
	client->fd = fd;
	return client;
}

void varlink_client_close(struct varlink_client *client)
{
	if (!client)
		return;
	(void)close(client->fd);
	free(client);
}

int varlink_client_fd(const struct varlink_client *client)
{
	return client->fd;
}

static int send_call(struct varlink_client *client, const char *method, json_t *params, const char *flag,
		     struct err *err)
{
	json_t *object = json_pack("{s:s, s:o}", "method", method, "parameters", params ? params : json_object());
	cleanup_free char *text = NULL;
	size_t n;

	if (!object)
		return err_set(err, EINVAL, "the call's words are not all UTF-8 text");
	if (flag)
		json_object_set_new(object, flag, json_true());
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!text)
		return err_set(err, EINVAL, "the call's words are not all UTF-8 text");
	n = strlen(text) + 1;
	if (n > 65536)
		return err_set(err, E2BIG, "the command is longer than 64 kB");
	while (n) {
		ssize_t done = send(client->fd, text + strlen(text) + 1 - n, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		/* A broker that turned us away said why before it closed. */
		if (done < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (done < 0)
			return err_sys(err, "send to the broker");
		n -= (size_t)done;
	}
	return 0;
}

/* Looks ahead for the NUL, then takes just that much. */
static ssize_t read_message(int fd, char **ret, struct err *err)
{
	char *buf = NULL;
	size_t len = 0;

	for (;;) {
		char peek[65536], *nul;
		ssize_t n = recv(fd, peek, sizeof(peek), MSG_PEEK), took;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			free(buf);
			if (n == 0)
				return err_set(err, EPIPE, "the broker closed the connection");
			return err_sys(err, "read from the broker");
		}
		nul = memchr(peek, 0, (size_t)n);
		if (nul)
			n = nul - peek + 1;
		buf = xrealloc(buf, len + (size_t)n);
		took = fd_read_full(fd, buf + len, (size_t)n);
		if (took != n || len + (size_t)n > REPLY_MAX) {
			free(buf);
			return err_set(err, EPROTO, "read from the broker: broken reply");
		}
		len += (size_t)n;
		if (nul) {
			*ret = buf;
			return (ssize_t)len - 1;
		}
	}
}

/* The interface's errors as sentences. */
static int method_error(const char *name, json_t *p, struct err *err)
{
	const char *app = json_string_value(json_object_get(p, "app"));
	const char *reason = json_string_value(json_object_get(p, "reason"));
	const char *hint = json_string_value(json_object_get(p, "hint"));
	const char *parameter = json_string_value(json_object_get(p, "parameter"));
	long long id = json_integer_value(json_object_get(p, "id"));

	if (strcmp(name, "io.cowbell.NoSuchApp") == 0)
		return err_set(err, ENOENT, "there is no app of this name (cowbell list)");
	if (strcmp(name, "io.cowbell.NoSuchPrompt") == 0)
		return err_set(err, ENOENT, "no question %lld waits (cowbell prompts)", id);
	if (strcmp(name, "io.cowbell.AppRunning") == 0)
		return err_set(err, EBUSY, "it runs, in session %lld (cowbell stop %s, or --stop)",
			       (long long)json_integer_value(json_object_get(p, "session")), app ? app : "APP");
	if (strcmp(name, "io.cowbell.NotRunning") == 0)
		return err_set(err, ESRCH, "it does not run (cowbell run %s)", app ? app : "APP");
	if (strcmp(name, "io.cowbell.Busy") == 0)
		return err_set(err, EAGAIN, "%s", reason ? reason : "too many programs are connected");
	if (strcmp(name, "io.cowbell.NoProgram") == 0)
		return err_set(err, ENOEXEC, "%s", reason ? reason : "it has no such program");
	if (reason && hint && hint[0])
		return err_set(err, EINVAL, "%s (%s)", reason, hint);
	if (reason)
		return err_set(err, EINVAL, "%s", reason);
	if (parameter)
		return err_set(err, EINVAL, "the broker does not take '%s' (is it of another version?)", parameter);
	return err_set(err, EIO, "the broker answered %s", name);
}

static int receive(struct varlink_client *client, json_t **ret, bool *ret_continues, struct err *err)
{
	cleanup_free char *text = NULL;
	ssize_t n = read_message(client->fd, &text, err);
	json_t *object, *params;
	const char *name;
	json_error_t error;

	if (n < 0)
		return -1;
	object = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(object)) {
		json_decref(object);
		return err_set(err, EPROTO, "read from the broker: broken reply");
	}
	params = json_object_get(object, "parameters");
	name = json_string_value(json_object_get(object, "error"));
	if (name) {
		(void)method_error(name, params, err);
		json_decref(object);
		return -1;
	}
	*ret = params ? json_incref(params) : json_object();
	*ret_continues = json_is_true(json_object_get(object, "continues"));
	json_decref(object);
	return 0;
}

int varlink_client_call(struct varlink_client *client, const char *method, json_t *params, json_t **ret,
			struct err *err)
{
	bool continues;

	if (send_call(client, method, params, NULL, err) < 0)
		return -1;
	return receive(client, ret, &continues, err);
}

int varlink_client_more(struct varlink_client *client, const char *method, json_t *params, struct err *err)
{
	return send_call(client, method, params, "more", err);
}

int varlink_client_recv(struct varlink_client *client, json_t **ret, struct err *err)
{
	bool continues;

	if (receive(client, ret, &continues, err) < 0)
		return -1;
	return continues ? 1 : 0;
}

static int send_fds(int sock, const int *fds, size_t count, struct err *err)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control = { 0 };
	char byte = 'F';
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = CMSG_SPACE(sizeof(int) * count),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);

	if (count > FDS_MAX)
		return err_set(err, E2BIG, "more than %u files at once", FDS_MAX);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
	/* EPIPE: it was over before they came, and the reason can be read. */
	if (sendmsg(sock, &mh, MSG_NOSIGNAL) != 1 && errno != EPIPE)
		return err_sys(err, "pass descriptors to the broker");
	return 0;
}

int varlink_client_upgrade(struct varlink_client *client, const char *method, json_t *params, const int *fds,
			   size_t fd_count, json_t **ret, struct err *err)
{
	bool continues;

	if (send_call(client, method, params, "upgrade", err) < 0 || receive(client, ret, &continues, err) < 0)
		return -1;
	if (send_fds(client->fd, fds, fd_count, err) < 0) {
		json_decref(*ret);
		*ret = NULL;
		return -1;
	}
	return 0;
}
