/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units: what the unit files say, checked and with nothing left to resolve.
 *
 * units_load() (units/load.h) makes a `struct unit_set` in one go; it owns everything below it in one
 * arena and never changes afterwards. A reload makes a second set; units_diff() (units/diff.h) says
 * what changed. Pointers into a set are good until unit_set_free().
 *
 * A unit with an error in its files is in the set too, `rejected`, with its diagnostics and nothing
 * else that may be relied on. A masked one (empty file, link to /dev/null) has a name only.
 *
 * Names: the unit "web.container" has the service name "web" (as "web.service" it may be named in
 * dependencies and commands; a target's service name is its own). `service` is also the name of its
 * cgroup and of its log.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "units/netspec.h"
#include "units/policy.h"
#include "units/spec.h"

struct arena;

enum unit_kind {
	UNIT_CONTAINER,
	UNIT_VOLUME,
	UNIT_NETWORK,
	UNIT_POD,
	UNIT_IMAGE,
	UNIT_SERVICE,
	UNIT_TARGET,
	UNIT_KIND__N,
};

enum unit_state {
	UNIT_OK,
	UNIT_REJECTED, /* its files have an error: must not be started */
	UNIT_MASKED,
};

/* A place in a file, for messages. Lines and columns count from 1; columns are bytes. line 0: none. */
struct source_at {
	const char *file;
	uint32_t line;
	uint32_t column;
};

/* A value: with specifiers and variables filled in, and, where that made a difference, as written. */
struct text {
	const char *value; /* NULL = not set */
	const char *raw;   /* NULL = the same */
};

struct text_list {
	struct text *items;
	size_t n;
};

struct pair {
	const char *name;
	const char *value; /* NULL: a variable to be taken from the host's environment */
	const char *raw;
};

struct pair_list {
	struct pair *items;
	size_t n;
};

enum tri {
	TRI_UNSET,
	TRI_NO,
	TRI_YES,
};

static inline bool tri_or(enum tri t, bool otherwise)
{
	return t == TRI_UNSET ? otherwise : t == TRI_YES;
}

struct number {
	int64_t value;
	bool set;
};

/* Edges between units. */
enum dep_kind {
	DEP_REQUIRES, /* if the other fails to start or is stopped, this one is not started, or stopped */
	DEP_REQUISITE,
	DEP_WANTS,
	DEP_BINDS_TO, /* and if the other ends by itself, this one is stopped */
	DEP_PART_OF,  /* stopped and restarted with the other */
	DEP_UPHOLDS,
	DEP_CONFLICTS,
	DEP_AFTER, /* order only */
	DEP_BEFORE,
	DEP_ON_FAILURE,
	DEP_ON_SUCCESS,
	DEP_RELOAD_TO,   /* a reload of this one reloads the other, too */
	DEP_RELOAD_FROM, /* the other way round */
	DEP__N,
};

/* Snake case, as in the JSON: "binds_to". */
extern const char *const dep_names[DEP__N];
/* As in a unit file: "BindsTo". */
extern const char *const dep_keys[DEP__N];

struct unit_dep {
	enum dep_kind kind;
	bool implicit;    /* nobody wrote it: it follows from the line `at` says */
	const char *name; /* name of the other unit, "db.container" */
	struct unit
		*unit; /* the other unit, in the same set; NULL: there is none (Wants, After...) */
	struct source_at at; /* for WantedBy= and RequiredBy=, that line in the other unit's file */
};

/* What runs on the host: ExecStart= and its kin. argv[argc] is NULL. */
struct command {
	char **argv;
	size_t argc;
	bool may_fail; /* '-' in front */
	struct source_at at;
};

struct command_list {
	struct command *items;
	size_t n;
};

struct unit_mount {
	const char *type; /* "volume", "anonymous", "bind", "tmpfs", "image" */
	struct text
		source; /* volume: its name in the store; bind: absolute path; image: its name; else NULL */
	struct text target;
	const char *options; /* comma list: "ro,noexec"; "" = none */
	const char *ref;     /* "x.volume" or "x.image" if it was named so */
	struct unit *unit;   /* that unit, or NULL */
	struct source_at at;
};

struct unit_port {
	const char *ip; /* NULL = all addresses */
	uint16_t host;  /* 0 = any free one */
	uint16_t container;
	const char *protocol; /* "tcp", "udp", "sctp" */
	struct source_at at;
};

struct unit_join {
	struct text
		name; /* "host", "none", "ns:PATH", a network's name, or of a container whose namespace it joins */
	bool container;             /* name is a container's */
	const char *ip, *ip6, *mac; /* NULL = not fixed */
	struct text_list aliases;
	const char *ref;   /* "x.network" or "x.container" if it was named so */
	struct unit *unit; /* that unit, or NULL */
	struct source_at at;
};

/* Whether it is a network of ours: neither the host's, nor none, nor somebody else's namespace. */
static inline bool join_is_bridge(const struct unit_join *j)
{
	return !j->container && strcmp(j->name.value, "host") != 0 &&
	       strcmp(j->name.value, "none") != 0 && !spec_net_path(j->name.value);
}

struct unit_secret {
	const char *name;
	bool env;           /* as an environment variable `target`; else a file */
	const char *target; /* file: absolute path, default /run/secrets/<name> */
	int64_t uid, gid, mode;
};

struct unit_device {
	const char *host, *container;
	const char *access; /* "rwm" */
	bool optional;      /* '-' in front */
};

/* Limits by disk, and how io.max has them. */
enum io_max {
	IO_READ_BANDWIDTH,
	IO_WRITE_BANDWIDTH,
	IO_READ_IOPS,
	IO_WRITE_IOPS,
	IO_MAX__N,
};

struct io_max_name {
	const char *key;  /* "IOReadBandwidthMax" */
	const char *name; /* "rbps" */
};

extern const struct io_max_name io_max_names[IO_MAX__N];

/* cgroup limits, from [Container] and [Service] together. Not set = the kernel's default. */
struct unit_limits {
	struct number memory_max, memory_high, memory_low, memory_min,
		memory_swap_max; /* bytes, -1 = max */
	struct number cpu_weight;
	struct number cpu_quota_percent; /* 200 = two CPUs */
	struct number tasks_max;         /* -1 = max */
	struct number io_weight;
	struct pair_list io_max[IO_MAX__N]; /* a disk's or a file's path -> "10000000" or "max" */
	struct number oom_score_adjust;
	struct text cpus; /* cpuset.cpus */
	struct text slice;
};

/* [Container]. */
struct unit_container {
	struct text name; /* ContainerName, or "systemd-<file>" */
	struct text image;
	struct text rootfs;
	struct unit *image_unit; /* Image=x.image */
	struct source_at image_at, pod_at;
	bool entrypoint_set; /* written, even if empty */
	struct text_list entrypoint;
	struct text_list exec;
	struct pair_list env;
	struct text_list env_files; /* absolute; read at start, in Podman's format */
	enum tri environment_host;
	struct unit_mount *mounts; /* Volume=, Mount=, Tmpfs= */
	size_t n_mounts;
	struct unit_port *ports;
	size_t n_ports;
	struct text_list expose_host_port;
	struct unit_join
		*networks; /* never empty but in a pod: the default network where none is written */
	size_t n_networks;
	struct text_list network_alias;
	struct text host_name;
	struct text ip, ip6;
	struct text_list dns, dns_option, dns_search, add_host;
	struct text user, group;
	struct text_list group_add;
	struct text userns;
	struct text_list uid_map, gid_map;
	struct text sub_uid_map, sub_gid_map;
	struct text_list cap_add, cap_drop; /* "CAP_CHOWN", "all" */
	enum tri no_new_privileges, read_only, read_only_tmpfs, volatile_tmp;
	struct text seccomp_profile, app_armor;
	enum tri security_label_disable, security_label_nested;
	struct text security_label_type, security_label_level, security_label_file_type;
	struct text_list mask, unmask; /* paths */
	struct unit_device *devices;
	size_t n_devices;
	struct pair_list sysctl;
	struct pair_list ulimits; /* "nofile" -> "1024:2048" */
	struct number memory, pids_limit, shm_size;
	struct text cgroups_mode;
	struct number stop_signal, stop_timeout; /* number; seconds */
	enum tri run_init;
	struct text working_dir, timezone;
	struct pair_list labels, annotations;
	struct text log_driver;
	struct pair_list log_opt;
	struct text notify;
	bool health_none; /* HealthCmd=none: not even the image's */
	struct text_list
		health_cmd; /* argv in the container; {"/bin/sh", "-c", ...} for the shell form */
	struct number health_interval, health_timeout, health_start_period; /* usec; -1 = disable */
	struct number health_retries;
	struct text health_on_failure;
	struct text_list health_startup_cmd;
	struct number health_startup_interval, health_startup_timeout, health_startup_retries,
		health_startup_success;
	struct text_list reload_cmd;
	struct number reload_signal;
	struct unit_secret *secrets;
	size_t n_secrets;
	struct text pod; /* "x.pod" */
	struct unit *pod_unit;
	enum tri start_with_pod;
	struct text auto_update, pull;
	struct number retry, retry_delay; /* retry_delay: usec */
	enum tri http_proxy, privileged;
	struct text_list podman_args;
	struct text service_name;
};

/* [Volume]. */
struct unit_volume {
	struct text name; /* effective: VolumeName, or "systemd-<file>" */
	struct text volume_name;
	struct pair_list labels;
	struct text driver, image, device, type, options;
	enum tri copy;
	struct number uid, gid;
	struct text user, group;
	struct text service_name;
};

/* [Network]. */
struct unit_network {
	struct text name; /* effective: NetworkName, or "systemd-<file>" */
	struct text network_name;
	struct text driver;
	struct text_list subnet, gateway, ip_range;
	enum tri internal, ipv6, disable_dns, network_delete_on_stop;
	struct text_list dns;
	struct text interface_name, ipam_driver;
	struct pair_list options, labels;
	struct text service_name;
	const char *bridge; /* device on the host: InterfaceName, or made from the name */
};

/* [Pod]. */
struct unit_pod {
	struct text name; /* effective: PodName, or "systemd-<file>" */
	struct text pod_name;
	struct text_list network_alias, add_host;
	struct unit_port *ports;
	size_t n_ports;
	struct unit_join *networks;
	size_t n_networks;
	struct unit_mount *mounts;
	size_t n_mounts;
	struct text host_name, ip, ip6;
	struct text_list dns, dns_option, dns_search;
	struct number shm_size;
	struct text userns;
	struct text_list uid_map, gid_map;
	struct text sub_uid_map, sub_gid_map;
	struct pair_list labels;
	struct text exit_policy;
	struct number stop_timeout; /* seconds */
	struct text service_name;
};

/* [Image]. */
struct unit_image {
	struct text image, image_tag;
	struct text auth_file, creds, cert_dir;
	enum tri tls_verify;
	struct text arch, os, variant, policy;
	struct number retry, retry_delay;
	struct text service_name;
};

/* [Service]: of .service units, and what applies of it to the others. */
struct unit_service {
	struct text type, restart, restart_mode;
	struct number restart_usec, restart_max_delay_usec, start_timeout_usec, stop_timeout_usec,
		abort_timeout_usec, watchdog_usec, runtime_max_usec; /* usec, -1 = infinity */
	struct number restart_steps;
	enum tri remain_after_exit;
	struct pair_list env;
	struct text_list env_files; /* absolute, '-' in front: may be missing */
	struct text_list success_exit_status, restart_prevent_exit_status,
		restart_force_exit_status;
	struct command_list exec_start_pre, exec_start, exec_start_post, exec_reload, exec_stop,
		exec_stop_post;
	struct text kill_mode;
	struct number kill_signal;
	struct unit_limits limits;
	struct text oom_policy;
	struct pair_list rlimits; /* "NOFILE" -> "1024:2048", of LimitNOFILE= and its kin */
	struct text syslog_identifier;
	struct text tty_path, standard_input, standard_output, standard_error;
	struct text user, group, working_directory;
	struct number umask;
};

/* [Unit] and [Install]. Dependencies are in unit->deps. */
struct unit_condition {
	const char *check; /* "ConditionPathExists" */
	const char *arg;   /* absolute path */
	bool negate;       /* '!' */
	bool or_group;     /* '|': one of these is enough */
};

/* A unit that [Install] names. */
struct unit_install {
	const char *name;
	struct source_at at;
};

struct unit_install_list {
	struct unit_install *items;
	size_t n;
};

struct diag;

struct unit {
	const char *name;    /* "web.container" */
	const char *service; /* "web" */
	enum unit_kind kind;
	enum unit_state state;
	bool builtin;         /* a target that needs no file */
	const char *instance; /* "bar" of foo@bar.container; NULL */
	bool by_reference; /* instance that is there because another unit names it: nobody enabled it,
				 so that its [Install] counts for nothing */

	const char **sources; /* paths: the file, then the drop-ins in the order of their use */
	size_t n_sources;

	struct text description;
	struct text_list documentation;
	struct unit_condition *conditions;
	size_t n_conditions;
	struct text_list mounts_for; /* RequiresMountsFor= */

	struct unit_dep *deps; /* by kind, then in the order of writing; implicit ones last */
	size_t n_deps;
	struct unit_install_list wanted_by, required_by, upheld_by; /* [Install] */
	struct text_list alias;
	struct text default_instance;
	struct number start_limit_interval_usec, start_limit_burst;
	struct text start_limit_action, failure_action, success_action;
	enum tri default_dependencies; /* [Quadlet] */
	bool boot; /* reached from default.target by Wants, Requires, BindsTo: started at boot */

	struct unit_policy policy;
	struct unit_service *exec; /* [Service]; never NULL for a unit that is OK */

	/* The one that kind says; of a rejected unit it may be half-filled. */
	struct unit_container *container;
	struct unit_volume *volume;
	struct unit_network *network;
	struct unit_pod *pod;
	struct unit_image *image;

	struct diag **diags; /* its own, in the order of the lines */
	size_t n_diags;
	uint64_t hash;  /* of all that was read for it */
	uint32_t index; /* in the set */
};

struct unit_set {
	struct unit **units; /* sorted by name */
	size_t n;
	struct unit **templates; /* "foo@.container": patterns, checked but never started */
	size_t n_templates;
	struct diag **diags; /* all, of units and of files that are no unit's */
	size_t n_diags;
	size_t n_errors;
	struct arena *arena;
	void *by_name; /* private */
};

struct unit_set *unit_set_free(struct unit_set *set); /* NULL is allowed; returns NULL */

/* By "web.container"; NULL if there is none. Aliases are found too. */
struct unit *unit_by_name(const struct unit_set *set, const char *name);

/* By "web" or "web.service" or an alias; also by unit name, so this is what commands use. */
struct unit *unit_find(const struct unit_set *set, const char *name);

/* Whose network and ids a container has: its pod, the container that Network=x.container leads to, or
 * itself. Never NULL. */
const struct unit *unit_owner(const struct unit *u);

/* What orlop-run needs to start a container. ids_base: first host id of its owner's range (UserNS=auto).
 * The caller frees with spec_done(). -EINVAL if the unit is not a container that may be started. */
int spec_from_unit(const struct unit_set *set, const struct unit *u, int64_t ids_base,
		   struct container_spec *ret, struct fail *f);

/* What orlop-net needs: the default network, every .network, every container's memberships. */
int netspec_from_units(const struct unit_set *set, struct net_spec *ret, struct fail *f);
