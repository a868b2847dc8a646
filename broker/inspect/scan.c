/* SPDX-License-Identifier: MIT
 *
 * Words are what stands between bytes that no path, name or address has.
 */
#include "inspect/scan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool is_word_char(unsigned char c)
{
	return isalnum(c) || strchr("._/:@%+-", c);
}

static bool fits(const struct sign *s, const char *word, size_t len)
{
	switch (s->how) {
	case SIGN_IS:
		return len == s->text_len && memcmp(word, s->text, len) == 0;
	case SIGN_HAS:
		return len >= s->text_len && memmem(word, len, s->text, s->text_len) != NULL;
	case SIGN_BEGINS:
		return len >= s->text_len && memcmp(word, s->text, s->text_len) == 0;
	case SIGN_ENDS:
		return len >= s->text_len && memcmp(word + len - s->text_len, s->text, s->text_len) == 0;
	case SIGN_LINKS: /* "libcurl.so.4", "libcurl-gnutls.so.4" */
		return len > s->text_len && memcmp(word, s->text, s->text_len) == 0 && memmem(word, len, ".so", 3) != NULL;
	case SIGN_FILE:
		break;
	}
	return false;
}

static void add_host(struct scan *scan, const char *p, size_t len)
{
	for (size_t i = 0; i < scan->host_count; i++) {
		if (strlen(scan->hosts[i]) == len && memcmp(scan->hosts[i], p, len) == 0)
			return;
	}
	if (scan->host_count == SCAN_HOSTS_MAX || len >= sizeof(scan->hosts[0]))
		return;
	memcpy(scan->hosts[scan->host_count], p, len);
	scan->hosts[scan->host_count++][len] = '\0';
}

/* Lower case labels, a dot or more, ends in a well-known domain. */
static bool is_host(const char *p, size_t len, size_t dots_wanted)
{
	static const char *const tops[] = { ".com", ".org", ".net", ".io", ".dev", ".app", ".cloud", ".de", ".eu" };
	size_t dots = 0;

	for (size_t i = 0; i < len; i++) {
		if (!(islower((unsigned char)p[i]) || isdigit((unsigned char)p[i]) || p[i] == '-' || p[i] == '.'))
			return false;
		if (p[i] == '.' && (i == 0 || p[i - 1] == '.'))
			return false;
		dots += p[i] == '.';
	}
	for (size_t i = 0; i < ARRAY_LEN(tops); i++) {
		size_t n = strlen(tops[i]);

		if (len > n && memcmp(p + len - n, tops[i], n) == 0)
			return dots >= dots_wanted && len < 128;
	}
	return false;
}

/* In a URL any; bare ones in programs alone, and only such as a.b.com: two words
 * with a dot between them are often no host. */
static void look_for_host(struct scan *scan, const char *word, size_t len)
{
	const char *url = memmem(word, len, "://", 3);

	if (url) {
		const char *host = url + 3, *end = word + len;
		size_t n = 0;

		while (host + n < end && host[n] != '/' && host[n] != ':' && host[n] != '%')
			n++;
		if (is_host(host, n, 1))
			add_host(scan, host, n);
	} else if (scan->program && is_host(word, len, 2)) {
		if (!scan->bare_host[0])
			(void)snprintf(scan->bare_host, sizeof(scan->bare_host), "%.*s", (int)len, word);
		add_host(scan, word, len);
	}
}

static void take_word(struct scan *scan)
{
	const char *word = scan->token;
	size_t len = scan->token_len;

	scan->token_len = 0;
	if (len < 3 || len == SCAN_TOKEN_MAX)
		return;
	for (size_t i = 0; i < scan->kinds->sign_count; i++) {
		if (!scan->seen[i] && fits(&scan->kinds->signs[i], word, len))
			scan->seen[i] = 1;
	}
	look_for_host(scan, word, len);
}

void scan_begin_file(struct scan *scan, bool program)
{
	scan->token_len = 0;
	scan->program = program;
}

void scan_bytes(struct scan *scan, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_word_char((unsigned char)p[i]) || !p[i])
			take_word(scan);
		else if (scan->token_len < SCAN_TOKEN_MAX)
			scan->token[scan->token_len++] = p[i];
	}
}

void scan_end_file(struct scan *scan)
{
	take_word(scan);
}

void scan_path(struct scan *scan, const char *path)
{
	for (size_t i = 0; i < scan->kinds->sign_count; i++) {
		const struct sign *s = &scan->kinds->signs[i];

		if (s->how == SIGN_FILE && strstr(path, s->text))
			scan->seen[i] = 1;
	}
}
