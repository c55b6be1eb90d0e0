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
	LIST("env-file", env_files),
	TUPLES("mount", mounts, n_mounts),
	TUPLES("port", ports, n_ports),
	TUPLES("network", networks, n_networks),
	STR("userns", userns),
	INT("ids-base", ids_base),
	INT("ids-count", ids_count),
	LIST("uid-map", uid_map),
	LIST("gid-map", gid_map),
	LIST("group-add", group_add),
	LIST("cap-add", cap_add),
	LIST("cap-drop", cap_drop),
	BOOL("no-new-privs", no_new_privs),
	BOOL("read-only", read_only),
	INT("stop-signal", stop_signal),
	INT("pids-max", pids_max),
	INT("memory-max", memory_max),
	INT("shm-size", shm_size),
	BOOL("read-only-tmpfs", read_only_tmpfs),
	STR("seccomp", seccomp),
	LIST("mask", mask),
	LIST("unmask", unmask),
	TUPLES("sysctl", sysctls, n_sysctls),
	TUPLES("ulimit", ulimits, n_ulimits),
	TUPLES("device", devices, n_devices),
	TUPLES("secret", secrets, n_secrets),
	LIST("add-host", add_hosts),
	LIST("dns", dns),
	LIST("dns-option", dns_option),
	LIST("dns-search", dns_search),
	STR("timezone", timezone),
	BOOL("run-init", run_init),
	BOOL("oom-score-set", oom_score_set),
	INT("oom-score-adjust", oom_score_adjust),
	INT("memory-high", memory_high),
	INT("memory-low", memory_low),
	INT("memory-min", memory_min),
	BOOL("memory-swap-set", memory_swap_set),
	INT("memory-swap-max", memory_swap_max),
	INT("cpu-weight", cpu_weight),
	INT("cpu-quota-percent", cpu_quota_percent),
	INT("io-weight", io_weight),
	TUPLES("io-max", io_max, n_io_max),
	STR("cpus", cpus),
	STR("joins", joins),
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
