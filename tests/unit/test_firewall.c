/* SPDX-License-Identifier: MIT */
#include "policy/firewall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define BIT(who) (1u << (who))

static void test_known_by_names(void **state)
{
	static const struct {
		const char *table, *chain;
		enum firewall want;
	} cases[] = {
		{ "filter", "FORWARD", FIREWALL_UNKNOWN },
		{ "filter", "DOCKER-USER", FIREWALL_DOCKER },
		{ "docker-bridges", "filter-FORWARD", FIREWALL_DOCKER },
		{ "filter", "ufw-reject-forward", FIREWALL_UFW },
		{ "filter", "ufw6-user-forward", FIREWALL_UFW },
		{ "firewalld", "filter_FWD_public", FIREWALL_FIREWALLD },
		{ "nm-shared-wlan0", "filter_forward", FIREWALL_NETWORKMANAGER },
		{ "filter", "sh-fw-wlan0", FIREWALL_NETWORKMANAGER },
		{ "filter", "LIBVIRT_FWX", FIREWALL_LIBVIRT },
		{ "libvirt_network", "forward", FIREWALL_LIBVIRT },
		{ "mangle", "tufw-x", FIREWALL_UNKNOWN },
		{ "", "", FIREWALL_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (firewall_of(cases[i].table, cases[i].chain) != cases[i].want)
			fail_msg("%s %s: %s", cases[i].table, cases[i].chain,
				 firewall_name(firewall_of(cases[i].table, cases[i].chain)));
	}
}

static void test_a_shared_chain_is_whose_word_comes_last(void **state)
{
	struct firewall_drop d = { .version = 4, .family = FIREWALL_IP, .by_policy = true, .table = "filter", .chain = "FORWARD" };

	(void)state;
	assert_int_equal(firewall_whose(&d, 0), FIREWALL_UNKNOWN);
	assert_int_equal(firewall_whose(&d, BIT(FIREWALL_DOCKER)), FIREWALL_DOCKER);
	assert_int_equal(firewall_whose(&d, BIT(FIREWALL_DOCKER) | BIT(FIREWALL_UFW)), FIREWALL_UFW);
	assert_int_equal(firewall_whose(&d, BIT(FIREWALL_NETWORKMANAGER)), FIREWALL_UNKNOWN);
	/* Not one of iptables': somebody's own. */
	d.family = FIREWALL_INET;
	assert_int_equal(firewall_whose(&d, BIT(FIREWALL_DOCKER)), FIREWALL_UNKNOWN);
	d = (struct firewall_drop){ .version = 4, .hidden = true };
	assert_int_equal(firewall_whose(&d, BIT(FIREWALL_UFW)), FIREWALL_UNKNOWN);
}

static void says(const struct firewall_drop *d, enum firewall who, const char *found, const char *cure)
{
	char text[600];

	firewall_found(d, who, text, sizeof(text));
	assert_string_equal(text, found);
	firewall_cure(d, who, text, sizeof(text));
	assert_string_equal(text, cure);
}

static void test_words(void **state)
{
	struct firewall_drop d = { .version = 6, .family = FIREWALL_IP6, .table = "filter", .chain = "FORWARD" };

	(void)state;
	says(&d, FIREWALL_UNKNOWN, "a firewall drops it (a rule of chain FORWARD, table ip6 filter)",
	     "ip6tables -I FORWARD -i cbl+ -j ACCEPT; ip6tables -I FORWARD -o cbl+ -m conntrack --ctstate "
	     "ESTABLISHED,RELATED -j ACCEPT (at each start)");
	d = (struct firewall_drop){ .version = 4, .family = FIREWALL_INET, .by_policy = true, .table = "mine", .chain = "f" };
	says(&d, FIREWALL_UNKNOWN, "a firewall drops it (policy of chain f, table inet mine)",
	     "nft insert rule inet mine f iifname 'cbl*' accept; nft insert rule inet mine f oifname 'cbl*' ct state "
	     "established,related accept (and where that table is written, e.g. /etc/nftables.conf)");
	d = (struct firewall_drop){ .version = 4, .hidden = true };
	says(&d, FIREWALL_UNKNOWN, "something that is no rule of nftables drops it",
	     "look at what filters forwarded packets beside nftables (tc filter show, bpftool net)");
	d.legacy = true;
	says(&d, FIREWALL_UNKNOWN, "the older iptables drops it (iptables-legacy -S FORWARD)",
	     "iptables-legacy -I FORWARD -i cbl+ -j ACCEPT; iptables-legacy -I FORWARD -o cbl+ -m conntrack --ctstate "
	     "ESTABLISHED,RELATED -j ACCEPT (at each start)");
	d = (struct firewall_drop){ .version = 4, .family = FIREWALL_INET, .table = "cowbell-0123", .chain = "input" };
	says(&d, FIREWALL_UNKNOWN, "something redirects it to this device itself, which apps never get",
	     "leave interfaces called cbl* out of what redirects (nft list ruleset)");
}

static void test_a_list(void **state)
{
	char text[100], cut[8];

	(void)state;
	firewall_list(0, text, sizeof(text));
	assert_string_equal(text, "");
	firewall_list(BIT(FIREWALL_DOCKER) | BIT(FIREWALL_NETWORKMANAGER) | BIT(FIREWALL_UNKNOWN) | 0xffff0000u, text, sizeof(text));
	assert_string_equal(text, "Docker, NetworkManager");
	firewall_list(~0u, cut, sizeof(cut));
	assert_string_equal(cut, "Docker,");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_by_names),
		cmocka_unit_test(test_a_shared_chain_is_whose_word_comes_last),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
