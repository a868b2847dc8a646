/* SPDX-License-Identifier: MIT
 *
 * The last thing that a session does: prove that nobody can write to its layer
 * any more, and say so.
 */
#include "supervise/supervise.h"

#include "base/fd.h"
#include "platform/arm/mnt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Whether the upper's folder has no entry at all: nothing to settle. */
static bool is_untouched(int upper)
{
	int fd = openat(upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool empty = true;
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	errno = 0;
	while (empty && (e = readdir(d)))
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (errno)
		empty = false;
	(void)closedir(d);
	return empty;
}

void finish_session(struct supervise *s)
{
	static struct wr w;
	struct err err = { 0 };

	questions_finish(s);
	traffic_tell(s);
	if (mnt_freeze(s->root_mnt, &err) < 0)
		(void)err_hint(&err, "something outside the app still writes to a file of it");
	chan_begin(&w, MSG_ENDED, s->session);
	wr_u32(&w, (uint32_t)err.code);
	wr_str(&w, err.msg);
	wr_u8(&w, err.code == 0 && is_untouched(s->upper));
	supervise_tell(s, &w, NULL, 0);
	/* Mounts and namespaces go with this process. */
	_exit(0);
}
