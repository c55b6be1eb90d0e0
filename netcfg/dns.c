/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "netcfg/ip.h"
#include "netcfg/keeper.h"
#include "netcfg/state.h"
#include "netcfg/watch.h"

#define HOSTS_MAX (16u << 20)

_Static_assert(DNS_ARGS_MAX <= KEEPER_ARGS_MAX, "the keeper takes all of a command line");

static uint64_t hosts_of(const char *network)
{
	_free_
	char *text = NULL;
	char path[sizeof(PATH_HOSTS) + 256];
	size_t len;

	snprintf(path, sizeof(path), PATH_HOSTS "/%s", network);
	return io_read_file(AT_FDCWD, path, HOSTS_MAX, &text, &len, NULL) == 0 ? ip_hash(0, text)
									       : 0;
}

/* made: what became of its command line; file: the hosts file that it reads. One whose command line is too long stops
 * no other. */
static int want_server(struct keeper *k, const char *name, const char *file, int made,
		       struct dns_job *job, struct fail *f)
{
	int r = made;

	if (made == 0)
		r = keeper_want(k, name, job->argv, 0, hosts_of(file), f);
	else
		fail_set(f, -made, "%s", name);
	dns_job_done(job);
	if (made != -E2BIG)
		return r;
	k->tell(f);
	return 0;
}

static int want_network(struct keeper *k, const struct netspec_network *net, struct fail *f)
{
	char name[300];
	struct dns_job job;

	snprintf(name, sizeof(name), "name server of network %s", net->name);
	return want_server(k, name, net->name, dns_job(net, &job), &job, f);
}

static int want_set(struct keeper *k, const struct dns_set *set, struct fail *f)
{
	_buf_ struct buf name = {0};
	struct dns_job job;

	buf_str(&name, "name server of networks");
	for (size_t i = 0; i < set->n; i++)
		buf_fmt(&name, " %s", set->networks[i]->name);
	if (name.bad)
		return fail_set(f, ENOMEM, "name servers");
	return want_server(k, name.data, set->file, dns_set_job(set, &job), &job, f);
}

static void look(struct keeper *k)
{
	static struct dns_sets sets;
	struct net_spec spec = {0};
	struct fail why;
	int r = state_load_spec(&spec, &why);

	if (r == -ENOENT)
		return; /* not up yet */
	if (r == 0) {
		keeper_begin(k);
		for (size_t i = 0; i < spec.n_networks && r == 0; i++)
			if (dns_serves(&spec.networks[i]))
				r = want_network(k, &spec.networks[i], &why);
		dns_sets_find(&spec, &sets);
		for (size_t i = 0; i < sets.n && r == 0; i++)
			r = want_set(k, &sets.items[i], &why);
		if (r == 0)
			keeper_end(k);
	}
	if (r < 0)
		k->tell(&why); /* those that run go on */
	netspec_done(&spec);
}

int dns_run(void (*tell)(const struct fail *f), struct fail *f)
{
	static const char *const dirs[] = {PATH_RUNDIR, PATH_HOSTS, NULL};
	struct keeper k = {.tell = tell};
	_fd_
	int files = watch_files(dirs, f);
	_fd_
	int signals = files < 0 ? -1 : watch_signals(f);
	struct pollfd more[] = {{files, POLLIN, 0}, {signals, POLLIN, 0}};
	int r = files < 0 ? files : signals < 0 ? signals : 0;

	if (r == 0)
		look(&k);
	while (r == 0) {
		r = keeper_wait(&k, more, 2, -1, f);
		if (r < 0 || more[1].revents)
			break;
		if (watch_changed(files, NULL))
			look(&k);
	}
	keeper_done(&k);
	return r;
}
