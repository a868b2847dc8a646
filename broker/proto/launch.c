/* SPDX-License-Identifier: MIT
 *
 * Decoders fill structs only with values inside their bounds, so that nobody
 * behind them has to check a count again.
 */
#include "proto/launch.h"

#include <string.h>

static bool is_absolute(const char *path)
{
	return path[0] == '/';
}

void launch_encode(struct wr *w, const struct launch *l)
{
	wr_str(w, l->app);
	wr_u32(w, l->base);
	wr_u8(w, (uint8_t)l->kind);
	wr_u64(w, l->upper);
	wr_u16(w, l->layer_count);
	for (uint16_t i = 0; i < l->layer_count; i++)
		wr_u64(w, l->layers[i]);
	wr_u64(w, l->memory_max);
	wr_u32(w, l->pids_max);
}

bool launch_decode(struct rd *r, struct launch *ret)
{
	uint8_t kind;

	memset(ret, 0, sizeof(*ret));
	rd_str(r, ret->app, sizeof(ret->app));
	ret->base = rd_u32(r);
	kind = rd_u8(r);
	ret->kind = kind < SESSION_KIND_COUNT ? (enum session_kind)kind : SESSION_RUN;
	ret->upper = rd_u64(r);
	ret->layer_count = rd_u16(r);
	if (ret->layer_count > LAYERS_MAX)
		return false;
	for (uint16_t i = 0; i < ret->layer_count; i++)
		ret->layers[i] = rd_u64(r);
	ret->memory_max = rd_u64(r);
	ret->pids_max = rd_u32(r);
	return rd_end(r) && kind < SESSION_KIND_COUNT && ret->app[0] && ret->base >= ID_RANGE &&
	       ret->base % ID_RANGE == 0 && ret->upper != 0;
}

void prepare_encode(struct wr *w, const struct prepare *p)
{
	wr_str(w, p->store);
	wr_str(w, p->home);
	wr_str(w, p->user);
	wr_u32(w, p->uid);
	wr_u32(w, p->gid);
	wr_u16(w, p->gate_count);
	for (uint16_t i = 0; i < p->gate_count; i++) {
		wr_u16(w, p->gates[i].gate);
		wr_u8(w, p->gates[i].kind);
		wr_str(w, p->gates[i].path);
	}
	wr_u16(w, p->link_count);
	for (uint16_t i = 0; i < p->link_count; i++) {
		wr_str(w, p->links[i].path);
		wr_str(w, p->links[i].target);
	}
	wr_u32(w, p->device_gid);
	wr_u32(w, p->counted_uid);
	wr_u16(w, p->volumes_count);
	for (uint16_t i = 0; i < p->volumes_count; i++)
		wr_str(w, p->volumes[i]);
	wr_u16(w, p->hidden_count);
	for (uint16_t i = 0; i < p->hidden_count; i++)
		wr_str(w, p->hidden[i]);
	wr_u8(w, p->hold);
	wr_u8(w, p->has6);
	wr_u64(w, p->instance);
	wr_u32(w, p->pool);
	wr_u32(w, p->slot);
}

static bool decode_links(struct rd *r, struct prepare *ret)
{
	ret->link_count = rd_u16(r);
	if (ret->link_count > LINKS_MAX)
		return false;
	for (uint16_t i = 0; i < ret->link_count; i++) {
		rd_str(r, ret->links[i].path, sizeof(ret->links[i].path));
		rd_str(r, ret->links[i].target, sizeof(ret->links[i].target));
		if (!is_absolute(ret->links[i].path) || !ret->links[i].target[0])
			return false;
	}
	ret->device_gid = rd_u32(r);
	ret->counted_uid = rd_u32(r);
	return true;
}

