/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/up.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "netcfg/apply.h"
#include "netcfg/host_file.h"
#include "netcfg/lease.h"
#include "netcfg/resolv.h"
#include "netcfg/resolve.h"
#include "netcfg/snapshot.h"
#include "netcfg/state.h"

struct up {
	struct nl_sock *route, *filter;
	struct net_state want, have;
	struct lease_file leases;
	struct op_list ops;
	struct buf asked; /* the spec as it came */
	char *conf;       /* host.conf, if it is good; or NULL */
	const char *const *gone;
	void (*problem)(const struct fail *f);
};

/* A lease file that cannot be read is no reason to have no network: addresses are made anew, and most
 * come out the same. */
static void load_leases(struct up *u)
{
	_free_
	char *text = NULL;
	struct fail why;
	size_t len = 0;
	int r = io_read_file(AT_FDCWD, PATH_LEASES, LEASE_FILE_MAX, &text, &len, &why);

	if (r == 0)
		r = lease_parse(text, len, &u->leases, &why);
	if (r < 0 && r != -ENOENT) {
		fail_wrap(&why, "leases, going on without");
		u->problem(&why);
	}
	if (u->leases.bad) {
		fail_set(&why, EBADMSG, "%s: %zu lines cannot be read and are left out",
			 PATH_LEASES, u->leases.bad);
		u->problem(&why);
	}
	for (size_t i = 0; u->gone && u->gone[i]; i++)
		lease_forget(&u->leases, u->gone[i]);
}

/* What the host is in already, besides our own bridges: chosen subnets keep clear of it. */
static struct ip_prefix *foreign_subnets(const struct net_state *have, size_t *ret_n)
{
	struct ip_prefix *list = calloc(have->n_addresses + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; list && i < have->n_addresses; i++) {
		bool own = false;

		for (size_t k = 0; k < have->n_links && !own; k++)
			own = !strcmp(have->links[k].name, have->addresses[i].dev) &&
			      !strncmp(have->links[k].alias, PLAN_ALIAS, strlen(PLAN_ALIAS));
		if (!own)
			list[n++] = have->addresses[i].addr;
	}
	*ret_n = n;
	return list;
}

static int add_elements(const struct unit_state *s, void *arg)
{
	struct net_state *want = arg;

	unit_state_elements(s, &want->elems);
	return want->elems.bad ? -ENOMEM : 0;
}

/* resolv.conf's part of host.conf, and with those of leases all of it. */
static void want_resolv(const struct net_spec *spec, struct net_state *want)
{
	_buf_ struct buf b = {0};

	plan_static_resolv(spec, &b);
	if (b.len || access(PATH_RESOLVD "/static", F_OK) == 0)
		net_add_file(want, PATH_RESOLVD "/static", b.data ? b.data : "", b.len);
	resolv_want(spec, b.data ? b.data : "", want);
	want->bad |= b.bad;
}

static void want_dhcpcd(const struct net_spec *spec, const struct net_state *have,
			struct net_state *want)
{
	_free_
	char *base = NULL;
	_buf_ struct buf b = {0};
	size_t len;

	(void)io_read_file(AT_FDCWD, PATH_DHCPCD_BASE, 65536, &base, &len, NULL);
	plan_dhcpcd_conf(spec, have, base ? base : "", &b);
	net_add_file(want, PATH_DHCPCD_CONF, b.data ? b.data : "", b.len);
	want->bad |= b.bad;
}

static int make_want(struct up *u, struct net_spec *spec, struct fail *f)
{
	_free_
	struct ip_prefix *avoid = NULL;
	_buf_ struct buf b = {0};
	struct net_file *file;
	size_t n_avoid;
	int r;

	avoid = foreign_subnets(&u->have, &n_avoid);
	if (!avoid)
		return fail_set(f, ENOMEM, "network");
	load_leases(u);
	r = resolve_spec(spec, &u->leases, avoid, n_avoid, f);
	if (r < 0)
		return r;
	lease_format(&u->leases, &b);
	file = net_add_file(&u->want, PATH_LEASES, b.data, b.len);
	if (file)
		file->durable = true;
	net_add_file(&u->want, PATH_LEASES_RUN, b.data, b.len);
	plan_want(spec, &u->have, &u->want);
	want_resolv(spec, &u->want);
	want_dhcpcd(spec, &u->have, &u->want);
	net_add_file(&u->want, PATH_NETWANT, u->asked.data ? u->asked.data : "", u->asked.len);
	if (u->conf) {
		file = net_add_file(&u->want, PATH_HOST_CONF_GOOD, u->conf, strlen(u->conf));
		if (file)
			file->durable = true;
	}
	if (u->want.nft_loaded)
		r = state_each_unit(add_elements, &u->want, f);
	if (r == 0 && (u->want.bad || u->want.elems.bad || b.bad))
		r = fail_set(f, ENOMEM, "network");
	return r;
}

static void tell_problems(const struct net_spec *spec, void (*problem)(const struct fail *f))
{
	_buf_ struct buf b = {0};
	struct fail why;

	if (!resolve_problems(spec, &b) || b.bad)
		return;
	for (char *line = b.data, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		fail_set(&why, 0, "%s", line);
		problem(&why);
	}
}

static int run(struct up *u, struct net_spec *spec, bool dry, struct buf *text, struct fail *f)
{
	int r = snapshot_links(u->route, &u->have, f);

	if (r == 0 && spec->n_uplinks)
		r = snapshot_uplinks(u->route, &u->have, f);
	if (r == 0)
		r = make_want(u, spec, f);
	if (r == 0)
		r = snapshot_rest(u->filter, &u->want, &u->have, f);
	if (r < 0)
		return r;
	tell_problems(spec, u->problem);
	plan_diff(&u->want, &u->have, &u->ops);
	plan_print(&u->ops, text);
	if (u->ops.bad || text->bad)
		return fail_set(f, ENOMEM, "network");
	return dry ? 0 : apply_ops(u->route, u->filter, &u->ops, u->problem, f);
}

int up_run(struct net_spec *spec, const char *const *gone, bool dry, struct buf *text,
	   void (*problem)(const struct fail *f), struct fail *f)
{
	_nlk_ struct nl_sock *route = NULL;
	_nlk_ struct nl_sock *filter = NULL;
	_fd_
	int lock = dry ? -1 : state_lock(LOCK_EX, f);
	struct up u = {.problem = problem, .gone = gone};
	struct net_spec last = {0};
	int r;

	if (lock < 0 && !dry)
		return lock;
	r = spec ? 0 : state_load_want(&last, f);
	if (r < 0)
		return r;
	spec = spec ? spec : &last;
	u.route = route = nlk_open(NETLINK_ROUTE, f);
	u.filter = filter = route ? nlk_open(NETLINK_NETFILTER, f) : NULL;
	netspec_encode(spec, &u.asked);
	r = filter ? 0 : -EPROTO;
	if (r == 0)
		r = u.asked.bad ? fail_set(f, ENOMEM, "network")
				: host_file_read(spec, problem, &u.conf, f);
	if (r == 0)
		r = run(&u, spec, dry, text, f);
	buf_done(&u.asked);
	free(u.conf);
	net_state_done(&u.want);
	net_state_done(&u.have);
	lease_done(&u.leases);
	op_list_done(&u.ops);
	netspec_done(&last);
	return r;
}
