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

#include "units/record.h"

struct spec_mount {
	char *type;    /* "volume", "bind", "tmpfs" */
	char *source;  /* volume: name; bind: absolute host path; tmpfs: "" */
	char *target;  /* absolute path inside */
	char *options; /* comma list as the unit has it, checked: "ro,noexec" or "" */
};

struct spec_port {
	char *protocol;  /* "tcp", "udp", "sctp" */
	char *address;   /* host address; "" = all */
	char *host;      /* host port, decimal; "" = any free one */
	char *container; /* container port, decimal */
};

struct spec_network {
	char *name; /* "host", "none", or the name of a bridge network ("orlop" = the default one) */
	char *bridge;  /* bridge device on the host; "" for host and none */
	char *address; /* IPv4 from the unit; "" = by lease */
	char *mac;     /* "" = made from the lease */
	char *aliases; /* comma list of extra names, or "" */
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
	struct strlist exec; /* replaces the image's Cmd where it has any item */
	struct strlist env;  /* "NAME=value", later wins; over the image's */
	struct spec_mount *mounts;
	size_t n_mounts;
	struct spec_port *ports;
	size_t n_ports;
	struct spec_network *networks; /* empty = none */
	size_t n_networks;
	char *userns;                     /* "auto" or "host" */
	int64_t ids_base;                 /* auto: first host id */
	int64_t ids_count;                /* auto: 65536 */
	struct strlist cap_add, cap_drop; /* "CAP_NET_ADMIN" or "all" */
	bool no_new_privs;
	bool read_only;
	int64_t stop_signal; /* 0 = the image's, else SIGTERM */
	int64_t pids_max;    /* 0 = default 2048, -1 = unlimited */
	int64_t memory_max;  /* bytes; 0 = unlimited */
	int64_t shm_size;    /* bytes; 0 = 64 MiB */
};

void spec_encode(const struct container_spec *spec, struct buf *b);
int spec_decode(struct container_spec *spec, const char *data, size_t len, struct fail *f);
void spec_done(struct container_spec *spec);
