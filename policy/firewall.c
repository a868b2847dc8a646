/* SPDX-License-Identifier: MIT
 *
 * A verdict of "drop" in one table is final whatever other tables accept, so each cure
 * is a word to the program whose table it is: in its own language, where it has one.
 */
#include "policy/firewall.h"

#include <stdio.h>
#include <string.h>

#define LINKS_IPT FIREWALL_LINKS_IPT
#define LINKS_NFT FIREWALL_LINKS_NFT

static const char *const names[FIREWALL_COUNT] = {
	[FIREWALL_UNKNOWN] = "a firewall",   [FIREWALL_DOCKER] = "Docker",
	[FIREWALL_UFW] = "ufw",              [FIREWALL_FIREWALLD] = "firewalld",
	[FIREWALL_NETWORKMANAGER] = "NetworkManager", [FIREWALL_LIBVIRT] = "libvirt",
};

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

enum firewall firewall_of(const char *table, const char *chain)
{
	static const struct {
		const char *table, *chain; /* beginnings; NULL any */
		enum firewall who;
	} signs[] = {
		{ "firewalld", NULL, FIREWALL_FIREWALLD },
		{ "nm-shared-", NULL, FIREWALL_NETWORKMANAGER },
		{ "docker-bridges", NULL, FIREWALL_DOCKER },
		{ "libvirt_network", NULL, FIREWALL_LIBVIRT },
		{ NULL, "DOCKER", FIREWALL_DOCKER },
		{ NULL, "ufw-", FIREWALL_UFW },
		{ NULL, "ufw6-", FIREWALL_UFW },
		{ NULL, "FORWARD_direct", FIREWALL_FIREWALLD },
		{ NULL, "FWDI_", FIREWALL_FIREWALLD },
		{ NULL, "sh-fw-", FIREWALL_NETWORKMANAGER },
		{ NULL, "LIBVIRT_", FIREWALL_LIBVIRT },
	};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if ((!signs[i].table || begins(table, signs[i].table)) && (!signs[i].chain || begins(chain, signs[i].chain)))
			return signs[i].who;
	}
	return FIREWALL_UNKNOWN;
}

const char *firewall_name(enum firewall who)
{
	return names[who < FIREWALL_COUNT ? who : FIREWALL_UNKNOWN];
}

void firewall_list(uint32_t present, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned int i = 1; i < FIREWALL_COUNT && n < size; i++) {
		if (present >> i & 1)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "", names[i]);
	}
}

/* The chains that iptables itself has belong to all who use it. */
static bool is_shared(const struct firewall_drop *d)
{
	return (d->family == FIREWALL_IP || d->family == FIREWALL_IP6) && strcmp(d->chain, "FORWARD") == 0;
}

enum firewall firewall_whose(const struct firewall_drop *d, uint32_t present)
{
	/* Of several: the one that comes last in that chain, for its word is asked last. */
	static const enum firewall order[] = { FIREWALL_UFW, FIREWALL_FIREWALLD, FIREWALL_DOCKER };
	enum firewall who = d->hidden ? FIREWALL_UNKNOWN : firewall_of(d->table, d->chain);

	if (d->hidden || who != FIREWALL_UNKNOWN || !is_shared(d))
		return who;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (present >> order[i] & 1)
			return order[i];
	}
	return FIREWALL_UNKNOWN;
}

/* Our own table ends it only where it came in, not on its way through. */
static bool is_redirected(const struct firewall_drop *d)
{
	return begins(d->table, "cowbell-");
}

static const char *family_word(uint8_t family)
{
	return family == FIREWALL_IP ? "ip" : family == FIREWALL_IP6 ? "ip6" : "inet";
}

void firewall_found(const struct firewall_drop *d, enum firewall who, char *buf, size_t size)
{
	if (d->hidden)
		(void)snprintf(buf, size, "%s", d->legacy ? "the older iptables drops it (iptables-legacy -S FORWARD)"
						: "something that is no rule of nftables drops it");
	else if (is_redirected(d))
		(void)snprintf(buf, size, "something redirects it to this device itself, which apps never get");
	else
		(void)snprintf(buf, size, "%s drops it (%s chain %s, table %s %s)", firewall_name(who),
			       d->by_policy ? "policy of" : "a rule of", d->chain, family_word(d->family), d->table);
}

static void iptables(const char *command, const char *chain, const char *stays, char *buf, size_t size)
{
	(void)snprintf(buf, size,
		       "%s -I %s -i " LINKS_IPT " -j ACCEPT; %s -I %s -o " LINKS_IPT
		       " -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT (%s)",
		       command, chain, command, chain, stays);
}

void firewall_cure(const struct firewall_drop *d, enum firewall who, char *buf, size_t size)
{
	const char *command = d->version == 6 ? "ip6tables" : "iptables", *f = family_word(d->family);

	if (d->hidden && !d->legacy)
		(void)snprintf(buf, size, "look at what filters forwarded packets beside nftables (tc filter show, bpftool net)");
	else if (d->hidden)
		iptables(d->version == 6 ? "ip6tables-legacy" : "iptables-legacy", "FORWARD", "at each start", buf, size);
	else if (is_redirected(d))
		(void)snprintf(buf, size, "leave interfaces called " LINKS_NFT " out of what redirects (nft list ruleset)");
	else if (who == FIREWALL_DOCKER)
		iptables(command, "DOCKER-USER", "at each start, after Docker's", buf, size);
	else if (who == FIREWALL_UFW)
		(void)snprintf(buf, size, "ufw route allow in on " LINKS_IPT);
	else if (who == FIREWALL_FIREWALLD)
		(void)snprintf(buf, size, "firewall-cmd --permanent --zone=trusted --add-interface=" LINKS_IPT
					  " && firewall-cmd --reload");
	else if (is_shared(d))
		iptables(command, "FORWARD", "at each start", buf, size);
	else
		(void)snprintf(buf, size,
			       "nft insert rule %s %s %s iifname '" LINKS_NFT "' accept; nft insert rule %s %s %s oifname '" LINKS_NFT
			       "' ct state established,related accept (%s)",
			       f, d->table, d->chain, f, d->table, d->chain,
			       who == FIREWALL_NETWORKMANAGER ? "each time that NetworkManager begins to share"
							      : "and where that table is written, e.g. /etc/nftables.conf");
}
