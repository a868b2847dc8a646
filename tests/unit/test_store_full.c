/* SPDX-License-Identifier: MIT
 *
 * A disk with not one block left: what gives up room still commits, what wants
 * room fails cleanly. Each on a file system of its own, mounted in a mount
 * namespace of this process. */
#include "store_dir.h"

#include <errno.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#define DISK "/tmp"

static const char *skip_why;

static int own_namespace(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_why = "needs root";
	else if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip_why = "needs a mount namespace of its own";
	return 0;
}

static void skip_without(const char *why)
{
	if (!why)
		return;
	print_message("             skipped: %s\n", why);
	skip();
}

/* The file system under test lies over /tmp of this namespace alone. */
static int mount_tmpfs(void)
{
	return mount("disk", DISK, "tmpfs", MS_NOSUID | MS_NODEV, "size=32m,mode=0700");
}

static int run_quietly(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* An image in a tmpfs on a loop device that goes by itself with its mount. */
static int mount_ext4(void)
{
	struct loop_config config = { .info = { .lo_flags = LO_FLAGS_AUTOCLEAR } };
	cleanup_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), image = -1, loop = -1;
	char name[32];
	int n;

	if (control < 0 || mount("image", DISK, "tmpfs", 0, "size=64m,mode=0700") < 0)
		return -1;
	image = open(DISK "/image", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (image < 0 || ftruncate(image, 40 << 20) < 0 || run_quietly("mkfs.ext4 -q -m 0 " DISK "/image") < 0)
		goto fail;
	n = ioctl(control, LOOP_CTL_GET_FREE);
	(void)snprintf(name, sizeof(name), "/dev/loop%d", n);
	loop = n < 0 ? -1 : open(name, O_RDWR | O_CLOEXEC);
	config.fd = (uint32_t)image;
	if (loop < 0 || ioctl(loop, LOOP_CONFIGURE, &config) < 0 || mount(name, DISK, "ext4", 0, NULL) < 0)
		goto fail;
	return 0;
fail:
	(void)umount2(DISK, MNT_DETACH);
	return -1;
}

static void unmount(void)
{
	while (umount2(DISK, MNT_DETACH) == 0)
		;
}

/* Every block: large pieces, then single bytes at the end of files. */
static void fill_disk(void)
{
	static char piece[65536];
	int fd = open(DISK "/fill", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct statfs fs;

	assert_true(fd >= 0);
	for (size_t size = sizeof(piece); size; size /= 2) {
		while (write(fd, piece, size) > 0)
			;
	}
	(void)fsync(fd);
	(void)close(fd);
	assert_int_equal(statfs(DISK, &fs), 0);
	if (fs.f_bavail != 0)
		fail_msg("%llu blocks are still free", (unsigned long long)fs.f_bavail);
}

static void put_versions(struct store_dir *d, const char *app, uint32_t generation, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		char path[64];
		struct version_record v = { .generation = generation, .kind = ENTRY_FILE, .path = path };

		v.target = (char *)(uintptr_t)"";
		(void)snprintf(path, sizeof(path), "home/me/%u/%u", i % 50, i);
		GOOD(store_version_put(d->txn, app, &v, &d->err));
	}
}

static void put_app(struct store_dir *d, const char *id, unsigned int versions)
{
	struct app_record a = { .state = APP_READY, .head = 1, .install = 1, .next_generation = 2 };
	struct grant_record g = { .permission = "storage", .item = "Music", .give = GIVE_READ };
	struct generation_record gen = { .number = 1, .layer_count = 1, .layers = { 5 } };

	(void)snprintf(a.id, sizeof(a.id), "%s", id);
	(void)snprintf(g.app, sizeof(g.app), "%s", id);
	(void)snprintf(gen.app, sizeof(gen.app), "%s", id);
	dir_begin(d, true);
	GOOD(store_range_take(d->txn, id, &a.base, &d->err));
	GOOD(store_app_put(d->txn, &a, &d->err));
	GOOD(store_grant_put(d->txn, &g, &d->err));
	GOOD(store_generation_put(d->txn, &gen, &d->err));
	put_versions(d, id, 1, versions);
	dir_commit(d);
}

static void note(struct store_dir *d, const char *app, const char *what)
{
	struct history_record h = { .kind = HISTORY_LIFE, .wall_ms = 1 };

	(void)snprintf(h.app, sizeof(h.app), "%s", app);
	(void)snprintf(h.what, sizeof(h.what), "%s", what);
	GOOD(store_history_append(d->txn, &h, &d->err));
}

/* What a rollback writes; a reset writes the same. */
static void roll_back(struct store_dir *d, const char *id)
{
	struct generation_record gen = { .kind = GENERATION_ROLLBACK, .of = 1, .layer_count = 1, .layers = { 5 } };
	struct app_record a;
	uint64_t layer;

	dir_begin(d, true);
	assert_int_equal(store_app_get(d->txn, id, &a, &d->err), 1);
	GOOD(store_counter_add(d->txn, COUNTER_LAYER, 1, &layer, &d->err));
	(void)snprintf(gen.app, sizeof(gen.app), "%s", id);
	gen.number = a.next_generation++;
	gen.parent = a.head;
	a.head = gen.number;
	a.live = layer;
	GOOD(store_generation_put(d->txn, &gen, &d->err));
	GOOD(store_app_put(d->txn, &a, &d->err));
	note(d, id, "rolled back");
	app_record_finish(&a);
	dir_commit(d);
}

static void uninstall(struct store_dir *d, const char *id)
{
	struct app_record a;

	dir_begin(d, true);
	assert_int_equal(store_app_get(d->txn, id, &a, &d->err), 1);
	a.state = APP_REMOVING;
	GOOD(store_app_put(d->txn, &a, &d->err));
	dir_commit(d);
	dir_begin(d, true);
	GOOD(store_app_delete(d->txn, id, &d->err));
	GOOD(store_range_release(d->txn, a.base, &d->err));
	GOOD(store_range_wiped(d->txn, a.base, &d->err));
	note(d, id, "uninstalled");
	dir_commit(d);
}

/* Sessions that end on the full disk, one batch of versions a transaction,
 * until they are refused. */
static void bring_versions_until_refused(struct store_dir *d)
{
	for (uint32_t g = 100; g < 400; g++) {
		dir_begin(d, true);
		for (unsigned int i = 0; i < 300; i++) {
			char path[64];
			struct version_record v = { .generation = g, .kind = ENTRY_FILE, .path = path };

			v.target = (char *)(uintptr_t)"";
			(void)snprintf(path, sizeof(path), "new/%u/%u", g, i);
			if (store_version_put(d->txn, "hog", &v, &d->err) < 0) {
				assert_int_equal(d->err.code, ENOSPC);
				assert_contains(d->err.msg, "the disk is full");
				assert_contains(d->err.msg, "make some room");
				dir_abort(d);
				return;
			}
		}
		dir_commit(d);
	}
	fail_msg("90000 versions on a full disk");
}

static void on_a_full_disk(struct store_dir *d)
{
	struct grant_record g;
	struct app_record a;

	dir_open(d);
	dir_begin(d, true);
	GOOD(store_range_add(d->txn, 10 * ID_RANGE, &d->err));
	GOOD(store_range_add(d->txn, 11 * ID_RANGE, &d->err));
	dir_commit(d);
	put_app(d, "hog", 100);
	put_app(d, "big", 20000);
	fill_disk();
	bring_versions_until_refused(d);
	for (int i = 0; i < 200; i++)
		roll_back(d, "hog");
	dir_begin(d, true);
	assert_int_equal(store_grant_delete(d->txn, "hog", "storage", "Music", &d->err), 1);
	note(d, "hog", "revoked");
	dir_commit(d);
	fill_disk();
	/* A start on the full disk finds all that, and goes on. */
	dir_reopen(d);
	dir_begin(d, false);
	assert_int_equal(store_app_get(d->txn, "hog", &a, &d->err), 1);
	assert_int_equal(a.head, 201);
	assert_int_equal(store_grant_get(d->txn, "hog", "storage", "Music", &g, &d->err), 0);
	dir_abort(d);
	roll_back(d, "hog");
	uninstall(d, "big");
	uninstall(d, "hog");
	assert_int_equal(store_broken_records(d->store), 0);
	/* With room again, everything works again. */
	assert_int_equal(unlink(DISK "/fill"), 0);
	put_app(d, "hog", 5000);
	dir_reopen(d);
	dir_begin(d, false);
	assert_int_equal(store_app_get(d->txn, "hog", &a, &d->err), 1);
	dir_abort(d);
}

/* A transaction that is larger than the reserve: nothing of it stands. */
static void too_large(struct store_dir *d)
{
	static char text[1001];
	char name[32], got[16];
	int rc = 0;

	memset(text, 'x', sizeof(text) - 1);
	dir_begin(d, true);
	for (int i = 0; i < 6000 && rc == 0; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		rc = store_text_put(d->txn, name, text, &d->err);
	}
	assert_int_equal(rc, 0);
	rc = store_commit(d->txn, &d->err);
	d->txn = NULL;
	assert_int_equal(rc, -1);
	assert_int_equal(d->err.code, ENOSPC);
	assert_contains(d->err.msg, "the disk is full");
	assert_contains(d->err.msg, d->path);
	dir_begin(d, false);
	GOOD(store_text_get(d->txn, "n0", got, sizeof(got), &d->err));
	assert_string_equal(got, "");
	dir_abort(d);
}

static void in_mount(int (*mount_it)(void), const char *why, void (*body)(struct store_dir *d))
{
	void *state = NULL;

	skip_without(skip_why);
	if (mount_it() < 0)
		skip_without(why);
	assert_int_equal(dir_setup_bare(&state), 0);
	body(state);
	(void)dir_teardown(&state);
	unmount();
}

static void full_then_too_large(struct store_dir *d)
{
	dir_open(d);
	dir_begin(d, true);
	GOOD(store_range_add(d->txn, 10 * ID_RANGE, &d->err));
	dir_commit(d);
	put_app(d, "hog", 100);
	fill_disk();
	too_large(d);
	for (int i = 0; i < 50; i++)
		roll_back(d, "hog");
}

/* Nothing was ever freed here, and no versions took room: only what is kept ahead
 * can hold this. 1 MB in small steps, of the 2 MB that are promised. */
static void small_steps(struct store_dir *d)
{
	static char text[1001];
	char name[32], got[1024];

	memset(text, 'x', sizeof(text) - 1);
	dir_open(d);
	fill_disk();
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		dir_begin(d, true);
		GOOD(store_text_put(d->txn, name, text, &d->err));
		dir_commit(d);
	}
	fill_disk();
	dir_reopen(d);
	dir_begin(d, false);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		GOOD(store_text_get(d->txn, name, got, sizeof(got), &d->err));
		assert_string_equal(got, text);
	}
}

