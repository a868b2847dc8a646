/* SPDX-License-Identifier: MIT
 *
 * bundle: what an author has in a folder becomes one signed file.
 *   DIR/manifest.json   without "payload"
 *   DIR/root/...        the files, as they are to stand below /
 * tar, zstd and minisign do their work; the key's password is asked by minisign.
 */
#include "ctl/ctl.h"

#include "base/fd.h"
#include "bundle/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct work {
	char folder[64]; /* for what lies between */
	const char *dir, *key, *out;
};

static int say(const char *what, const char *why)
{
	(void)fprintf(stderr, "cowbell: bundle: %s: %s\n", what, why);
	return -1;
}

/* fd: its standard output, -1 ours. */
static int run(const char *const argv[], int fd)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (fd >= 0 && dup2(fd, 1) < 0)
			_exit(126);
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return say(argv[0], strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return say(argv[0], WIFEXITED(status) && WEXITSTATUS(status) == 127 ? "it is not installed" : "it failed");
}

static char *path_in(const struct work *w, const char *name)
{
	return xasprintf("%s/%s", w->folder, name);
}

static int pack(const struct work *w, uint64_t *ret_tar_size)
{
	cleanup_free char *root = xasprintf("%s/root", w->dir), *tar = path_in(w, "payload.tar");
	const char *const tar_argv[] = { "tar", "--format=gnu", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-C", root, "-cf",
				   tar, ".", NULL };
	const char *const zstd_argv[] = { "zstd", "-q", "-19", "-f", tar, NULL };
	struct stat st;

	if (run(tar_argv, -1) < 0)
		return -1;
	if (stat(tar, &st) < 0)
		return say(tar, strerror(errno));
	*ret_tar_size = (uint64_t)st.st_size;
	return run(zstd_argv, -1);
}

static int hash_payload(const struct work *w, uint64_t *ret_size, char hex[2 * BUNDLE_HASH_SIZE + 1])
{
	cleanup_free char *path = path_in(w, "payload.tar.zst");
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	static uint8_t buf[65536];
	uint8_t hash[BUNDLE_HASH_SIZE];
	crypto_generichash_state state;
	ssize_t n;

	if (fd < 0 || sodium_init() < 0)
		return say(path, strerror(errno));
	(void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (*ret_size = 0; (n = read(fd, buf, sizeof(buf))) > 0; *ret_size += (uint64_t)n)
		(void)crypto_generichash_update(&state, buf, (size_t)n);
	(void)crypto_generichash_final(&state, hash, sizeof(hash));
	(void)sodium_bin2hex(hex, 2 * BUNDLE_HASH_SIZE + 1, hash, sizeof(hash));
	return n < 0 ? say(path, strerror(errno)) : 0;
}

static int write_manifest(const struct work *w, uint64_t tar_size, struct bundle_manifest *ret)
{
	cleanup_free char *path = xasprintf("%s/manifest.json", w->dir), *out = path_in(w, "manifest.json"), *text = NULL;
	char hex[2 * BUNDLE_HASH_SIZE + 1];
	struct err err = { 0 };
	uint64_t size;
	size_t n;
	json_t *root;
	int rc;

	if (fd_read_file(AT_FDCWD, path, BUNDLE_MANIFEST_MAX, &text, &n, &err) < 0 ||
	    bundle_manifest_parse(text, n, false, ret, &err) < 0)
		return say(path, err.msg);
	if (hash_payload(w, &size, hex) < 0)
		return -1;
	root = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	json_object_set_new(root, "payload", json_pack("{s:I, s:I, s:s}", "size", (json_int_t)size, "tar_size",
						       (json_int_t)tar_size, "blake2b", hex));
	rc = json_dump_file(root, out, JSON_INDENT(1) | JSON_SORT_KEYS);
	json_decref(root);
	return rc < 0 ? say(out, "it cannot be written") : 0;
}

static int read_public_key(const struct work *w, char key[BUNDLE_KEY_TEXT])
{
	size_t n = strlen(w->key), stem = n > 4 && strcmp(w->key + n - 4, ".key") == 0 ? n - 4 : n;
	cleanup_free char *path = xasprintf("%.*s.pub", (int)stem, w->key), *text = NULL;
	struct err err = { 0 };

	if (fd_read_file(AT_FDCWD, path, 1024, &text, NULL, &err) < 0 || bundle_key_read(text, key, &err) < 0)
		return say(path, err.msg);
	return 0;
}

static int sign(const struct work *w, const struct bundle_manifest *m)
{
	cleanup_free char *manifest = path_in(w, "manifest.json"), *comment = NULL;
	char key[BUNDLE_KEY_TEXT];
	const char *argv[] = { "minisign", "-S", "-s", w->key, "-m", manifest, "-c",
			 "cowbell bundle", "-t", NULL, NULL };

	if (read_public_key(w, key) < 0)
		return -1;
	comment = xasprintf("app=%s version=%s key=%s", m->id, m->version, key);
	argv[9] = comment;
	return run(argv, -1);
}

static int append(const struct work *w, int out, enum bundle_member member)
{
	cleanup_free char *path = path_in(w, bundle_names[member]);
	cleanup_fd int in = open(path, O_RDONLY | O_CLOEXEC);
	static uint8_t buf[65536];
	uint8_t block[BUNDLE_BLOCK], zeros[BUNDLE_BLOCK] = { 0 };
	struct stat st;
	ssize_t n;

	if (in < 0 || fstat(in, &st) < 0)
		return say(path, strerror(errno));
	if ((uint64_t)st.st_size > bundle_sizes_max[member])
		return say(bundle_names[member], "it is too large");
	bundle_header(member, (uint64_t)st.st_size, block);
	if (fd_write_full(out, block, sizeof(block)) < 0)
		return say(w->out, strerror(errno));
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (fd_write_full(out, buf, (size_t)n) < 0)
			return say(w->out, strerror(errno));
	}
	if (n < 0 || fd_write_full(out, zeros, (BUNDLE_BLOCK - (size_t)st.st_size % BUNDLE_BLOCK) % BUNDLE_BLOCK) < 0)
		return say(w->out, strerror(errno));
	return 0;
}

