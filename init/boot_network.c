/* SPDX-License-Identifier: Apache-2.0 */
#include "init/boot_network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/paths.h"
#include "init/addresses.h"
#include "init/boot_jobs.h"
#include "init/console.h"
#include "init/exec.h"
#include "init/shell.h"
#include "init/stamps.h"
#include "init/task.h"
#include "init/transient.h"
#include "units/netspec.h"

/* Units whose addresses are given up in one run of orlop-net; of more, those above are kept until they are needed. */
#define GONE_MAX LIMIT_TRANSIENT

static struct {
	struct task task;
	uint64_t asked;         /* hash of the last network spec */
	bool again;             /* the network has changed while orlop-net was at it */
	char *gone[GONE_MAX];   /* units whose addresses are given up; owned */
	size_t n_gone, n_given; /* given: orlop-net was told */
} net;

static void begin_network(void);

static void network_over(struct task *t, enum task_end end)
{
	(void)t;
	while (end == TASK_OK && net.n_given) {
		free(net.gone[0]);
		memmove(net.gone, net.gone + 1, --net.n_gone * sizeof(*net.gone));
		net.n_given--;
	}
	net.n_given = 0;
	addresses_load();
	if (net.again) {
		begin_network();
		return;
	}
	shell_push(&(struct event){.kind = EVENT_NETWORK,
				   .unit = SUP_NONE,
				   .code = end == TASK_OK ? 0 : 1,
				   .text = end == TASK_OK ? NULL : "orlop-net up failed"});
	exec_network_over(end == TASK_OK);
	stamp(STAMP_NETWORK);
	boot_jobs_network_over(end);
	transient_network();
}

/* Whether a network is meant to be there now: one on demand while its unit is up or on its way there. */
static bool network_there(const struct netspec_network *n)
{
	struct sup_unit_info info;

	if (!n->on_demand || strcmp(n->on_demand, "yes") != 0)
		return true;
	return sup_unit_info(shell_sup(), sup_find(shell_sup(), n->unit), &info) &&
	       (info.state == SUP_STARTING || info.state == SUP_UP);
}

/* Takes those networks out that are not, with all that is in them. */
static void networks_there(struct net_spec *spec)
{
	for (size_t i = 0; i < spec->n_networks; i++) {
		if (network_there(&spec->networks[i]))
			continue;
		netspec_drop_network(spec, i--);
	}
}

/* Items of a spec that begin with their unit's name and are strings throughout: those of units in force. */
static size_t in_force(void *items, size_t n, size_t size)
{
	char *at = items;
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		char **strings = (char **)(at + i * size);

		if (sup_find(shell_sup(), strings[0]) != SUP_NONE) {
			memmove(at + left++ * size, strings, size);
			continue;
		}
		for (size_t k = 0; k < size / sizeof(char *); k++)
			free(strings[k]);
	}
	return left;
}

static int network_words(struct buf *words, struct fail *f)
{
	struct net_spec spec = {0};
	int r;

	if (!shell_set())
		return fail_set(f, ENOENT, "no units");
	r = netspec_from_units(shell_set(), &spec, f);
	if (r < 0)
		return r;
	networks_there(&spec);
	spec.n_members = in_force(spec.members, spec.n_members, sizeof(*spec.members));
	spec.n_opens = in_force(spec.opens, spec.n_opens, sizeof(*spec.opens));
	netspec_encode(&spec, words);
	netspec_done(&spec);
	return words->bad ? fail_set(f, ENOMEM, "network spec") : 0;
}

static uint64_t hash(const struct buf *words)
{
	return hash_bytes(HASH_START, words->data, words->len);
}

static int network_spec(struct fail *f)
{
	_buf_ struct buf words = {0};
	int r = network_words(&words, f);

	if (r < 0)
		return r;
	net.asked = hash(&words);
	return io_sealed_memfd("netspec", words.data ? words.data : "", words.len, f);
}

static void begin_network(void)
{
	static const char *argv[2 * GONE_MAX + 3] = {PATH_NET, "up"};
	struct fail f = {0};
	_fd_
	int spec = network_spec(&f);

	net.again = false;
	for (size_t i = 0; i < net.n_gone; i++) {
		argv[2 * i + 2] = "--forget";
		argv[2 * i + 3] = net.gone[i];
	}
	argv[2 * net.n_gone + 2] = NULL;
	net.n_given = net.n_gone;
	if (spec >= 0 && task_start(&net.task, "orlop-net", argv, &spec, 1,
				    boot_step_deadlines[BOOT_NETWORK], network_over, &f) == 0)
		return;
	console_say("network: %s", f.text);
	network_over(NULL, TASK_FAILED);
}

void boot_network_again(void)
{
	if (task_runs(&net.task))
		net.again = true;
	else
		begin_network();
}

void boot_network_forget(const char *gone)
{
	if (net.n_gone < GONE_MAX && (net.gone[net.n_gone] = strdup(gone)))
		net.n_gone++;
}

bool boot_network_follow(const char *gone)
{
	_buf_ struct buf words = {0};
	bool runs = task_runs(&net.task);

	if (gone)
		boot_network_forget(gone);
	if (network_words(&words, NULL) == 0 && hash(&words) == net.asked &&
	    net.n_given == net.n_gone)
		return runs;
	boot_network_again();
	return true;
}
