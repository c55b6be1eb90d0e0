/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/uplinks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/spawn.h"
#include "netcfg/keeper.h"
#include "netcfg/snapshot.h"
#include "netcfg/watch.h"

#define DHCPCD   "/usr/sbin/dhcpcd"
#define CONF_MAX 65536

/* A card seldom comes alone, and never with all of its settings at once. */
#define QUIET_MS 100

/* dhcpcd asks ever more rarely when nobody answers, up to once a minute. A server that comes back with its
 * router, after the whole house lost its power, is to be found sooner. */
#define IMPATIENT_MS 10000

static void want_dhcpcd(struct keeper *k)
{
	static const char *const argv[] = {DHCPCD, "-B", "-q", "-f", PATH_DHCPCD_CONF, NULL};
	_free_
	char *text = NULL;
	struct fail why;
	size_t len = 0;
	int r = io_read_file(AT_FDCWD, PATH_DHCPCD_CONF, CONF_MAX, &text, &len, &why);

	keeper_begin(k);
	if (r == 0 && len)
		r = keeper_want(k, "dhcpcd", argv, ip_hash(0, text), 0, &why);
	if (r < 0 && r != -ENOENT)
		k->tell(&why);
	keeper_end(k);
}

static bool in_list(const char *list, const char *key, const char *name)
{
	const char *at = strstr(list, key);
	char word[32];

	for (at = at ? at + strlen(key) : ""; *at == ' ';) {
		size_t n = strcspn(++at, " \n");

		snprintf(word, sizeof(word), "%.*s", (int)n, at);
		if (plan_match(word, name))
			return true;
		at += n;
	}
	return false;
}

static bool has_address(const struct net_state *have, const char *dev)
{
	for (size_t i = 0; i < have->n_addresses; i++)
		if (!strcmp(have->addresses[i].dev, dev) &&
		    !ip_is_link_local(&have->addresses[i].addr.ip))
			return true;
	return false;
}

/* Whether a device that is to have an address by DHCP, and could, has none. */
static bool lacks_address(struct nl_sock *route)
{
	struct net_state have = {0};
	_free_
	char *conf = NULL;
	bool lacks = false;
	size_t len;

	if (io_read_file(AT_FDCWD, PATH_DHCPCD_CONF, CONF_MAX, &conf, &len, NULL) == 0 && len &&
	    snapshot_links(route, &have, NULL) == 0)
		for (size_t i = 0; i < have.n_links && !lacks; i++)
			lacks = have.links[i].carrier &&
				in_list(conf, "allowinterfaces", have.links[i].name) &&
				!in_list(conf, "denyinterfaces", have.links[i].name) &&
				!has_address(&have, have.links[i].name);
	net_state_done(&have);
	return lacks;
}

/* What changes when a card comes, goes, or is set up or down; carriers come and go without it. */
static uint64_t look_at_cards(struct nl_sock *route, uint64_t before)
{
	struct net_state have = {0};
	uint64_t sum = 0;
	char text[64];

	if (snapshot_links(route, &have, NULL) < 0) {
		net_state_done(&have);
		return before;
	}
	for (size_t i = 0; i < have.n_links; i++)
		if (plan_is_card(&have.links[i])) {
			snprintf(text, sizeof(text), "%d %d %s", have.links[i].index,
				 have.links[i].up, have.links[i].name);
			sum += ip_hash(1, text);
		}
	net_state_done(&have);
	return sum;
}

static void reload(void (*tell)(const struct fail *f))
{
	static const char *const argv[] = {"/proc/self/exe", "reload", NULL};
	struct spawn child = {
		.argv = argv, .cgroup = -1, .n_fds = 3, .fds = {-1, STDOUT_FILENO, STDERR_FILENO}};
	siginfo_t info = {0};
	struct fail why;
	_fd_
	int pidfd = -1;

	if (spawn(&child, &pidfd, &why) < 0) {
		tell(&why);
		return;
	}
	(void)waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct nl_sock *listen_to_links(struct fail *f)
{
	struct nl_sock *sk = nlk_open(NETLINK_ROUTE, f);

	if (sk && nl_socket_add_membership(sk, RTNLGRP_LINK) < 0) {
		fail_set(f, EPROTO, "listening to network events");
		nlk_close(&sk);
	}
	return sk;
}

static void drain(int fd)
{
	char data[8192];

	while (recv(fd, data, sizeof(data), MSG_DONTWAIT) >= 0 || errno == ENOBUFS ||
	       errno == EINTR)
		;
}

int uplinks_run(void (*tell)(const struct fail *f), struct fail *f)
{
	static const char *const dirs[] = {PATH_RUNDIR, NULL};
	static const char *const names[] = {"dhcpcd.conf", NULL};
	_nlk_ struct nl_sock *events = listen_to_links(f);
	_nlk_ struct nl_sock *route = events ? nlk_open(NETLINK_ROUTE, f) : NULL;
	struct keeper k = {.tell = tell};
	uint64_t cards, now;
	_fd_
	int files = route ? watch_files(dirs, f) : -EPROTO;
	_fd_
	int signals = files < 0 ? files : watch_signals(f);
	struct pollfd more[] = {{files, POLLIN, 0}, {signals, POLLIN, 0}, {-1, POLLIN, 0}};
	int r = signals < 0 ? signals : 0;
	bool waiting = false, lacking;
	int64_t asked = now_ms();

	if (r < 0)
		return r;
	more[2].fd = nl_socket_get_fd(events);
	cards = look_at_cards(route, 0);
	reload(tell); /* what came before this listened */
	want_dhcpcd(&k);
	lacking = lacks_address(route);
	while (r == 0) {
		for (size_t i = 0; i < 3; i++)
			more[i].revents = 0;
		r = keeper_wait(&k, more, 3, waiting ? QUIET_MS : lacking ? IMPATIENT_MS : -1, f);
		if (r < 0 || more[1].revents)
			break;
		if (more[2].revents) {
			drain(more[2].fd);
			waiting = true;
			continue;
		}
		now = waiting ? look_at_cards(route, cards) : cards;
		waiting = false;
		if (now != cards)
			reload(tell);
		cards = now;
		if (watch_changed(files, names))
			want_dhcpcd(&k);
		else if (lacking && now_ms() - asked >= IMPATIENT_MS && lacks_address(route)) {
			keeper_hup(&k, "dhcpcd");
			asked = now_ms();
		}
		lacking = lacks_address(route);
	}
	keeper_done(&k);
	return r;
}