static int join(const struct work *w)
{
	cleanup_free char *tmp = xasprintf("%s.new", w->out);
	cleanup_fd int out = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	static const uint8_t end[2 * BUNDLE_BLOCK];

	if (out < 0)
		return say(tmp, strerror(errno));
	for (int m = 0; m < BUNDLE_MEMBERS; m++) {
		if (append(w, out, (enum bundle_member)m) < 0) {
			(void)unlink(tmp);
			return -1;
		}
	}
	if (fd_write_full(out, end, sizeof(end)) < 0 || fsync(out) < 0 || rename(tmp, w->out) < 0)
		return say(w->out, strerror(errno));
	return 0;
}

static void clean(const struct work *w)
{
	static const char *const names[] = { "payload.tar", "payload.tar.zst", "manifest.json", "manifest.json.minisig" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_free char *path = path_in(w, names[i]);

		(void)unlink(path);
	}
	(void)rmdir(w->folder);
}

int cmd_bundle(struct ctl *ctl, int argc, char **argv)
{
	struct work w = { .folder = "/tmp/cowbell-bundle.XXXXXX" };
	const struct option_spec specs[] = { { .name = "-k", .has_value = true, .value = &w.key },
					     { .name = "-o", .has_value = true, .value = &w.out },
					     { .name = NULL } };
	struct bundle_manifest *m = xcalloc(1, sizeof(*m));
	uint64_t tar_size = 0;
	int rc = EXIT_FAILED;

	if (options_take("bundle", specs, &argc, argv) || argc != 2 || !w.key || !w.out) {
		free(m);
		return usage("bundle");
	}
	w.dir = argv[1];
	if (!mkdtemp(w.folder)) {
		(void)say(w.folder, strerror(errno));
	} else {
		if (pack(&w, &tar_size) == 0 && write_manifest(&w, tar_size, m) == 0 && sign(&w, m) == 0 && join(&w) == 0)
			rc = EXIT_DONE;
		clean(&w);
	}
	if (rc == EXIT_DONE && !ctl->quiet)
		(void)printf("%s: %s %s\n", w.out, m->id, m->version);
	free(m);
	return rc;
}
