/* SPDX-License-Identifier: MIT
 *
 * What is called: the interface is the file that is served, and what does not fit
 * it reaches no method.
 */
#include "varlink/check.h"
#include "varlink/server_impl.h"

#include <string.h>

#define DEPTH_MAX 32

static void invalid_parameter(struct varlink_call *call, const char *name)
{
	varlink_error(call, "org.varlink.service.InvalidParameter", json_pack("{s:s}", "parameter", name));
}

static json_t *service_info(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "Cowbell", "product", "Cowbell", "version", "0.1",
			 "url", "https://cowbell.invalid", "interfaces", "org.varlink.service", OWN_INTERFACE);
}

static void handle_service(struct varlink_call *call, const char *method, json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "interface"));

	if (strcmp(method, "org.varlink.service.GetInfo") == 0)
		varlink_reply(call, service_info());
	else if (strcmp(method, "org.varlink.service.GetInterfaceDescription") != 0)
		varlink_error(call, "org.varlink.service.MethodNotFound", json_pack("{s:s}", "method", method));
	else if (!name)
		invalid_parameter(call, "interface");
	else if (strcmp(name, OWN_INTERFACE) != 0)
		varlink_error(call, "org.varlink.service.InterfaceNotFound", json_pack("{s:s}", "interface", name));
	else
		varlink_reply(call, json_pack("{s:s}", "description", varlink_interface_text));
}

static void dispatch_method(struct connection *c, struct varlink_call *call, const char *name, json_t *params)
{
	const struct varlink_method *m;
	const char *bad;
	char buf[64];
	bool known;

	if (strncmp(name, "org.varlink.service.", 20) == 0) {
		handle_service(call, name, params);
		return;
	}
	if (strncmp(name, OWN_INTERFACE ".", sizeof(OWN_INTERFACE)) != 0) {
		varlink_error(call, "org.varlink.service.InterfaceNotFound", json_pack("{s:s}", "interface", name));
		return;
	}
	for (m = c->server->config.methods; m->name && strcmp(m->name, name) != 0; m++)
		continue;
	if (!m->name) {
		varlink_error(call, "org.varlink.service.MethodNotFound", json_pack("{s:s}", "method", name));
		return;
	}
	call->method = m;
	bad = check_params(varlink_interface_text, name + sizeof(OWN_INTERFACE), params, buf, sizeof(buf), &known);
	if (bad || !known)
		invalid_parameter(call, bad ? bad : "method");
	else if (call->more && !(m->flags & METHOD_MORE))
		invalid_parameter(call, "more");
	else if (call->upgrade != !!(m->flags & METHOD_UPGRADE))
		invalid_parameter(call, "upgrade");
	else
		m->fn(c->server->config.data, call, params);
}

static bool too_deep(const json_t *v, int depth)
{
	const char *key;
	json_t *item;
	size_t i;

	if (depth > DEPTH_MAX)
		return true;
	if (json_is_array(v)) {
		json_array_foreach(v, i, item)
		{
			if (too_deep(item, depth + 1))
				return true;
		}
	} else if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, key, item)
		{
			if (too_deep(item, depth + 1))
				return true;
		}
	}
	return false;
}

bool call_take(struct connection *c, const char *text, size_t n)
{
	json_error_t error;
	json_t *object = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	json_t *params, *own = NULL;
	struct varlink_call *call;
	const char *method;

	params = json_object_get(object, "parameters");
	method = json_string_value(json_object_get(object, "method"));
	if (!json_is_object(object) || !method || (params && !json_is_object(params) && !json_is_null(params)) ||
	    too_deep(object, 0)) {
		json_decref(object);
		return false;
	}
	if (!json_is_object(params))
		params = own = json_object();
	call = xcalloc(1, sizeof(*call));
	call->connection = c;
	call->more = json_is_true(json_object_get(object, "more"));
	call->oneway = json_is_true(json_object_get(object, "oneway"));
	call->upgrade = json_is_true(json_object_get(object, "upgrade"));
	c->call = call;
	connection_set_interest(c);
	dispatch_method(c, call, method, params);
	json_decref(own);
	json_decref(object);
	return true;
}
