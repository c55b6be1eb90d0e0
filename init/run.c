/* SPDX-License-Identifier: Apache-2.0 */
#include "init/run.h"

#include <stdlib.h>
#include <string.h>

#include "init/logs.h"
#include "init/shell.h"
#include "init/vault.h"

static struct {
	struct run **by_unit;
	uint32_t n;
} runs;

struct run *run_find(uint32_t unit)
{
	return unit < runs.n ? runs.by_unit[unit] : NULL;
}

uint32_t run_by_service(const char *service)
{
	for (uint32_t i = 0; i < runs.n; i++)
		if (runs.by_unit[i] && !strcmp(runs.by_unit[i]->service, service))
			return i;
	return SUP_NONE;
}

static bool grow(uint32_t unit)
{
	uint32_t n = runs.n ? runs.n : 64;
	struct run **grown;

	while (n <= unit)
		n *= 2;
	grown = realloc(runs.by_unit, n * sizeof(struct run *));
	if (!grown)
		return false;
	memset(grown + runs.n, 0, (n - runs.n) * sizeof(struct run *));
	runs.by_unit = grown;
	runs.n = n;
	return true;
}

static void run_free(struct run *r)
{
	if (!r)
		return;
	free(r->name);
	free(r->service);
	free(r->place);
	free(r);
}

struct run *run_make(uint32_t unit, const char *name, const char *service)
{
	struct run *r;

	if (unit == SUP_NONE || (unit >= runs.n && !grow(unit)))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->unit = unit;
	r->cgroup = r->userns = r->netns = -1;
	r->name = strdup(name);
	r->service = strdup(service);
	if (!r->name || !r->service) {
		run_free(r);
		return NULL;
	}
	runs.by_unit[unit] = r;
	return r;
}

struct run *run_get(uint32_t unit)
{
	struct run *r = run_find(unit);
	const struct unit *u = r ? NULL : shell_unit(unit);

	return r ? r : u ? run_make(unit, u->name, u->service) : NULL;
}

void run_forget(uint32_t unit)
{
	struct run *r = run_find(unit);

	if (!r)
		return;
	runs.by_unit[unit] = NULL;
	run_report_close(r);
	run_cgroup_close(r);
	run_stranger_close(r);
	children_drop(&r->starter);
	children_drop(&r->main);
	children_drop(&r->helper);
	children_drop(&r->probe);
	loop_untimer(&r->remove_again);
	vault_close(r->userns);
	vault_close(r->netns);
	logs_forget(r->service);
	run_free(r);
}

void run_start_failed(const struct run *r, const char *step, const struct fail *f)
{
	shell_push(&(struct event){
		.kind = EVENT_START_FAILED,
		.unit = r->unit,
		.code = f->code,
		.flag = run_cgroup_populated(r),
		.step = step,
		.text = f->text,
	});
}

uint32_t run_count(void)
{
	return runs.n;
}