static void test_the_reserve_alone_holds_small_steps_on_tmpfs(void **state)
{
	(void)state;
	in_mount(mount_tmpfs, "no tmpfs", small_steps);
}

static void test_the_reserve_alone_holds_small_steps_on_ext4(void **state)
{
	(void)state;
	in_mount(mount_ext4, "needs a loop device and mkfs.ext4", small_steps);
}

static void test_a_full_tmpfs(void **state)
{
	(void)state;
	in_mount(mount_tmpfs, "no tmpfs", on_a_full_disk);
}

static void test_a_full_ext4(void **state)
{
	(void)state;
	in_mount(mount_ext4, "needs a loop device and mkfs.ext4", on_a_full_disk);
}

static void test_more_than_the_reserve_leaves_nothing_on_tmpfs(void **state)
{
	(void)state;
	in_mount(mount_tmpfs, "no tmpfs", full_then_too_large);
}

static void test_more_than_the_reserve_leaves_nothing_on_ext4(void **state)
{
	(void)state;
	in_mount(mount_ext4, "needs a loop device and mkfs.ext4", full_then_too_large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_reserve_alone_holds_small_steps_on_tmpfs),
		cmocka_unit_test(test_the_reserve_alone_holds_small_steps_on_ext4),
		cmocka_unit_test(test_a_full_tmpfs),
		cmocka_unit_test(test_a_full_ext4),
		cmocka_unit_test(test_more_than_the_reserve_leaves_nothing_on_tmpfs),
		cmocka_unit_test(test_more_than_the_reserve_leaves_nothing_on_ext4),
	};

	return cmocka_run_group_tests(tests, own_namespace, NULL);
}
