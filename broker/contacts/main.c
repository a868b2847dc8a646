/* SPDX-License-Identifier: MIT
 *
 * cowbell-contacts: reads one of the owner's address books, with the owner's
 * rights and no network, and tells how many people are in it.
 */
#include "contacts/vcard.h"

#include "base/log.h"
#include "proto/chan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define DEPTH_MAX 4
#define FILES_MAX 20000u
#define BYTES_MAX ((uint64_t)64 << 20)
#define FILE_MAX ((size_t)1 << 20)

struct reading {
	struct vcard_count count;
	uint32_t files;
	uint64_t bytes;
	char *buf;
};

static bool is_card_file(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && (strcmp(name + n - 4, ".vcf") == 0 || strcmp(name + n - 4, ".VCF") == 0);
}

static void read_card_file(struct reading *r, int dir, const char *name)
{
	cleanup_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	while (n > 0 && used < FILE_MAX) {
		n = read(fd, r->buf + used, FILE_MAX - used);
		used += n > 0 ? (size_t)n : 0;
	}
	r->bytes += used;
	vcard_scan(r->buf, used, &r->count);
}

static int read_folder(struct reading *r, int dir_fd, int depth)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (!dir) {
		(void)close(dir_fd);
		return -1;
	}
	while ((entry = readdir(dir)) && r->files < FILES_MAX && r->bytes < BYTES_MAX) {
		struct stat st;

		if (entry->d_name[0] == '.' || fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			int sub = openat(dir_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (sub >= 0)
				(void)read_folder(r, sub, depth + 1);
		} else if (S_ISREG(st.st_mode) && is_card_file(entry->d_name)) {
			r->files++;
			read_card_file(r, dir_fd, entry->d_name);
		}
	}
	(void)closedir(dir);
	return 0;
}

static void tell(const struct reading *r, int code, const char *why)
{
	struct wr *w = xcalloc(1, sizeof(*w));
	struct err err = { 0 };

	chan_begin(w, MSG_CONTACTS_RESULT, 0);
	wr_u32(w, (uint32_t)code);
	wr_str(w, why);
	wr_u32(w, r->count.cards);
	wr_u16(w, r->count.name_count);
	for (uint16_t i = 0; i < r->count.name_count; i++)
		wr_str(w, r->count.names[i]);
	(void)chan_send_fd(3, w, NULL, 0, &err);
	free(w);
}

int main(int argc, char **argv)
{
	const struct rlimit cpu = { 10, 10 }, memory = { (rlim_t)256 << 20, (rlim_t)256 << 20 };
	struct reading *r = xcalloc(1, sizeof(*r));
	int fd;

	log_init("cowbell-contacts");
	if (argc != 2)
		fatal("started by hand: cowbelld starts this program");
	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)setrlimit(RLIMIT_AS, &memory);
	r->buf = xcalloc(1, FILE_MAX);
	fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || read_folder(r, fd, 0) < 0)
		tell(r, errno, strerror(errno));
	else
		tell(r, 0, "");
	free(r->buf);
	free(r);
	return 0;
}
