/* SPDX-License-Identifier: MIT
 *
 * Internal messages: nothing short, long or out of bounds gets through, and
 * descriptors of rejected messages are closed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/chan.h"
#include "proto/launch.h"

static void test_readers_stop_at_the_end(void **state)
{
	static struct wr w;
	struct rd r;
	char text[8];

	(void)state;
	wr_init(&w);
	wr_u16(&w, 0xabcd);
	wr_str(&w, "hello");
	rd_init(&r, w.buf, w.len);
	assert_int_equal(rd_u16(&r), 0xabcd);
	rd_str(&r, text, sizeof(text));
	assert_string_equal(text, "hello");
	assert_true(rd_end(&r));
	assert_int_equal(rd_u32(&r), 0);
	assert_false(rd_end(&r));
	for (size_t cut = 0; cut < w.len; cut++) {
		rd_init(&r, w.buf, cut);
		(void)rd_u16(&r);
		rd_str(&r, text, sizeof(text));
		assert_false(rd_end(&r));
	}
	rd_init(&r, w.buf, w.len);
	(void)rd_u16(&r);
	rd_str(&r, text, 5); /* one byte too small */
	assert_true(r.bad);
	w.buf[8] = '\0'; /* a NUL in the middle of the text */
	rd_init(&r, w.buf, w.len);
	(void)rd_u16(&r);
	rd_str(&r, text, sizeof(text));
	assert_true(r.bad);
}

static void test_writers_do_not_overflow(void **state)
{
	static struct wr w;
	static char big[WIRE_MAX];
	struct err err = { 0 };

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	wr_init(&w);
	wr_str(&w, big);
	assert_true(w.overflow);
	assert_int_equal(chan_send_fd(-1, &w, NULL, 0, &err), -1);
	assert_non_null(strstr(err.msg, "larger than 65536 bytes"));
}

static struct launch a_launch(void)
{
	struct launch l = { .app = "app", .base = 0x70010000, .upper = 7, .layer_count = 2, .layers = { 6, 5 } };

	return l;
}

static void test_launches(void **state)
{
	static struct wr w;
	struct launch l = a_launch(), got;
	struct rd r;

	(void)state;
	wr_init(&w);
	launch_encode(&w, &l);
	rd_init(&r, w.buf, w.len);
	assert_true(launch_decode(&r, &got));
	assert_memory_equal(got.layers, l.layers, sizeof(l.layers));
	rd_init(&r, w.buf, w.len - 1);
	assert_false(launch_decode(&r, &got));
	l.base = 0x70010001; /* not a range's first id */
	wr_init(&w);
	launch_encode(&w, &l);
	rd_init(&r, w.buf, w.len);
	assert_false(launch_decode(&r, &got));
	l = a_launch();
	l.base = 0; /* the host's own ids */
	wr_init(&w);
	launch_encode(&w, &l);
	rd_init(&r, w.buf, w.len);
	assert_false(launch_decode(&r, &got));
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_rejected_messages_leak_nothing(void **state)
{
	static uint8_t buf[WIRE_MAX];
	static struct wr w;
	struct err err = { 0 };
	struct msg m;
	int pair[2], before, fds[2] = { 0, 1 };

	(void)state;
	assert_int_equal(chan_pair(pair, &err), 0);
	before = count_fds();
	chan_begin(&w, MSG_KILL, 9);
	assert_int_equal(chan_send_fd(pair[0], &w, fds, 2, &err), 0);
	assert_int_equal(chan_recv_fd(pair[1], buf, &m, &err), 1);
	assert_int_equal(m.op, MSG_KILL);
	assert_int_equal(m.id, 9);
	assert_int_equal(m.fd_count, 2);
	msg_close_fds(&m);
	assert_int_equal(count_fds(), before);
	w.buf[0] = 0xff; /* no such opcode */
	w.buf[1] = 0xff;
	assert_int_equal(chan_send_fd(pair[0], &w, fds, 2, &err), 0);
	assert_int_equal(chan_recv_fd(pair[1], buf, &m, &err), -1);
	assert_int_equal(err.code, EPROTO);
	assert_int_equal(count_fds(), before);
	close(pair[0]);
	assert_int_equal(chan_recv_fd(pair[1], buf, &m, &err), 0);
	close(pair[1]);
}

static void test_the_table_says_who_may(void **state)
{
	(void)state;
	assert_true(msg_allowed(MSG_NEED, 'S', 'B'));
	assert_false(msg_allowed(MSG_NEED, 'B', 'S'));
	assert_false(msg_allowed(MSG_LAUNCH, 'S', 'D'));
	assert_false(msg_allowed(MSG_KEEPER_DROP, 'D', 'K'));
	assert_false(msg_allowed(9999, 'B', 'D'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readers_stop_at_the_end), cmocka_unit_test(test_writers_do_not_overflow),
		cmocka_unit_test(test_launches),		cmocka_unit_test(test_rejected_messages_leak_nothing),
		cmocka_unit_test(test_the_table_says_who_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
