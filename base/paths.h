/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every absolute path that more than one program knows. They are constants: tests run the programs in
 * a private mount namespace in which these paths exist, rather than teach the programs other paths.
 */
#pragma once

#define PATH_LIBEXEC "/usr/lib/orlop" /* the programs */
#define PATH_INIT    PATH_LIBEXEC "/orlop-init"
#define PATH_RUN     PATH_LIBEXEC "/orlop-run"
#define PATH_NET     PATH_LIBEXEC "/orlop-net"
#define PATH_IMAGE   PATH_LIBEXEC "/orlop-image"
#define PATH_FILTER  PATH_LIBEXEC "/orlop-filter"
#define PATH_DISK    PATH_LIBEXEC "/orlop-disk"
#define PATH_LOG     PATH_LIBEXEC "/orlop-log"

#define PATH_SHARE "/usr/share/orlop"
#define PATH_PRELOAD \
	PATH_SHARE "/images" /* archives imported at boot, if they are not in the store */
#define PATH_NFT_BASE PATH_SHARE "/base.nft"
#define PATH_SECCOMP  PATH_SHARE "/seccomp" /* compiled default filters */

/* Unit folders; of two units with one name the folder that stands first wins. */
#define PATH_UNITS_RUN  "/run/orlop/units"
#define PATH_UNITS_VAR  "/var/lib/orlop/units"
#define PATH_UNITS_ETC  "/etc/containers/systemd"
#define PATH_UNITS_USR  "/usr/share/containers/systemd"
#define PATH_UNITS_HOST PATH_LIBEXEC "/units" /* the host's own services */

#define PATH_STORE       "/var/lib/orlop" /* mode 0700: setuid files of containers lie below it */
#define PATH_IMAGES      PATH_STORE "/images"
#define PATH_IMAGE_NAMES PATH_IMAGES "/names"
#define PATH_LAYERS      PATH_STORE "/layers"
#define PATH_VOLUMES     PATH_STORE "/volumes"
#define PATH_SECRETS     PATH_STORE "/secrets"
#define PATH_LOGS        PATH_STORE "/logs"
#define PATH_STATE       PATH_STORE "/state"
#define PATH_TMP         PATH_STORE "/tmp" /* emptied at boot: what is half made lies here */
#define PATH_LEASES      PATH_STATE "/leases"
#define PATH_LEASES_RUN  "/run/orlop/leases" /* the same, for PID 1, which reads nothing of /var */
#define PATH_TRANSIENT   PATH_STATE "/transient" /* a file for each unit that a command made */

#define PATH_RUNDIR   "/run/orlop"
#define PATH_CONTROL  PATH_RUNDIR "/control"
/* the last output of units, while PATH_LOGS cannot be written */
#define PATH_LOG_RING PATH_RUNDIR "/logs"
#define PATH_HOSTS    PATH_RUNDIR "/hosts" /* one hosts file for each network */
#define PATH_RESOLV   PATH_RUNDIR "/resolv.conf"
#define PATH_RESOLVD \
	PATH_RUNDIR "/resolv.d" /* parts of it: "static", and one for each DHCP lease */
/* the host's own configuration; the first that exists */
#define PATH_HOST_CONF_VAR  PATH_STORE "/host.conf"
#define PATH_HOST_CONF_ETC  "/etc/orlop/host.conf"
#define PATH_HOST_CONF_GOOD PATH_STATE "/host.conf"     /* the last one without mistakes */
#define PATH_NETWANT        PATH_RUNDIR "/network.want" /* what PID 1 asked orlop-net for: words */
#define PATH_DHCPCD_CONF    PATH_RUNDIR "/dhcpcd.conf"
#define PATH_DHCPCD_BASE    "/etc/dhcpcd.conf"    /* the part of it that is the same everywhere */
#define PATH_RESOLVS        PATH_RUNDIR "/resolv" /* one resolv.conf for each network */
#define PATH_NETSPEC \
	PATH_RUNDIR "/network"            /* what orlop-net up made, every blank filled in: words */
#define PATH_PORTS   PATH_RUNDIR "/ports" /* one file for each attached unit: words */
#define PATH_STARTED PATH_RUNDIR "/started" /* what each container is made from: started.h */
#define PATH_NOTIFY  PATH_RUNDIR "/notify"
#define PATH_PODS    PATH_RUNDIR "/pods" /* namespaces that members of a pod share, one folder each */

#define PATH_CGROUP  "/sys/fs/cgroup"
#define CGROUP_UNITS "orlop" /* below PATH_CGROUP: one folder for each unit */
#define CGROUP_INIT  "init"  /* PID 1 and its helpers */
