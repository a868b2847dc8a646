/* SPDX-License-Identifier: MIT
 *
 * When cowbelld is killed, its table must not go before the links of apps do: without
 * it an app that may use the internet would reach the device's own services, and send
 * with its inner address. So a child holds the table's socket too, takes away the links
 * first, and lets go.
 */
#include "cowbelld/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* All of a group at once: one wait of the kernel for all of them. */
static void delete_links(uint32_t group)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nl_sock *sock = nl_socket_alloc();
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_DELLINK, 0);

	if (sock && msg && nl_connect(sock, NETLINK_ROUTE) == 0 && nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) == 0 &&
	    nla_put_u32(msg, IFLA_GROUP, group) == 0 && nl_send_auto(sock, msg) >= 0)
		(void)nl_wait_for_ack(sock);
	nlmsg_free(msg);
	nl_socket_free(sock);
}

static void child_main(int table, int alive, uint32_t group) __attribute__((noreturn));
static void child_main(int table, int alive, uint32_t group)
{
	char byte;

	/* What else cowbelld has goes with cowbelld. */
	if (dup2(alive, 60) < 0 || dup2(table, 61) < 0)
		_exit(70);
	(void)syscall(SYS_close_range, 3u, 59u, 0u);
	(void)syscall(SYS_close_range, 62u, ~0u, 0u);
	(void)prctl(PR_SET_NAME, "cowbelld-last");
	(void)prctl(PR_SET_PDEATHSIG, 0);
	while (read(60, &byte, 1) < 0 && errno == EINTR)
		continue;
	delete_links(group);
	_exit(0);
}

int network_last_start(struct network *n, struct err *err)
{
	int ends[2];
	long pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	/* No signal when it ends, and no child that a plain wait would wait for. */
	pid = syscall(SYS_clone, 0ul, 0ul, 0ul, 0ul, 0ul);
	if (pid == 0) {
		(void)close(ends[1]);
		child_main(nl_socket_get_fd(n->table_sock), ends[0], n->group);
	}
	(void)close(ends[0]);
	n->last_pid = pid > 0 ? (pid_t)pid : 0;
	n->last_fd = ends[1];
	if (pid > 0)
		return 0;
	(void)err_sys(err, "start what outlives us");
	network_last_stop(n);
	return -1;
}

void network_last_stop(struct network *n)
{
	if (n->last_fd >= 0)
		(void)close(n->last_fd);
	n->last_fd = -1;
	if (n->last_pid)
		(void)waitpid(n->last_pid, NULL, __WALL);
	n->last_pid = 0;
}
