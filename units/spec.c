/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/spec.h"

#define STR(key, field)       RECORD_ROW_STR(struct container_spec, key, field)
#define BOOL(key, field)      RECORD_ROW_BOOL(struct container_spec, key, field)
#define INT(key, field)       RECORD_ROW_INT(struct container_spec, key, field)
#define LIST(key, field)      RECORD_ROW_LIST(struct container_spec, key, field)
#define TUPLES(key, field, n) RECORD_ROW_TUPLES(struct container_spec, key, field, n)

static const struct record_row rows[] = {
	STR("unit", unit),
	STR("service", service),
	STR("name", name),
	STR("image", image),
	STR("hostname", hostname),
	STR("workdir", workdir),
	STR("user", user),
	BOOL("entrypoint-set", entrypoint_set),
	LIST("entrypoint", entrypoint),
	LIST("exec", exec),
	LIST("env", env),
	TUPLES("mount", mounts, n_mounts),
	TUPLES("port", ports, n_ports),
	TUPLES("network", networks, n_networks),
	STR("userns", userns),
	INT("ids-base", ids_base),
	INT("ids-count", ids_count),
	LIST("cap-add", cap_add),
	LIST("cap-drop", cap_drop),
	BOOL("no-new-privs", no_new_privs),
	BOOL("read-only", read_only),
	INT("stop-signal", stop_signal),
	INT("pids-max", pids_max),
	INT("memory-max", memory_max),
	INT("shm-size", shm_size),
	{0},
};

void spec_encode(const struct container_spec *spec, struct buf *b)
{
	record_encode(rows, spec, b);
}

int spec_decode(struct container_spec *spec, const char *data, size_t len, struct fail *f)
{
	return record_decode(rows, spec, data, len, f);
}

void spec_done(struct container_spec *spec)
{
	record_done(rows, spec);
}
