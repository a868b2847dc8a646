/* SPDX-License-Identifier: MIT
 *
 * What the verbs of the command line share.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "base/err.h"
#include "ui-tty/show.h"

#include <jansson.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct ctl {
	const char *root; /* NULL: the system's own */
	bool json, quiet, yes;
};

struct verb {
	const char *name;
	const char *usage; /* the words after the verb */
	const char *help;  /* one line */
	int (*fn)(struct ctl *ctl, int argc, char **argv); /* argv[0] is the verb; returns the exit status */
};

extern const struct verb verbs[]; /* ended by a NULL name */

/* --- options --- */

/* Takes options out of argv, which keeps the other words in order; "--" ends
 * them and stays. */
struct option_spec {
	const char *name; /* "--for" */
	bool has_value;
	const char **value; /* has_value: set to the value; may come once */
	bool *flag;         /* else set to true */
	const char **values; /* has_value, several: up to 32, NULL-ended; instead of value */
};
/* 0, or EXIT_USAGE after saying what is wrong. *argc is updated. */
int options_take(const char *verb, const struct option_spec *specs, int *argc, char **argv);

/* EXIT_USAGE after printing how the verb is used. */
int usage(const char *verb);

/* --- talking --- */

/* Calls and returns the reply, or NULL after printing "cowbell: what: why". */
json_t *ctl_call(struct ctl *ctl, const char *what, const char *method, json_t *params);

/* "cowbell: what: why (hint)" on standard error; returns EXIT_FAILED. */
int ctl_fail(const char *what, const struct err *err);

/* Prints object as one line of JSON; takes it. Returns EXIT_DONE. */
int ctl_print_json(json_t *object);

/* Asks on the terminal; --yes answers. False: no, or nobody to ask (then the
 * reason was printed). */
bool ctl_confirm(struct ctl *ctl, const char *what, const char *question);

/* --- showing --- */

/* "90m" or "7d" ago, or a date, as wall milliseconds; -1: neither. */
long long ctl_since(const char *text);

/* Prints text with everything a terminal could obey made visible. */
void show_text(const char *text);

/* install.c: the words of Install. run.c: the words of Run, taking argv; and those
 * behind "--", NULL after saying that one is no text. */
json_t *install_params(const char *kind, const char *name, const char *source, char **argv, size_t files);
json_t *run_params(const char *app, json_t *argv);
json_t *run_words(const char *verb, char **argv);
/* inspect.c: 0 or more a descriptor of the file, -1 the word is a package's name, -2
 * after saying why neither. kind: "deb", "program", "name". */
/* One line of JSON about a file, the caller's; NULL after saying why not. */
char *inspect_file(struct ctl *ctl, const char *kind, const char *name, int fd);
int open_thing(const char *word, const char **ret_kind);
bool has_suffix(const char *text, const char *suffix);
int open_failed(const char *path); /* says why, by errno; EXIT_FAILED */

/* --- verbs by file --- */
int cmd_search(struct ctl *ctl, int argc, char **argv);
int cmd_inspect(struct ctl *ctl, int argc, char **argv);
int cmd_try(struct ctl *ctl, int argc, char **argv);
int cmd_update(struct ctl *ctl, int argc, char **argv);
int cmd_rebuild(struct ctl *ctl, int argc, char **argv);
int cmd_bundle(struct ctl *ctl, int argc, char **argv);
int cmd_list(struct ctl *ctl, int argc, char **argv);
int cmd_info(struct ctl *ctl, int argc, char **argv);
int cmd_ps(struct ctl *ctl, int argc, char **argv);
int cmd_stop(struct ctl *ctl, int argc, char **argv);
int cmd_uninstall(struct ctl *ctl, int argc, char **argv);
int cmd_plan(struct ctl *ctl, int argc, char **argv);
int cmd_doctor(struct ctl *ctl, int argc, char **argv);
int cmd_mark(struct ctl *ctl, int argc, char **argv);
int cmd_permissions(struct ctl *ctl, int argc, char **argv);
int cmd_grant(struct ctl *ctl, int argc, char **argv);
int cmd_revoke(struct ctl *ctl, int argc, char **argv);
int cmd_lock(struct ctl *ctl, int argc, char **argv);
int cmd_cap(struct ctl *ctl, int argc, char **argv);
/* cmd_traffic.c: one line about a Traffic, if there is anything to tell. */
void show_traffic(json_t *t, const char *indent);
int cmd_lapse(struct ctl *ctl, int argc, char **argv);
int cmd_explain(struct ctl *ctl, int argc, char **argv);
int cmd_history(struct ctl *ctl, int argc, char **argv);
int cmd_prompts(struct ctl *ctl, int argc, char **argv);
int cmd_answer(struct ctl *ctl, int argc, char **argv);
int cmd_agent(struct ctl *ctl, int argc, char **argv);
int cmd_generations(struct ctl *ctl, int argc, char **argv);
int cmd_versions(struct ctl *ctl, int argc, char **argv);
int cmd_cat(struct ctl *ctl, int argc, char **argv);
int cmd_diff(struct ctl *ctl, int argc, char **argv);
int cmd_rollback(struct ctl *ctl, int argc, char **argv);
int cmd_reset(struct ctl *ctl, int argc, char **argv);
int cmd_pin(struct ctl *ctl, int argc, char **argv);
int cmd_run(struct ctl *ctl, int argc, char **argv);
int cmd_exec(struct ctl *ctl, int argc, char **argv);
int cmd_shell(struct ctl *ctl, int argc, char **argv);
int cmd_autostart(struct ctl *ctl, int argc, char **argv);
int cmd_logs(struct ctl *ctl, int argc, char **argv);
int cmd_policy(struct ctl *ctl, int argc, char **argv);
int cmd_ui(struct ctl *ctl, int argc, char **argv);
int cmd_install(struct ctl *ctl, int argc, char **argv);

#endif
