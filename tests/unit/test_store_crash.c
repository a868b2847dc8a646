/* SPDX-License-Identifier: MIT
 *
 * A writer is killed at a random moment, again and again: what it acknowledged
 * stands, and no transaction stands by half. */
#include "store_dir.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 60

/* One transaction: a counter, and a record with its number in each of three
 * databases, some with a value that takes pages of its own. */
static int put_number(struct store_txn *txn, uint64_t n, struct err *err)
{
	static char target[3000];
	struct grant_record g = { .app = "crash", .permission = "storage", .give = GIVE_READ };
	struct history_record h = { .kind = HISTORY_LIFE, .app = "crash", .wall_ms = n };
	struct version_record v = { .generation = (uint32_t)n, .kind = ENTRY_SYMLINK, .size = n, .target = target };
	uint64_t got;

	memset(target, 't', sizeof(target) - 1);
	v.path = (char *)(uintptr_t)"home/me/file";
	(void)snprintf(g.item, sizeof(g.item), "%llu", (unsigned long long)n);
	if (store_counter_add(txn, COUNTER_LAYER, 1, &got, err) < 0 || store_grant_put(txn, &g, err) < 0 ||
	    store_history_append(txn, &h, err) < 0 || store_version_put(txn, "crash", &v, err) < 0)
		return -1;
	/* Old ones go, so that pages are used again. */
	(void)snprintf(g.item, sizeof(g.item), "%llu", (unsigned long long)(n - 50));
	if (n > 50 && (store_grant_delete(txn, "crash", "storage", g.item, err) < 0 ||
		       store_generation_delete(txn, "crash", (uint32_t)(n - 50), err) < 0))
		return -1;
	return got == n ? 0 : -1;
}

static void writer(int dir_fd, int pipe_fd, uint64_t from)
{
	struct err err = { 0 };
	struct store *store = store_open(dir_fd, &err);

	for (uint64_t n = from; store; n++) {
		struct store_txn *txn = store_begin(store, true, &err);

		if (!txn || put_number(txn, n, &err) < 0 || store_commit(txn, &err) < 0)
			break;
		if (write(pipe_fd, &n, sizeof(n)) != sizeof(n))
			break;
	}
	fprintf(stderr, "writer: %s\n", err.msg);
	_exit(3);
}

static uint64_t run_and_kill(struct store_dir *d, uint64_t from, unsigned int *seed)
{
	struct timespec wait = { .tv_nsec = 1000000 + rand_r(seed) % 30000000 };
	uint64_t n, acknowledged = from - 1;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(fds[0]);
		writer(d->fd, fds[1], from);
	}
	(void)close(fds[1]);
	/* From the first acknowledgement in some rounds, from the start in others:
	 * opening is killed, too. */
	if (rand_r(seed) % 4 && read(fds[0], &n, sizeof(n)) == sizeof(n))
		acknowledged = n;
	(void)nanosleep(&wait, NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (read(fds[0], &n, sizeof(n)) == sizeof(n))
		acknowledged = n;
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		fail_msg("the writer ended by itself");
	return acknowledged;
}

struct found {
	uint64_t most;
	unsigned int count;
};

static int see_grant(void *data, const struct grant_record *g)
{
	struct found *f = data;
	uint64_t n = strtoull(g->item, NULL, 10);

	f->most = n > f->most ? n : f->most;
	f->count++;
	return 0;
}

static int see_history(void *data, const struct history_record *h)
{
	struct found *f = data;

	f->most = h->wall_ms > f->most ? h->wall_ms : f->most;
	f->count++;
	return 0;
}

static int see_version(void *data, const struct version_record *v)
{
	struct found *f = data;

	assert_int_equal(strlen(v->target), 2999);
	f->most = v->size > f->most ? v->size : f->most;
	f->count++;
	return 0;
}

static uint64_t verify(struct store_dir *d, uint64_t acknowledged)
{
	struct found grants = { 0 }, history = { 0 }, versions = { 0 };
	uint64_t n, kept;

	dir_open(d);
	dir_begin(d, false);
	if (meta_get_number(d->txn, "counter-layer", &n, &d->err) != 1)
		n = 0;
	/* One more may have been committed than told. */
	if (n < acknowledged || n > acknowledged + 1)
		fail_msg("%llu acknowledged, %llu there", (unsigned long long)acknowledged, (unsigned long long)n);
	GOOD(store_grant_each(d->txn, "crash", see_grant, &grants, &d->err));
	GOOD(store_history_each(d->txn, "crash", NULL, 0, see_history, &history, &d->err));
	GOOD(store_version_each(d->txn, "crash", NULL, see_version, &versions, &d->err));
	kept = n > 50 ? 50 : n;
	if (grants.most != n || history.most != n || versions.most != n || grants.count != kept ||
	    history.count != n || versions.count != kept)
		fail_msg("transaction %llu stands by half: grants %llu, history %llu, versions %llu",
			 (unsigned long long)n, (unsigned long long)grants.most, (unsigned long long)history.most,
			 (unsigned long long)versions.most);
	assert_int_equal(store_broken_records(d->store), 0);
	dir_abort(d);
	store_close(d->store);
	d->store = NULL;
	return n;
}

static void test_a_killed_writer_leaves_whole_transactions(void **state)
{
	struct store_dir *d = *state;
	unsigned int seed = (unsigned int)time(NULL);
	uint64_t n = 0;

	print_message("             seed %u\n", seed);
	for (int round = 0; round < ROUNDS; round++)
		n = verify(d, run_and_kill(d, n + 1, &seed));
	print_message("             %llu transactions over %d kills\n", (unsigned long long)n, ROUNDS);
	if (n < ROUNDS)
		fail_msg("only %llu transactions in %d rounds: the test tries nothing", (unsigned long long)n, ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_killed_writer_leaves_whole_transactions, dir_setup_bare,
						dir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
