/* SPDX-License-Identifier: MIT
 *
 * Layers on real file systems: what a merged layer shows is what the layers it
 * came from showed, for whatever an app did. Needs root, for trusted.*
 * attributes and a mount namespace of its own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/keeper.h"

#ifndef SEEDS
#define SEEDS 25
#endif
#define GENERATIONS 6
#define OPERATIONS 25

static char top[128];
static struct keeper k = { .chan = -1, .store = -1 };
static unsigned int seed;

static unsigned int dice(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static void path_in(char *buf, size_t size, const char *root)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	size_t n = (size_t)snprintf(buf, size, "%s", root);

	for (unsigned int depth = 1 + dice(3); depth; depth--)
		n += (size_t)snprintf(buf + n, size - n, "/%s", names[dice(4)]);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);

	if (fd >= 0) {
		(void)!write(fd, text, strlen(text));
		close(fd);
	}
}

/* What apps do; most of it fails on a random path, and that is fine. */
static void operate(const char *root)
{
	char a[256], b[256], text[32];

	path_in(a, sizeof(a), root);
	path_in(b, sizeof(b), root);
	(void)snprintf(text, sizeof(text), "%u\n", dice(1000000));
	switch (dice(9)) {
	case 0:
	case 1:
		write_file(a, text);
		break;
	case 2:
	case 3:
		(void)mkdir(a, 0755);
		break;
	case 4:
		(void)unlink(a);
		break;
	case 5:
		(void)nftw(a, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		break;
	case 6:
	case 7:
		(void)rename(a, b);
		break;
	case 8:
		if (symlink("target", a) < 0)
			(void)chmod(a, dice(2) ? 0700 : 0751);
		break;
	}
}

static void mount_stack(const char *where, const uint64_t *lids, size_t count, uint64_t upper)
{
	char options[2048] = "redirect_dir=on,index=off,metacopy=off,lowerdir=";

	if (!upper)
		(void)snprintf(options, sizeof(options), "redirect_dir=follow,metacopy=off,lowerdir=");
	for (size_t i = 0; i < count; i++)
		(void)snprintf(options + strlen(options), sizeof(options) - strlen(options), "layers/%016llx/fs:",
			       (unsigned long long)lids[i]);
	(void)snprintf(options + strlen(options), sizeof(options) - strlen(options), "base");
	if (upper)
		(void)snprintf(options + strlen(options), sizeof(options) - strlen(options),
			       ",upperdir=layers/%016llx/fs,workdir=layers/%016llx/work", (unsigned long long)upper,
			       (unsigned long long)upper);
	if (mount("overlay", where, "overlay", 0, options) < 0)
		fail_msg("mount %s: %s", options, strerror(errno));
}

static void compare(const char *a, const char *b)
{
	struct stat x, y;
	struct dirent *entry;
	DIR *dir;
	int n = 0, m = 0;

	if (lstat(a, &x) < 0 || lstat(b, &y) < 0)
		fail_msg("seed: '%s' is there, '%s' is not", a, b);
	if (x.st_mode != y.st_mode || (S_ISREG(x.st_mode) && x.st_size != y.st_size))
		fail_msg("'%s' and '%s' differ", a, b);
	if (S_ISREG(x.st_mode)) {
		char p[64] = "", q[64] = "";
		int f = open(a, O_RDONLY), g = open(b, O_RDONLY);

		(void)!read(f, p, sizeof(p) - 1);
		(void)!read(g, q, sizeof(q) - 1);
		close(f);
		close(g);
		assert_string_equal(p, q);
	}
	if (!S_ISDIR(x.st_mode))
		return;
	dir = opendir(b);
	while ((entry = readdir(dir)))
		m++;
	closedir(dir);
	dir = opendir(a);
	while ((entry = readdir(dir))) {
		char p[512], q[512];

		n++;
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(p, sizeof(p), "%s/%s", a, entry->d_name);
		(void)snprintf(q, sizeof(q), "%s/%s", b, entry->d_name);
		compare(p, q);
	}
	closedir(dir);
	if (n != m)
		fail_msg("'%s' has %d names, '%s' has %d", a, n, b, m);
}

static void make_base(void)
{
	(void)mkdir("base", 0755);
	(void)mkdir("base/a", 0755);
	(void)mkdir("base/a/b", 0755);
	(void)mkdir("base/c", 0755);
	write_file("base/a/b/c", "base abc\n");
	write_file("base/a/d", "base ad\n");
	write_file("base/c/a", "base ca\n");
	write_file("base/d", "base d\n");
}

static void test_merged_layers_show_the_same(void **state)
{
	struct err err = { 0 };
	uint64_t lid = 1;

	(void)state;
	for (unsigned int s = 1; s <= SEEDS; s++) {
		uint64_t lids[GENERATIONS + 1] = { 0 }, merged[GENERATIONS + 1];
		size_t from, n;

		seed = s * 7919;
		for (int g = 0; g < GENERATIONS; g++) {
			uint64_t upper = lid++;

			if (layer_make(&k, upper, -1, 0, &err) < 0)
				fail_msg("%s", err.msg);
			mount_stack("view", lids, (size_t)g, upper);
			for (int i = 0; i < OPERATIONS; i++)
				operate("view");
			assert_int_equal(umount("view"), 0);
			memmove(lids + 1, lids, sizeof(lids[0]) * (size_t)g);
			lids[0] = upper;
		}
		/* An adjacent range of the chain becomes one layer. */
		from = dice(GENERATIONS - 1);
		n = 2 + dice((unsigned int)(GENERATIONS - from - 1));
		if (merge_layers(&k, lid, lids + from, n, lids + from + n, GENERATIONS - from - n, &err) < 0)
			fail_msg("seed %u: %s", s, err.msg);
		memcpy(merged, lids, from * sizeof(lids[0]));
		merged[from] = lid++;
		memcpy(merged + from + 1, lids + from + n, (GENERATIONS - from - n) * sizeof(lids[0]));
		mount_stack("view", lids, GENERATIONS, 0);
		mount_stack("other", merged, GENERATIONS - n + 1, 0);
		compare("view", "other");
		assert_int_equal(umount("view"), 0);
		assert_int_equal(umount("other"), 0);
	}
}

static int count_entry(void *data, enum entry_kind kind, const char *path, const char *target, const struct stat *st,
		       const uint8_t hash[32], struct err *err)
{
	char *text = data;

	(void)target;
	(void)st;
	(void)hash;
	(void)err;
	(void)snprintf(text + strlen(text), 1024 - strlen(text), "%d:%s ", (int)kind, path);
	return 0;
}

static void test_scan_tells_what_changed(void **state)
{
	char text[1024] = "";
	struct scan_ops ops = { .on_entry = count_entry, .data = text };
	struct keeper_result result = { 0 };
	struct err err = { 0 };
	uint64_t none[1] = { 0 };
	int fd;

	(void)state;
	assert_int_equal(layer_make(&k, 5000, -1, 0, &err), 0);
	mount_stack("view", none, 0, 5000);
	write_file("view/a/new", "x\n");
	(void)unlink("view/a/d");
	(void)rename("view/c", "view/moved");
	(void)mkdir("view/empty", 0755);
	(void)umount("view");
	fd = layer_open(&k, 5000, &err);
	assert_true(fd >= 0);
	assert_int_equal(scan_layer(fd, &ops, &result, &err), 0);
	close(fd);
	assert_string_equal(text, "0:a/d 1:a/new 0:c 6:empty 7:moved ");
	assert_true(result.changed);
}

static void test_unchanged_copies_are_trimmed(void **state)
{
	struct keeper_result result = { 0 };
	char text[1024] = "";
	struct scan_ops ops = { .on_entry = count_entry, .data = text };
	uint64_t lids[1] = { 6000 }, none[1] = { 0 };
	struct err err = { 0 };
	int fd;

	(void)state;
	assert_int_equal(layer_make(&k, 6000, -1, 0, &err), 0);
	mount_stack("view", none, 0, 6000);
	write_file("view/a/same", "same\n");
	write_file("view/a/other", "other\n");
	(void)umount("view");
	assert_int_equal(layer_make(&k, 6001, -1, 0, &err), 0);
	mount_stack("view", lids, 1, 6001);
	close(open("view/a/same", O_RDWR)); /* copied up, not written */
	write_file("view/a/other", "OTHER\n");
	(void)umount("view");
	fd = layer_open(&k, 6001, &err);
	assert_int_equal(trim_upper(&k, fd, lids, 1, &err), 0);
	assert_int_equal(scan_layer(fd, &ops, &result, &err), 0);
	close(fd);
	assert_string_equal(text, "1:a/other ");
}

static void test_anything_can_be_removed(void **state)
{
	struct err err = { 0 };
	uint64_t lids[2] = { 7000, 7001 };
	char name[256];
	int fd;

	(void)state;
	assert_int_equal(layer_make(&k, 7000, -1, 0, &err), 0);
	fd = layer_open(&k, 7000, &err);
	for (int i = 0; i < 700 && fd >= 0; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "deep", 0), 0);
		next = openat(fd, "deep", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	memset(name, 'n', 255);
	name[255] = '\0';
	assert_int_equal(mkfifoat(fd, name, 0), 0);
	assert_int_equal(symlinkat("/", fd, "root"), 0);
	close(fd);
	if (remove_layers(&k, lids, 2, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(access("layers/0000000000001b58", F_OK), -1);
	assert_int_equal(access("trash/0000000000001b58", F_OK), -1);
	assert_int_equal(access("/", F_OK), 0);
}

/* count folders of this name, each in the one before; the last one is returned. */
static int dig(int fd, const char *name, int count)
{
	while (count-- > 0 && fd >= 0) {
		int next;

		assert_int_equal(mkdirat(fd, name, 0755), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	return fd;
}

/* An app can dig as deep as the disk allows. */
static void test_what_no_path_reaches_counts(void **state)
{
	char text[1024];
	char name[201];

	(void)state;
	memset(name, 'n', 200);
	name[200] = '\0';
	for (int i = 0; i < 2; i++) {
		uint64_t lid = 7100 + (uint64_t)i * 2, below[1] = { lid + 1 };
		struct scan_ops ops = { .on_entry = count_entry, .data = text };
		struct keeper_result result = { 0 };
		struct err err = { 0 };
		int fd, leaf;

		assert_int_equal(layer_make(&k, lid, -1, 0, &err), 0);
		assert_int_equal(layer_make(&k, lid + 1, -1, 0, &err), 0);
		leaf = dig(layer_open(&k, lid, &err), i ? "d" : name, i ? 1100 : 30);
		assert_true(leaf >= 0);
		text[0] = '\0';
		fd = layer_open(&k, lid, &err);
		if (scan_layer(fd, &ops, &result, &err) < 0)
			fail_msg("%s", err.msg);
		assert_true(result.changed && result.too_deep == 1);
		/* A merged layer without it would be a loss that nobody sees. */
		assert_int_equal(merge_layers(&k, lid + 1000, &lid, 1, below, 1, &err), -1);
		assert_int_equal(err.code, i ? ELOOP : ENAMETOOLONG);
		assert_int_equal(access(i ? "layers/0000000000001fa6" : "layers/0000000000001fa4", F_OK), -1);
		close(leaf);
		close(fd);
		assert_int_equal(remove_layers(&k, &lid, 1, &err), 0);
	}
}

static void test_garbage_is_what_a_list_could_have_named(void **state)
{
	uint64_t kept[] = { 8001 };
	struct keeper collector = k;
	struct err err = { 0 };

	(void)state;
	if (layer_make(&k, 8001, -1, 0, &err) < 0 || layer_make(&k, 8002, -1, 0, &err) < 0 ||
	    layer_make(&k, 8003, -1, 0, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(mkdir("layers/junk", 0700), 0);
	collector.keep = kept;
	collector.keep_count = 1;
	if (remove_garbage(&collector, 8002, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(access("layers/0000000000001f41", F_OK), 0);
	assert_int_equal(access("layers/0000000000001f42", F_OK), -1);
	assert_int_equal(access("layers/junk", F_OK), -1);
	/* Made after the list: somebody else's work. */
	assert_int_equal(access("layers/0000000000001f43", F_OK), 0);
}

static int set_up(void **state)
{
	static const char *const folders[] = { "layers", "tmp", "trash", "view", "other" };
	struct rlimit files;

	(void)state;
	if (geteuid() != 0)
		return 0;
	/* As the keeper's main() does: a walk holds a descriptor a folder. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)snprintf(top, sizeof(top), "/var/tmp/cowbell-keeper.%d", (int)getpid());
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mkdir(top, 0700) < 0 ||
	    chdir(top) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		(void)mkdir(folders[i], 0700);
	make_base();
	k.store = open(".", O_RDONLY | O_DIRECTORY);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (chdir("/") == 0 && top[0])
		(void)nftw(top, remove_one, 32, FTW_DEPTH | FTW_PHYS);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merged_layers_show_the_same),
		cmocka_unit_test(test_scan_tells_what_changed),
		cmocka_unit_test(test_unchanged_copies_are_trimmed),
		cmocka_unit_test(test_anything_can_be_removed),
		cmocka_unit_test(test_what_no_path_reaches_counts),
		cmocka_unit_test(test_garbage_is_what_a_list_could_have_named),
	};

	if (geteuid() != 0) {
		(void)fprintf(stderr, "test_keeper: not root, nothing tried\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
