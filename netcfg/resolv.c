/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/resolv.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "netcfg/apply.h"
#include "netcfg/snapshot.h"
#include "netcfg/state.h"

#define PART_MAX 65536

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_part(const char *name, struct buf *parts)
{
	_free_
	char *text = NULL;
	char path[sizeof(PATH_RESOLVD) + 256];
	size_t len;

	snprintf(path, sizeof(path), PATH_RESOLVD "/%s", name);
	if (io_read_file(AT_FDCWD, path, PART_MAX, &text, &len, NULL) == 0)
		buf_fmt(parts, "%s\n", text);
}

void resolv_want(const struct net_spec *spec, const char *fixed, struct net_state *want)
{
	_buf_ struct buf parts = {0};
	struct dirent **names = NULL;
	int n = scandir(PATH_RESOLVD, &names, NULL, by_name);

	/* what somebody wrote down comes before what a server said */
	if (fixed)
		buf_fmt(&parts, "%s\n", fixed);
	else
		add_part("static", &parts);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.' && strcmp(names[i]->d_name, "static") != 0)
			add_part(names[i]->d_name, &parts);
		free(names[i]);
	}
	free(names);
	resolv_plan(spec, parts.data ? parts.data : "", want);
	want->bad |= parts.bad;
}

static void nothing(const struct fail *f)
{
	(void)f; /* the first is what resolv_run returns */
}

int resolv_run(struct fail *f)
{
	struct net_state want = {0}, have = {0};
	struct net_spec spec = {0};
	struct op_list ops = {0};
	_fd_
	int lock = state_lock(LOCK_EX, f);
	int r = lock < 0 ? lock : state_load_spec(&spec, f);

	if (r == -ENOENT)
		r = 0; /* before the first up: the host's own file */
	if (r == 0) {
		resolv_want(&spec, NULL, &want);
		r = want.bad ? fail_set(f, ENOMEM, "resolv.conf") : snapshot_files(&want, &have, f);
	}
	if (r == 0) {
		plan_diff(&want, &have, &ops);
		r = ops.bad ? fail_set(f, ENOMEM, "resolv.conf")
			    : apply_ops(NULL, NULL, &ops, nothing, f);
	}
	op_list_done(&ops);
	net_state_done(&want);
	net_state_done(&have);
	netspec_done(&spec);
	return r;
}
