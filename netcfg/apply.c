/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/spawn.h"
#include "netcfg/nft_batch.h"
#include "netcfg/rt.h"

#define NFT_PROGRAM    "/usr/sbin/nft"
#define NFT_TIMEOUT_MS 30000 /* 0.1 s under emulation; a machine that swaps may be slow */

struct apply {
	struct nl_sock *route, *filter;
	int nft;      /* pidfd of the program that loads the base rules, or -1 */
	int nft_said; /* its error output */
};

/* --- files --------------------------------------------------------------------------------------- */

/* In place: hosts files are bind-mounted into containers, which would keep the old file if it were
 * replaced. One write, then the rest cut off: a reader sees a mixture for microseconds at most. */
static int write_in_place(const struct net_file *file, struct fail *f)
{
	_fd_
	int fd = open(file->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	int r;

	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", file->path);
	r = io_write_all(fd, file->content, file->len);
	if (r < 0)
		return fail_set(f, -r, "write(\"%s\")", file->path);
	return ftruncate(fd, (off_t)file->len) < 0
		       ? fail_set(f, errno, "truncate(\"%s\")", file->path)
		       : 0;
}

static int op_file(struct apply *a, const struct op *op, struct fail *f)
{
	const char *slash = strrchr(op->file->path, '/');
	_fd_
	int fd = -1;
	char dir[256];
	int r;

	(void)a;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - op->file->path), op->file->path);
	r = io_mkdirs(dir, 0755, f);
	if (r < 0 || !op->file->durable)
		return r < 0 ? r : write_in_place(op->file, f);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", dir);
	return io_replace_file(fd, slash + 1, op->file->content, op->file->len, 0644, f);
}

static int op_file_del(struct apply *a, const struct op *op, struct fail *f)
{
	(void)a;
	if (unlink(op->file->path) < 0 && errno != ENOENT)
		return fail_set(f, errno, "unlink(\"%s\")", op->file->path);
	return 0;
}

/* --- settings, links, addresses ------------------------------------------------------------------ */

static int op_sysctl(struct apply *a, const struct op *op, struct fail *f)
{
	char path[128];
	int r;

	(void)a;
	snprintf(path, sizeof(path), "/proc/sys/%s", op->sysctl->path);
	r = io_write_file(AT_FDCWD, path, op->sysctl->value, f);
	return r == -ENOENT && op->sysctl->optional ? 0 : r;
}

static int op_link_del(struct apply *a, const struct op *op, struct fail *f)
{
	return rt_link_del(a->route, op->dev, f);
}

static int op_bridge_add(struct apply *a, const struct op *op, struct fail *f)
{
	const struct net_link *l = op->link;
	int r = rt_bridge_add(a->route, l->name, &l->mac, l->mtu, f);

	/* the alias makes it ours */
	return r < 0 ? r
		     : rt_link_change(a->route, l->name, &(struct rt_change){.alias = l->alias}, f);
}

static int op_vlan_add(struct apply *a, const struct op *op, struct fail *f)
{
	const struct net_link *l = op->link;
	int r = rt_vlan_add(a->route, l->name, l->parent, l->vlan, f);

	return r < 0 ? r
		     : rt_link_change(a->route, l->name, &(struct rt_change){.alias = l->alias}, f);
}

static int op_bridge_vlans(struct apply *a, const struct op *op, struct fail *f)
{
	const struct net_link *l = op->link;

	return rt_bridge_vlans(a->route, l->name, l->vlans, l->pvid ? l->pvid : 1, f);
}

static int op_port_vlan_del(struct apply *a, const struct op *op, struct fail *f)
{
	return rt_port_vlan(a->route, op->port_vlan->dev, op->port_vlan->tag, RT_PORT_NOT_IN, f);
}

static int op_port_vlan_add(struct apply *a, const struct op *op, struct fail *f)
{
	return rt_port_vlan(a->route, op->port_vlan->dev, op->port_vlan->tag, RT_PORT_TAGGED, f);
}

static int op_master(struct apply *a, const struct op *op, struct fail *f)
{
	return rt_link_change(a->route, op->link->name,
			      &(struct rt_change){.master = op->link->master}, f);
}

static int op_route_add(struct apply *a, const struct op *op, struct fail *f)
{
	return rt_default_route(a->route, op->route->dev, &op->route->gateway, f);
}

static int op_mtu(struct apply *a, const struct op *op, struct fail *f)
{
	return rt_link_change(a->route, op->link->name, &(struct rt_change){.mtu = op->link->mtu},
			      f);
}

static int op_mac(struct apply *a, const struct op *op, struct fail *f)
{
	return rt_link_change(a->route, op->link->name, &(struct rt_change){.mac = &op->link->mac},
			      f);
}

static int op_addr_del(struct apply *a, const struct op *op, struct fail *f)
{
	return rt_addr_del(a->route, op->address->dev, &op->address->addr, f);
}

static int op_addr_add(struct apply *a, const struct op *op, struct fail *f)
{
	return rt_addr_add(a->route, op->address->dev, &op->address->addr, f);
}

static int op_link_up(struct apply *a, const struct op *op, struct fail *f)
{
	return rt_link_change(a->route, op->dev, &(struct rt_change){.up = true}, f);
}

/* --- packet filter ------------------------------------------------------------------------------- */

