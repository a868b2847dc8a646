/* SPDX-License-Identifier: MIT
 *
 * Whoever manages the host's network replaces the file; looking at it before
 * each question costs less than a watch that can be lost.
 */
#include "dns/servers.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES 65536u

static bool parse_address(const char *word, struct sockaddr_storage *ret, socklen_t *size)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	char text[64], *zone;

	memset(ret, 0, sizeof(*ret));
	if (strlen(word) >= sizeof(text))
		return false;
	(void)snprintf(text, sizeof(text), "%s", word);
	zone = strchr(text, '%');
	if (zone)
		*zone++ = '\0';
	if (!zone && inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(53);
		*size = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(53);
	v6->sin6_scope_id = zone ? if_nametoindex(zone) : 0;
	*size = sizeof(*v6);
	return true;
}

void servers_parse(struct servers *s, const char *text)
{
	char line[256];

	s->count = 0;
	while (text && *text) {
		size_t n = strcspn(text, "\n"), key = sizeof("nameserver") - 1;

		if (n < sizeof(line) && s->count < SERVERS_MAX) {
			char *word, *save = NULL;

			memcpy(line, text, n);
			line[n] = '\0';
			word = strncmp(line, "nameserver", key) == 0 && (line[key] == ' ' || line[key] == '\t')
				       ? strtok_r(line + key, " \t\r", &save)
				       : NULL;
			if (word && parse_address(word, &s->of[s->count], &s->size[s->count]))
				s->count++;
		}
		text += n + (text[n] == '\n');
	}
	if (s->count == 0 && parse_address("127.0.0.1", &s->of[0], &s->size[0]))
		s->count = 1;
}

void servers_refresh(struct servers *s, const char *path)
{
	cleanup_free char *text = NULL;
	struct err err = { 0 };
	struct stat st = { 0 };
	uint64_t stamp[3];

	(void)stat(path, &st);
	stamp[0] = st.st_ino;
	stamp[1] = (uint64_t)st.st_mtim.tv_sec;
	stamp[2] = (uint64_t)st.st_mtim.tv_nsec ^ (uint64_t)st.st_size << 32;
	if (s->count && memcmp(stamp, s->stamp, sizeof(stamp)) == 0)
		return;
	memcpy(s->stamp, stamp, sizeof(stamp));
	(void)fd_read_file(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL, &err);
	servers_parse(s, text ? text : "");
}
