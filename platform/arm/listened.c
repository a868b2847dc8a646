/* SPDX-License-Identifier: MIT
 *
 * The kernel's structures grow with it, and it writes as much as its own are long.
 */
#include "platform/arm/listened.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>

#define ROOM 1024u

int listened_take(int fd, struct err *err)
{
	union {
		struct seccomp_notif call;
		uint8_t room[ROOM];
	} in;
	union {
		struct seccomp_notif_resp answer;
		uint8_t room[ROOM];
	} out;

	memset(&in, 0, sizeof(in)); /* the kernel insists */
	memset(&out, 0, sizeof(out));
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &in) < 0)
		return errno == ENOENT || errno == EINTR ? 0 : err_sys(err, "hear who listens");
	out.answer.id = in.call.id;
	out.answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &out) < 0 && errno != ENOENT)
		return err_sys(err, "let who listens go on");
	return 1;
}