/* What nft said, up to its first line's end. */
static void read_message(int fd, char *ret, size_t size)
{
	ssize_t n = read(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

/* Starting nft is what it takes longest for (a quarter of a second under emulation): it is started before
 * everything else and waited for where its turn is. */
static int start_nft(struct apply *a, struct fail *f)
{
	static const char *const argv[] = {NFT_PROGRAM, "-f", PATH_NFT_BASE, NULL};
	struct spawn child = {.argv = argv, .cgroup = -1, .n_fds = 3};
	int pipefd[2], r;

	if (pipe2(pipefd, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail_set(f, errno, "pipe");
	child.fds[0] = child.fds[1] = -1;
	child.fds[2] = pipefd[1];
	r = spawn(&child, &a->nft, f);
	close(pipefd[1]);
	if (r < 0)
		close(pipefd[0]);
	else
		a->nft_said = pipefd[0];
	return r < 0 ? r : 0;
}

static int op_nft_load(struct apply *a, const struct op *op, struct fail *f)
{
	struct pollfd wait = {.fd = a->nft, .events = POLLIN};
	siginfo_t info = {0};
	char said[200];
	int r;

	(void)op;
	if (a->nft < 0)
		return start_nft(a, f); /* it failed before: once more, for the text */
	while ((r = poll(&wait, 1, NFT_TIMEOUT_MS)) < 0 && errno == EINTR)
		;
	if (r == 0)
		(void)pidfd_send_signal(a->nft, SIGKILL, NULL, 0);
	if (waitid(P_PIDFD, (id_t)a->nft, &info, WEXITED) < 0)
		return fail_set(f, errno, "waiting for nft");
	read_message(a->nft_said, said, sizeof(said));
	if (r == 0)
		return fail_set(f, ETIMEDOUT, "loading %s", PATH_NFT_BASE);
	if (info.si_code != CLD_EXITED || info.si_status != 0)
		return fail_set(f, EIO, "loading %s: nft: %s (status %d)", PATH_NFT_BASE, said,
				info.si_status);
	return 0;
}

/* A run of element operations beginning at ops[i]: one transaction. Returns how many it covered. */
static size_t apply_elements(struct apply *a, const struct op_list *ops, size_t i, int *ret_r,
			     struct fail *f)
{
	struct nft_elems del = {0}, add = {0};
	size_t n = 0;
	int failed;

	for (; i + n < ops->n; n++) {
		const struct op *op = &ops->items[i + n];

		if (op->kind == OP_ELEM_DEL)
			nft_elems_push(&del, op->elem);
		else if (op->kind == OP_ELEM_ADD)
			nft_elems_push(&add, op->elem);
		else
			break;
	}
	*ret_r = nft_commit(a->filter, &del, &add, &failed, f);
	nft_elems_done(&del);
	nft_elems_done(&add);
	return n;
}

/* --- the table ----------------------------------------------------------------------------------- */

static int (*const appliers[OP__N])(struct apply *a, const struct op *op, struct fail *f) = {
	[OP_FILE] = op_file,
	[OP_FILE_DEL] = op_file_del,
	[OP_SYSCTL] = op_sysctl,
	[OP_LINK_DEL] = op_link_del,
	[OP_BRIDGE_ADD] = op_bridge_add,
	[OP_MTU] = op_mtu,
	[OP_VLAN_ADD] = op_vlan_add,
	[OP_MASTER] = op_master,
	[OP_ROUTE_ADD] = op_route_add,
	[OP_MAC] = op_mac,
	[OP_ADDR_DEL] = op_addr_del,
	[OP_ADDR_ADD] = op_addr_add,
	[OP_BRIDGE_VLANS] = op_bridge_vlans,
	[OP_PORT_VLAN_DEL] = op_port_vlan_del,
	[OP_PORT_VLAN_ADD] = op_port_vlan_add,
	[OP_LINK_UP] = op_link_up,
	[OP_NFT_LOAD] = op_nft_load,
};

int apply_ops(struct nl_sock *route, struct nl_sock *filter, const struct op_list *ops,
	      void (*problem)(const struct fail *f), struct fail *f)
{
	struct apply a = {route, filter, -1, -1};
	bool filter_ok = true;
	size_t failed = 0;
	int first = 0;

	for (size_t i = 0; i < ops->n; i++)
		if (ops->items[i].kind == OP_NFT_LOAD)
			(void)start_nft(&a, NULL);
	for (size_t i = 0; i < ops->n;) {
		const struct op *op = &ops->items[i];
		bool elements = op->kind == OP_ELEM_DEL || op->kind == OP_ELEM_ADD;
		struct fail why = {0};
		size_t n = 1;
		int r = 0;

		if (!elements)
			r = appliers[op->kind](&a, op, &why);
		else if (filter_ok)
			n = apply_elements(&a, ops, i, &r, &why);
		i += n;
		if (r == 0)
			continue;
		if (op->kind == OP_NFT_LOAD)
			filter_ok = false;
		problem(&why);
		failed++;
		first = first ? first : r;
	}
	cleanup_fd(&a.nft);
	cleanup_fd(&a.nft_said);
	return first ? fail_set(f, -first, "%zu of %zu operations failed, first", failed, ops->n)
		     : 0;
}
