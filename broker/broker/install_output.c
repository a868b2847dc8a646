/* SPDX-License-Identifier: MIT
 *
 * What the package manager and the scripts that it runs say. Its known lines are
 * counted for the person's progress; the last lines are kept for when it fails;
 * nothing of it reaches a terminal as it came.
 */
#include "broker/install_impl.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#define OUTPUT_MAX ((size_t)16 << 20) /* who says more than that is not listened to */

void install_progress(struct install *in, unsigned int permille, const char *what)
{
	uint8_t body[2 + 160];
	size_t n = strlen(what);

	if (permille < in->permille)
		permille = in->permille;
	in->permille = permille;
	if (n > sizeof(body) - 2)
		n = sizeof(body) - 2;
	body[0] = (uint8_t)permille;
	body[1] = (uint8_t)(permille >> 8);
	memcpy(body + 2, what, n);
	client_send(in->client, STREAM_PERCENT, body, 2 + n, -1);
}

static bool begins(const char *line, const char *word)
{
	return strncmp(line, word, strlen(word)) == 0;
}

static void take_line(struct install *in, const char *line, size_t len)
{
	unsigned int packages = in->file_count ? (unsigned int)in->file_count : 1;

	text_escape(line, len, in->tail[in->tail_at % ARRAY_LEN(in->tail)], sizeof(in->tail[0]));
	line = in->tail[in->tail_at++ % ARRAY_LEN(in->tail)];
	if (begins(line, "Unpacking "))
		install_progress(in, in->permille + 240 / packages, "unpack");
	else if (begins(line, "Setting up "))
		install_progress(in, in->permille + 240 / packages, "configure");
}

static void on_output(void *data, uint32_t events)
{
	struct install *in = data;
	ssize_t n = read(in->output_fd, in->output + in->output_len, sizeof(in->output) - in->output_len);
	char *nl;

	(void)events;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || (in->output_seen += (size_t)n) > OUTPUT_MAX) {
		install_output_close(in);
		return;
	}
	in->output_len += (size_t)n;
	while ((nl = memchr(in->output, '\n', in->output_len)) || in->output_len == sizeof(in->output)) {
		size_t len = nl ? (size_t)(nl - in->output) : in->output_len;
		size_t used = nl ? len + 1 : len;

		take_line(in, in->output, len);
		in->output_len -= used;
		memmove(in->output, in->output + used, in->output_len);
	}
}

int install_output_open(struct install *in)
{
	int ends[2];

	install_output_close(in);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	in->output_fd = ends[0];
	in->output_len = in->output_seen = 0;
	(void)fd_set_nonblock(ends[0], true);
	in->output_source = loop_add_fd(in->broker->loop, ends[0], EPOLLIN, on_output, in);
	return ends[1];
}

void install_output_close(struct install *in)
{
	loop_remove(in->output_source);
	in->output_source = NULL;
	if (in->output_fd >= 0)
		(void)close(steal_fd(&in->output_fd));
}

void install_output_drain(struct install *in)
{
	size_t before;

	do {
		before = in->output_seen;
		if (in->output_source)
			on_output(in, 0);
	} while (in->output_source && in->output_seen > before);
	if (in->output_len)
		take_line(in, in->output, in->output_len);
	in->output_len = 0;
	install_output_close(in);
}

/* dpkg says what is wrong in a line that begins with its name, and the lines after. */
void install_output_reason(const struct install *in, char *buf, size_t size)
{
	size_t n = ARRAY_LEN(in->tail), from = in->tail_at > n ? in->tail_at - n : 0, len = 0;
	bool found = false;

	buf[0] = '\0';
	for (size_t i = from; i < in->tail_at && len + 1 < size; i++) {
		const char *line = in->tail[i % n];

		found |= begins(line, "dpkg: ") || begins(line, "dpkg-deb: ") || i + 1 == in->tail_at;
		line += strspn(line, " ");
		if (found && *line)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? " " : "", line);
	}
}

void install_output_show(struct install *in)
{
	size_t n = ARRAY_LEN(in->tail), from = in->tail_at > n ? in->tail_at - n : 0;

	for (size_t i = from; i < in->tail_at; i++) {
		char line[240];

		(void)snprintf(line, sizeof(line), "  | %s", in->tail[i % n]);
		client_text(in->client, STREAM_NOTICE, line);
	}
	in->tail_at = 0;
}