bool prepare_decode(struct rd *r, struct prepare *ret)
{
	memset(ret, 0, sizeof(*ret));
	rd_str(r, ret->store, sizeof(ret->store));
	rd_str(r, ret->home, sizeof(ret->home));
	rd_str(r, ret->user, sizeof(ret->user));
	ret->uid = rd_u32(r);
	ret->gid = rd_u32(r);
	ret->gate_count = rd_u16(r);
	if (ret->gate_count > GATES_MAX)
		return false;
	for (uint16_t i = 0; i < ret->gate_count; i++) {
		ret->gates[i].gate = rd_u16(r);
		ret->gates[i].kind = rd_u8(r);
		rd_str(r, ret->gates[i].path, sizeof(ret->gates[i].path));
		if (!is_absolute(ret->gates[i].path))
			return false;
	}
	if (!decode_links(r, ret))
		return false;
	ret->volumes_count = rd_u16(r);
	if (ret->volumes_count > ARRAY_LEN(ret->volumes))
		return false;
	for (uint16_t i = 0; i < ret->volumes_count; i++) {
		rd_str(r, ret->volumes[i], sizeof(ret->volumes[i]));
		if (!is_absolute(ret->volumes[i]))
			return false;
	}
	ret->hidden_count = rd_u16(r);
	if (ret->hidden_count > ARRAY_LEN(ret->hidden))
		return false;
	for (uint16_t i = 0; i < ret->hidden_count; i++)
		rd_str(r, ret->hidden[i], sizeof(ret->hidden[i]));
	ret->hold = rd_u8(r);
	ret->has6 = rd_u8(r);
	ret->instance = rd_u64(r);
	ret->pool = rd_u32(r);
	ret->slot = rd_u32(r);
	return rd_end(r) && is_absolute(ret->store) && is_absolute(ret->home) && ret->user[0] &&
	       ret->uid < ID_RANGE && ret->gid < ID_RANGE;
}

void session_hello_encode(struct wr *w, const struct session_hello *h)
{
	wr_str(w, h->app);
	wr_u8(w, (uint8_t)h->kind);
	wr_u16(w, h->command_count);
	for (uint16_t i = 0; i < h->command_count; i++)
		wr_u32(w, h->commands[i]);
	wr_u8(w, h->left);
	wr_u16(w, h->given_count);
	for (uint16_t i = 0; i < h->given_count; i++) {
		wr_u16(w, h->given[i].gate);
		wr_u8(w, h->given[i].give);
	}
}

bool session_hello_decode(struct rd *r, struct session_hello *ret)
{
	uint8_t kind;

	memset(ret, 0, sizeof(*ret));
	rd_str(r, ret->app, sizeof(ret->app));
	kind = rd_u8(r);
	ret->kind = kind < SESSION_KIND_COUNT ? (enum session_kind)kind : SESSION_RUN;
	ret->command_count = rd_u16(r);
	if (ret->command_count > ARRAY_LEN(ret->commands))
		return false;
	for (uint16_t i = 0; i < ret->command_count; i++)
		ret->commands[i] = rd_u32(r);
	ret->left = rd_u8(r) != 0;
	ret->given_count = rd_u16(r);
	if (ret->given_count > GATES_MAX)
		return false;
	for (uint16_t i = 0; i < ret->given_count; i++) {
		ret->given[i].gate = rd_u16(r);
		ret->given[i].give = rd_u8(r);
	}
	return rd_end(r) && kind < SESSION_KIND_COUNT;
}

void strv_encode(struct wr *w, char *const *v)
{
	uint16_t n = 0;

	while (v && v[n] && n < UINT16_MAX)
		n++;
	wr_u16(w, n);
	for (uint16_t i = 0; i < n; i++)
		wr_str(w, v[i]);
}

bool strv_decode(struct rd *r, char ***ret)
{
	uint16_t n = rd_u16(r);
	char **v;

	if (n > ARGS_MAX) {
		r->bad = true;
		n = 0;
	}
	v = xcalloc((size_t)n + 1, sizeof(*v));
	for (uint16_t i = 0; i < n; i++)
		v[i] = rd_dup(r, WIRE_MAX);
	*ret = v;
	return !r->bad;
}

void strv_free(char **v)
{
	for (char **p = v; p && *p; p++)
		free(*p);
	free(v);
}

void run_encode(struct wr *w, const struct run *run)
{
	wr_u32(w, run->command);
	wr_u8(w, run->flags);
	wr_u16(w, run->rows);
	wr_u16(w, run->columns);
	wr_str(w, run->user);
	wr_str(w, run->cwd);
	strv_encode(w, run->argv);
	strv_encode(w, run->env);
	strv_encode(w, run->before);
}

bool run_decode(struct rd *r, struct run *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->command = rd_u32(r);
	ret->flags = rd_u8(r);
	ret->rows = rd_u16(r);
	ret->columns = rd_u16(r);
	rd_str(r, ret->user, sizeof(ret->user));
	rd_str(r, ret->cwd, sizeof(ret->cwd));
	return strv_decode(r, &ret->argv) && strv_decode(r, &ret->env) && strv_decode(r, &ret->before) && rd_end(r) &&
	       ret->argv[0];
}

void run_finish(struct run *run)
{
	strv_free(run->argv);
	strv_free(run->env);
	strv_free(run->before);
	run->argv = run->env = run->before = NULL;
}
