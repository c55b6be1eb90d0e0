/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <stdio.h>
#include <string.h>

#include "base/paths.h"
#include "runtime/plan_maker.h"

#define GATEWAY "host-gateway"

/* The names that AddHost= adds: "name;name:address" or "name:address". Those of the host come into *gateway instead:
 * what its address is, the container's own routes say. */
static void add_host_lines(const struct maker *m, struct buf *text, struct buf *gateway)
{
	const struct container_spec *s = m->spec;

	for (size_t i = 0; i < s->add_hosts.n; i++) {
		const char *item = s->add_hosts.items[i];
		size_t names = strcspn(item, ":");
		bool host = !strcmp(item + names, ":" GATEWAY);
		struct buf *out = host && strcmp(m->net, "host") ? gateway : text;

		if (!item[names])
			continue;
		if (out == text)
			buf_fmt(text, "%s", host ? "127.0.0.1" : item + names + 1);
		buf_chr(out, ' ');
		for (size_t k = 0; k < names; k++)
			buf_chr(out, item[k] == ';' ? ' ' : item[k]);
		if (out == text)
			buf_chr(text, '\n');
	}
}

/* A file of orlop-net's: the unit's own, where it has one (it is in several networks, or in one without
 * names), else that of its network, which all members share. Every name stands in it before the first of
 * them starts. False for units that are in no network of ours. */
static bool network_file(const struct maker *m, const char *folder, char own[512], char shared[512])
{
	const struct container_spec *s = m->spec;

	own[0] = shared[0] = '\0';
	if (strcmp(m->net, "bridge") != 0)
		return false;
	snprintf(own, 512, "%s/%s", folder, s->joins ? s->joins : s->unit);
	snprintf(shared, 512, "%s/%s", folder, s->networks[0].name);
	return true;
}

static void add_hosts(struct maker *m)
{
	const struct container_spec *s = m->spec;
	_buf_ struct buf text = {0}, gateway = {0};
	char own[512], shared[512];
	bool ours = network_file(m, PATH_HOSTS, own, shared);

	if (!ours)
		buf_fmt(&text, "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s\n",
			plan_hostname(s));
	add_host_lines(m, &text, &gateway);
	m->plan->bad |= text.bad || gateway.bad;
	if (ours && !text.len && !gateway.len)
		ADD3(m, STEP_BIND_FILE, own, "/etc/hosts", shared);
	else
		plan_add(m, STEP_FILE, "/etc/hosts", text.data ? text.data : "", ours ? own : NULL,
			 ours ? shared : NULL);
	if (gateway.len)
		ADD2(m, STEP_HOST_GATEWAY, "/etc/hosts", gateway.data);
}

static void add_words(struct buf *text, const char *key, const struct strlist *words)
{
	if (!words->n)
		return;
	buf_str(text, key);
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->items[i], ".")) /* DNSSearch=. : none */
			buf_fmt(text, " %s", words->items[i]);
	buf_chr(text, '\n');
}

static void add_resolv_conf(struct maker *m)
{
	const struct container_spec *s = m->spec;
	_buf_ struct buf text = {0};
	char own[512], shared[512];
	bool ours = network_file(m, PATH_RESOLVS, own, shared);

	if (s->dns.n && !strcmp(s->dns.items[0], "none"))
		return;
	add_words(&text, "search", &s->dns_search);
	for (size_t i = 0; i < s->dns.n; i++)
		buf_fmt(&text, "nameserver %s\n", s->dns.items[i]);
	add_words(&text, "options", &s->dns_option);
	m->plan->bad |= text.bad;
	if (text.len) /* servers of the unit replace the network's; other lines come after them */
		plan_add(m, STEP_FILE, "/etc/resolv.conf", text.data,
			 s->dns.n ? NULL
			 : ours   ? own
				  : PATH_RESOLV,
			 s->dns.n || !ours ? NULL : shared);
	else if (ours)
		ADD3(m, STEP_BIND_FILE, own, "/etc/resolv.conf", shared);
	else if (strcmp(m->net, "none"))
		ADD2(m, STEP_BIND_FILE, PATH_RESOLV, "/etc/resolv.conf");
}

/* A unit that mounts something of its own at one of these is left alone. */
void add_etc(struct maker *m)
{
	const struct container_spec *s = m->spec;
	char text[128];

	if (!plan_mounts_at(s, "/etc/hostname")) {
		snprintf(text, sizeof(text), "%s\n", plan_hostname(s));
		ADD2(m, STEP_FILE, "/etc/hostname", text);
	}
	if (!plan_mounts_at(s, "/etc/hosts"))
		add_hosts(m);
	if (!plan_mounts_at(s, "/etc/resolv.conf"))
		add_resolv_conf(m);
	if (s->timezone && !plan_mounts_at(s, "/etc/localtime"))
		ADD1(m, STEP_TIMEZONE, s->timezone);
}

/* Files in memory that is never swapped; each has its own owner and mode. */
void add_secrets(struct maker *m)
{
	const struct container_spec *s = m->spec;

	for (size_t i = 0; i < s->n_secrets; i++) {
		const struct spec_secret *secret = &s->secrets[i];
		char target[512], owner[64];

		if (strcmp(secret->type, "mount"))
			continue;
		if (*secret->target)
			snprintf(target, sizeof(target), "%s", secret->target);
		else
			snprintf(target, sizeof(target), "/run/secrets/%s", secret->name);
		snprintf(owner, sizeof(owner), "%s:%s", *secret->uid ? secret->uid : "0",
			 *secret->gid ? secret->gid : "0");
		plan_add(m, STEP_SECRET, secret->name, target, owner,
			 *secret->mode ? secret->mode : "0444");
	}
}
