/* SPDX-License-Identifier: MIT
 *
 * The folders of policy files: read at the start, and again whenever something
 * in them changes, for running apps too.
 */
#ifndef BROKER_POLICY_FILES_H
#define BROKER_POLICY_FILES_H

#include "broker/broker.h"

struct policy_files;

/* Reads both folders and watches them. A folder that cannot be read, or a bad
 * file, is logged and makes its set broken; it never fails. A folder that is not
 * there holds no rules and is read when it comes. */
void policy_files_start(struct broker *broker);
void policy_files_stop(struct broker *broker);

/* "/etc/cowbell/policy.d". */
const char *policy_files_folder(const struct broker *broker, bool vendor);

/* What is wrong, with file and line, and what is in force instead; "" for nothing. */
const char *policy_files_trouble(const struct broker *broker);

#endif
