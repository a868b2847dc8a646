/* SPDX-License-Identifier: MIT
 *
 * One spelling for each destination, so that what was answered is found again.
 */
#include "policy/reach.h"

#include "policy/permission.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 112u

struct item {
	bool wildcard;
	uint8_t version;
	uint8_t to[16];
	uint16_t port;
	char name[REACH_ITEM_SIZE];
};

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool reach_name_normal(const char *name, char ret[REACH_ITEM_SIZE])
{
	size_t n = strlen(name), label = 0;
	bool letter = false;

	if (n && name[n - 1] == '.')
		n--;
	if (n == 0 || n > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];

		if (c == '.' ? label == 0 : !name_char(c))
			return false;
		label = c == '.' ? 0 : label + 1;
		letter |= c >= 'a' && c <= 'z';
		ret[i] = c;
	}
	ret[n] = '\0';
	return label > 0 && letter && strcmp(ret, REACH_LOCAL) != 0;
}

static bool parse_port(const char *text, uint16_t *ret)
{
	unsigned long v = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || p - text > 4)
			return false;
		v = v * 10 + (unsigned long)(*p - '0');
	}
	if (v == 0 || v > 65535)
		return false;
	*ret = (uint16_t)v;
	return true;
}

static bool parse_address(const char *text, struct item *ret)
{
	if (inet_pton(AF_INET, text, ret->to) == 1)
		ret->version = 4;
	else if (inet_pton(AF_INET6, text, ret->to) == 1)
		ret->version = 6;
	return ret->version != 0;
}

static bool parse_host(const char *text, struct item *ret)
{
	if (parse_address(text, ret))
		return true;
	if (strncmp(text, "*.", 2) == 0) {
		ret->wildcard = true;
		text += 2;
	}
	return reach_name_normal(text, ret->name);
}

static bool parse(const char *text, struct item *ret)
{
	char host[REACH_ITEM_SIZE];
	const char *close, *colon = strrchr(text, ':');
	size_t n = strlen(text);

	memset(ret, 0, sizeof(*ret));
	if (n == 0 || n >= sizeof(host))
		return false;
	memcpy(host, text, n + 1);
	if (text[0] == '[') {
		close = strchr(text, ']');
		if (!close || close[1] != ':' || !parse_port(close + 2, &ret->port))
			return false;
		host[close - text] = '\0';
		return parse_address(host + 1, ret) && ret->version == 6;
	}
	if (colon && strchr(text, ':') == colon) { /* one colon: a port follows */
		host[colon - text] = '\0';
		if (!parse_port(colon + 1, &ret->port))
			return false;
	}
	return parse_host(host, ret);
}

static void format(const struct item *item, char ret[REACH_ITEM_SIZE])
{
	char address[INET6_ADDRSTRLEN], port[8] = "";
	bool brackets = item->version == 6 && item->port;

	if (item->port)
		(void)snprintf(port, sizeof(port), ":%u", item->port);
	if (item->version) {
		(void)inet_ntop(item->version == 4 ? AF_INET : AF_INET6, item->to, address, sizeof(address));
		(void)snprintf(ret, REACH_ITEM_SIZE, "%s%s%s%s", brackets ? "[" : "", address, brackets ? "]" : "", port);
	} else {
		(void)snprintf(ret, REACH_ITEM_SIZE, "%s%.112s%s", item->wildcard ? "*." : "", item->name, port);
	}
}

int reach_item_parse(const char *text, char ret[REACH_ITEM_SIZE], struct err *err)
{
	struct item item;
	char shown[200];

	if (strcmp(text, REACH_LOCAL) == 0) {
		(void)snprintf(ret, REACH_ITEM_SIZE, "%s", REACH_LOCAL);
		return 0;
	}
	if (parse(text, &item)) {
		format(&item, ret);
		return 0;
	}
	text_escape(text, strlen(text), shown, sizeof(shown));
	err_set(err, EINVAL, "'%s' names no destination", shown);
	return err_hint(err, "local, example.com, *.example.com, 203.0.113.10, 203.0.113.10:443, [2001:db8::1]:443");
}

static bool ends_below(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	return n > d + 1 && name[n - d - 1] == '.' && strcmp(name + n - d, domain) == 0;
}

