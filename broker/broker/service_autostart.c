/* SPDX-License-Identifier: MIT
 *
 * Apps that run by themselves, on the public socket.
 */
#include "broker/app_log.h"
#include "broker/autostart.h"
#include "broker/service.h"
#include "varlink/server.h"

SERVICE_METHOD(service_autostart)
{
	struct broker *broker = data;
	const char *app = service_str(params, "app");
	struct err err = { 0 };
	char by[64];

	if (service_get_app(broker, call, app, NULL) != 1)
		return;
	service_caller(call, by, sizeof(by));
	if (autostart_set(broker, app, service_bool(params, "on"), by, &err) < 0)
		service_fail(call, &err);
	else
		varlink_reply(call, NULL);
}

SERVICE_METHOD(service_logs)
{
	struct broker *broker = data;
	const char *app = service_str(params, "app");
	uint64_t lost;
	json_t *lines;

	if (service_get_app(broker, call, app, NULL) != 1)
		return;
	lines = app_log_lines(broker, app, &lost);
	varlink_reply(call, json_pack("{s:o, s:I}", "lines", lines, "lost", (json_int_t)lost));
}
