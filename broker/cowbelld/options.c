/* SPDX-License-Identifier: MIT
 *
 * The command line of cowbelld.
 */
#include "cowbelld/daemon.h"

#include "platform/arm/seccomp.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help_text[] =
	"usage: cowbelld [--root DIR] [--user NAME|UID] [--home DIR] [--board NAME] [--ready-fd N]\n"
	"\n"
	"Runs in the foreground, as root, and guards the apps of one owner.\n"
	"\n"
	"  --root DIR       keep everything below DIR: DIR/state, DIR/run, DIR/etc\n"
	"                   (default: /var/lib/cowbell, /run/cowbell, /etc/cowbell;\n"
	"                   COWBELL_ROOT in the environment does the same)\n"
	"  --user NAME|UID  the device's owner (default: the board profile's, else the\n"
	"                   first account from uid 1000)\n"
	"  --home DIR       the owner's home (default: of the account)\n"
	"  --board NAME     the board's profile (default: the one that the device tree\n"
	"                   names, else generic)\n"
	"  --ready-fd N     write a line to descriptor N once apps can run\n"
	"  --seccomp-allow io_uring\n"
	"                   let apps use io_uring; for tests of the gates only\n"
	"  --device-tree DIR\n"
	"                   read the board's name there; for tests (default: /proc/device-tree)\n"
	"  --help, --version\n";

enum { OPT_ROOT = 256, OPT_USER, OPT_HOME, OPT_BOARD, OPT_READY, OPT_SECCOMP, OPT_DEVICE_TREE, OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
	{ "root", required_argument, NULL, OPT_ROOT },       { "user", required_argument, NULL, OPT_USER },
	{ "home", required_argument, NULL, OPT_HOME },       { "board", required_argument, NULL, OPT_BOARD },
	{ "ready-fd", required_argument, NULL, OPT_READY },  { "seccomp-allow", required_argument, NULL, OPT_SECCOMP },
	{ "device-tree", required_argument, NULL, OPT_DEVICE_TREE },
	{ "help", no_argument, NULL, OPT_HELP },             { "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static bool usage_error(int *ret_status, const char *what, const char *value, const char *hint)
{
	(void)fprintf(stderr, "cowbelld: %s '%s' (%s)\n", what, value, hint);
	*ret_status = 2;
	return false;
}

static bool parse_fd(const char *text, int *ret)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < 0 || n > 65535)
		return false;
	*ret = (int)n;
	return true;
}

bool options_parse(int argc, char **argv, struct options *ret, int *ret_status)
{
	int opt;

	memset(ret, 0, sizeof(*ret));
	ret->ready_fd = -1;
	ret->device_tree = "/proc/device-tree";
	ret->root = getenv("COWBELL_ROOT");
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (opt == OPT_ROOT)
			ret->root = optarg;
		else if (opt == OPT_USER)
			ret->user = optarg;
		else if (opt == OPT_HOME)
			ret->home = optarg;
		else if (opt == OPT_BOARD)
			ret->board = optarg;
		else if (opt == OPT_DEVICE_TREE)
			ret->device_tree = optarg;
		else if (opt == OPT_READY && !parse_fd(optarg, &ret->ready_fd))
			return usage_error(ret_status, "not a descriptor's number:", optarg, "--ready-fd 3");
		else if (opt == OPT_SECCOMP && strcmp(optarg, "io_uring") != 0)
			return usage_error(ret_status, "cannot be allowed:", optarg, "io_uring");
		else if (opt == OPT_SECCOMP)
			ret->seccomp_flags |= SECCOMP_ALLOW_IO_URING;
		else if (opt == OPT_HELP || opt == OPT_VERSION) {
			(void)fputs(opt == OPT_HELP ? help_text : "cowbelld 0.1\n", stdout);
			*ret_status = 0;
			return false;
		} else if (opt == '?') {
			*ret_status = 2;
			return false;
		}
	}
	if (optind < argc)
		return usage_error(ret_status, "unknown word", argv[optind], "cowbelld --help");
	if (ret->root && !*ret->root)
		ret->root = NULL;
	return true;
}
