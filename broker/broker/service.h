/* SPDX-License-Identifier: MIT
 *
 * The public socket: io.cowbell's methods, one family a file. The server has
 * checked every parameter's type and range against the interface; what a value
 * means is checked here.
 */
#ifndef BROKER_SERVICE_H
#define BROKER_SERVICE_H

#include "broker/broker.h"
#include "broker/prompt.h"

#include <jansson.h>

struct varlink_call;
struct session;

int service_start(struct broker *broker, struct err *err);
void service_stop(struct broker *broker);

/* Parameters: NULL, 0, false when absent. Strings are borrowed from params. */
const char *service_str(json_t *params, const char *key);
uint64_t service_int(json_t *params, const char *key);
/* A number of 32 bits; one that is none is the largest, which nothing has: cut short it
 * would name something else. */
uint32_t service_number(json_t *params, const char *key);
bool service_bool(json_t *params, const char *key);

/* A NULL-ended vector of an array of strings; the words are borrowed, the
 * vector is freed by the caller. Never NULL. */
char **service_words(json_t *params, const char *key);

/* Ends the call with io.cowbell's error that fits err->code (ENOENT on an app:
 * NoSuchApp is the caller's), splitting "text (hint)". */
void service_fail(struct varlink_call *call, const struct err *err);
void service_no_app(struct varlink_call *call, const char *app);
void service_running(struct varlink_call *call, const struct session *session);
void service_bad_input(struct varlink_call *call, const char *reason, const char *hint);

/* "uid 1000" for records. */
void service_caller(struct varlink_call *call, char *buf, size_t size);

/* The destinations in params, in their one spelling (policy/reach.h). */
int service_items(json_t *params, char ret[PROMPT_ITEMS_MAX][REACH_ITEM_SIZE], size_t *ret_count, struct err *err);

/* 1: ready; else the call was answered. ret may be NULL. */
int service_get_app(struct broker *broker, struct varlink_call *call, const char *app, struct app_record *ret);

/* True when the call has to wait until what app's ended session changed is
 * settled; method is then called again with the same words. A person who ran
 * something sees its generation right afterwards. */
bool service_wait_settled(struct broker *broker, struct varlink_call *call, json_t *params,
			  void (*method)(void *data, struct varlink_call *call, json_t *params));

#define SERVICE_METHOD(name) void name(void *data, struct varlink_call *call, json_t *params)

/* service_apps.c */
SERVICE_METHOD(service_list);
SERVICE_METHOD(service_run);
SERVICE_METHOD(service_install);
SERVICE_METHOD(service_update);
SERVICE_METHOD(service_uninstall);
SERVICE_METHOD(service_stop_app);
/* service_packages.c */
SERVICE_METHOD(service_resolve);
SERVICE_METHOD(service_search);
SERVICE_METHOD(service_inspect);
/* service_base.c */
SERVICE_METHOD(service_base_changes);
SERVICE_METHOD(service_rebuild);
/* service_autostart.c */
SERVICE_METHOD(service_autostart);
SERVICE_METHOD(service_logs);
/* service_access.c */
SERVICE_METHOD(service_permissions);
SERVICE_METHOD(service_grant);
SERVICE_METHOD(service_revoke);
SERVICE_METHOD(service_lock);
SERVICE_METHOD(service_explain);
SERVICE_METHOD(service_lapse);
/* service_traffic.c */
SERVICE_METHOD(service_info);
SERVICE_METHOD(service_ps);
SERVICE_METHOD(service_cap);
/* service_prompts.c */
SERVICE_METHOD(service_prompts);
SERVICE_METHOD(service_agent);
SERVICE_METHOD(service_agent_locked);
SERVICE_METHOD(service_answer);
SERVICE_METHOD(service_later);
SERVICE_METHOD(service_mark);
/* service_generations.c */
SERVICE_METHOD(service_generations);
SERVICE_METHOD(service_versions);
SERVICE_METHOD(service_cat);
SERVICE_METHOD(service_diff); /* service_diff.c */
SERVICE_METHOD(service_rollback);
SERVICE_METHOD(service_rollback_plan);
SERVICE_METHOD(service_reset);
SERVICE_METHOD(service_pin);
/* service_system.c */
SERVICE_METHOD(service_history);
SERVICE_METHOD(service_plan);
SERVICE_METHOD(service_doctor);

/* Adds a probe for each thing that the board's profile names; service_board.c */
void service_board_probes(struct broker *broker, json_t *probes);

/* Records as the interface's types; service_json.c */
json_t *service_json_app(struct broker *broker, struct store_txn *txn, const struct app_record *app);
struct usage;
json_t *service_json_permissions(struct broker *broker, const char *app, const struct usage *usage);
json_t *service_json_permission(struct broker *broker, const char *app, const struct permission_ref *ref,
				const struct usage *usage);
json_t *service_json_history(const struct history_record *entry);
/* More versions or changes than these are cut, and the reply says so. */
#define SERVICE_VERSIONS_MAX 20000u
const char *service_entry_name(enum entry_kind kind);
json_t *service_json_path(const char *path); /* escaped: it is the app's word */
json_t *service_json_generation(const struct generation_record *g, const struct app_record *app);

#endif