/* Names that the internet's resolvers do not know (RFC 6762, 8375, and what home
 * routers make up). */
bool reach_name_is_local(const char *name)
{
	static const char *const domains[] = { "local", "lan", "home", "internal", "home.arpa" };

	if (name[0] && !strchr(name, '.'))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
		if (ends_below(name, domains[i]))
			return true;
	}
	return false;
}

/* A name of the internet that leads to a device at home, or the other way round:
 * whoever answers for the name must not choose what is reached by it. */
static bool name_counts(const struct reach *to)
{
	return to->name[0] && (!to->version || to->local == reach_name_is_local(to->name));
}

unsigned int reach_covers(const char *text, const struct reach *to)
{
	struct item item;
	unsigned int rank;

	if (text[0] == '\0')
		return to->local ? 0 : 1;
	if (strcmp(text, REACH_LOCAL) == 0)
		return to->local ? 1 : 0;
	if (!parse(text, &item))
		return 0;
	if (item.version)
		rank = item.version == to->version && memcmp(item.to, to->to, item.version == 4 ? 4 : 16) == 0 ? 3 : 0;
	else if (!name_counts(to))
		rank = 0;
	else if (item.wildcard)
		rank = ends_below(to->name, item.name) ? 2 : 0;
	else
		rank = strcmp(item.name, to->name) == 0 ? 3 : 0;
	/* A look-up knows no port: what holds for one of them lets the name be found. */
	if (!rank || (item.port && to->version && item.port != to->port))
		return 0;
	return rank * 2 + (item.port ? 1 : 0);
}

void reach_item_of(const struct reach *to, char ret[REACH_ITEM_SIZE])
{
	bool named = name_counts(to);
	struct item item = { .version = named ? 0 : to->version, .port = named ? 0 : to->port };

	memcpy(item.to, to->to, sizeof(item.to));
	if (named)
		(void)snprintf(item.name, sizeof(item.name), "%.112s", to->name);
	if (!named && !to->version)
		(void)snprintf(ret, REACH_ITEM_SIZE, "%s", to->local ? REACH_LOCAL : "");
	else
		format(&item, ret);
}

/* Resolvers that are known to answer over TLS or HTTPS: a program that talks to
 * them looks names up where nobody here sees them. */
static bool is_resolver(const struct reach *to)
{
	static const char *const known[] = {
		"1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "149.112.112.112", "208.67.222.222", "208.67.220.220",
		"94.140.14.14", "2606:4700:4700::1111", "2606:4700:4700::1001", "2001:4860:4860::8888",
		"2001:4860:4860::8844", "2620:fe::fe", "2620:fe::9",
	};
	static const char *const names[] = {
		"dns.google", "cloudflare-dns.com", "one.one.one.one", "dns.quad9.net", "doh.opendns.com", "dns.adguard.com",
		"mozilla.cloudflare-dns.com", "chrome.cloudflare-dns.com", "dns.nextdns.io", "doh.cleanbrowsing.org",
	};
	char text[INET6_ADDRSTRLEN] = "";

	if (to->port == 853)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(to->name, names[i]) == 0)
			return true;
	}
	if (to->version)
		(void)inet_ntop(to->version == 4 ? AF_INET : AF_INET6, to->to, text, sizeof(text));
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(text, known[i]) == 0)
			return true;
	}
	return false;
}

void reach_about(const struct reach *to, char *buf, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "", port[24] = "";
	const char *resolver = is_resolver(to) ? ", a resolver of its own: you will not see what it looks up" : "";

	if (to->version)
		(void)inet_ntop(to->version == 4 ? AF_INET : AF_INET6, to->to, address, sizeof(address));
	if (to->port)
		(void)snprintf(port, sizeof(port), " (port %u)", to->port);
	if (to->local)
		(void)snprintf(buf, size, "to reach devices on your own network: %s%s", to->name[0] ? to->name : address,
			       port);
	else if (to->name[0])
		(void)snprintf(buf, size, "to reach %s%s%s", to->name, port, resolver);
	else
		(void)snprintf(buf, size, "to reach an address without a name, %s%s%s", address, port, resolver);
}
