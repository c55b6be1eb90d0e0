/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container spec: all that orlop-run must know to start one container, with nothing left to resolve but
 * what only the image can answer (its entrypoint, user names, stop signal).
 *
 * PID 1 makes it from a `struct unit` (spec_from_unit, units/unit.h), encodes it into a sealed memfd
 * and keeps nothing; orlop-run decodes it. The struct owns all its strings.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "units/record.h"

struct spec_mount {
	char *type; /* "volume", "bind", "tmpfs", "image", "device" (a .volume with Device= and Type=), or
			* "anonymous": a volume of this start alone */
	char *source; /* volume, image: name; bind: absolute host path; device: its path; else "" */
	char *target; /* absolute path inside */
	char *options; /* comma list as the unit has it, checked: "ro,noexec" or "" */
	char *fs_type; /* device: "ext4"; else "" */
	char *fs_data; /* device: options for the file system (Options=); else "" */
};

struct spec_port {
	char *protocol;  /* "tcp", "udp", "sctp" */
	char *address;   /* host address; "" = all */
	char *host;      /* host port, decimal; "" = any free one */
	char *container; /* container port, decimal */
};

struct spec_network {
	char *name; /* "host", "none", "ns:PATH", or the name of a bridge network ("orlop" = the default one) */
	char *bridge;  /* bridge device on the host; "" for the others */
	char *address; /* IPv4 from the unit; "" = by lease */
	char *mac;     /* "" = made from the lease */
	char *aliases; /* comma list of extra names, or "" */
};

/* What is in front of the path, where a network's name says which namespace of somebody else's it is. */
#define SPEC_NET_PATH "ns:"

/* That path; NULL: the name is another network's. */
static inline const char *spec_net_path(const char *name)
{
	size_t n = strlen(SPEC_NET_PATH);

	return strncmp(name, SPEC_NET_PATH, n) == 0 ? name + n : NULL;
}

struct spec_pair {
	char *name;
	char *value;
};

struct spec_ulimit {
	char *name; /* "nofile" */
	char *soft; /* decimal; "-1" = unlimited */
	char *hard;
};

struct spec_device {
	char *host;      /* "/dev/dri" : a device, or a folder of them */
	char *container; /* path inside */
	char *access;    /* of "rwm" */
	char *optional;  /* "yes": only if it is there; "" */
};

struct spec_secret {
	char *name;   /* file in PATH_SECRETS */
	char *type;   /* "mount" or "env" */
	char *target; /* absolute path, or variable; "" = /run/secrets/<name>, or the name */
	char *uid, *gid, *mode; /* of the file: decimal, decimal, octal; "" = 0, 0, 0444 */
};

struct spec_io_max {
	char *key;   /* "IOReadBandwidthMax", for messages */
	char *path;  /* absolute: a disk, a part of one, or any file on it */
	char *limit; /* as io.max takes it: "rbps=10000000" */
};

struct container_spec {
	char *unit;          /* "web.container" */
	char *service;       /* "web" : also the name of its cgroup and of its log */
	char *name;          /* ContainerName: "web" */
	char *image;         /* reference as written */
	char *hostname;      /* NULL = name */
	char *workdir;       /* NULL = the image's */
	char *user;          /* "uid|name[:gid|name]"; NULL = the image's */
	bool entrypoint_set; /* Entrypoint= was written, even if empty */
	struct strlist entrypoint;
	struct strlist exec;      /* replaces the image's Cmd where it has any item */
	struct strlist env;       /* "NAME=value", later wins; over the image's */
	struct strlist env_files; /* absolute, Podman's format, in order; env wins over them */
	struct spec_mount *mounts;
	size_t n_mounts;
	struct spec_port *ports;
	size_t n_ports;
	struct spec_network *networks; /* empty = none */
	size_t n_networks;
	char *userns;      /* "auto" or "host" */
	int64_t ids_base;  /* auto: first host id */
	int64_t ids_count; /* auto: 65536 */
	/* UIDMap=, GIDMap=: "container:host:count"; set = used instead of ids_base and ids_count, for which
	 * the host id of container id 0 must be among them */
	struct strlist uid_map, gid_map;
	struct strlist group_add;         /* GroupAdd=: names of the image's, or numbers */
	struct strlist cap_add, cap_drop; /* "CAP_NET_ADMIN" or "all" */
	bool no_new_privs;
	bool read_only;
	int64_t stop_signal;  /* 0 = the image's, else SIGTERM */
	int64_t pids_max;     /* 0 = default 2048, -1 = unlimited */
	int64_t memory_max;   /* bytes; 0 = unlimited */
	int64_t shm_size;     /* bytes; 0 = 64 MiB */
	bool read_only_tmpfs; /* with read_only: tmpfs on /run, /tmp, /var/tmp */
	char *seccomp;        /* NULL = the default filter; "unconfined"; or path of a profile */
	struct strlist mask, unmask; /* paths; unmask also "ALL" and patterns with '*' */
	struct spec_pair *sysctls;
	size_t n_sysctls;
	struct spec_ulimit *ulimits;
	size_t n_ulimits;
	struct spec_device *devices;
	size_t n_devices;
	struct spec_secret *secrets;
	size_t n_secrets;
	struct strlist add_hosts;                   /* "name:address", or "name:host-gateway" */
	struct strlist dns, dns_option, dns_search; /* dns "none": the image's resolv.conf stays */
	char *timezone; /* "Europe/Berlin", "local"; NULL = as the image has it */
	bool run_init;  /* a small init of ours is process 1 */
	bool oom_score_set;
	int64_t oom_score_adjust;
	/* cgroup limits: 0 = not set, -1 = "max" where that makes sense */
	int64_t memory_high, memory_low, memory_min; /* bytes */
	bool memory_swap_set;                        /* then 0 is 0: no swap at all */
	int64_t memory_swap_max;
	int64_t cpu_weight, cpu_quota_percent, io_weight;
	struct spec_io_max *io_max; /* in this order: of two for one disk the later one holds */
	size_t n_io_max;
	char *cpus; /* cpuset.cpus; NULL = all */
	/* The unit whose namespaces this one shares, NULL = none. "x.pod": user, network, ipc and uts, with
	 * /dev/shm; whichever member starts first makes them. "db.container": user and network, handed in by
	 * PID 1. Networks, ports, ids and UserNS= are that unit's here. */
	char *joins;
};

void spec_encode(const struct container_spec *spec, struct buf *b);
int spec_decode(struct container_spec *spec, const char *data, size_t len, struct fail *f);
void spec_done(struct container_spec *spec);
