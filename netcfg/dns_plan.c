/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "netcfg/dns.h"
#include "netcfg/resolve.h"

#define DNSMASQ "/usr/sbin/dnsmasq"

bool dns_serves(const struct netspec_network *net)
{
	return resolve_own_bridge(net) && !resolve_yes(net->disable_dns) &&
	       (*resolve_str(net->gateway) || *resolve_str(net->gateway6));
}

/* One word, ended; list: comma list, a word with `key` for each item. */
static void word(struct buf *b, const char *key, const char *value)
{
	buf_fmt(b, "%s%s", key, value);
	buf_add(b, "", 1);
}

static void words(struct buf *b, const char *key, const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		buf_fmt(b, "%s%.*s", key, (int)n, list);
		buf_add(b, "", 1);
		list += n + (list[n] == ',');
	}
}

/* The words of a command line, ended. */
static void begin(struct buf *b)
{
	word(b, DNSMASQ, "");
	word(b, "--keep-in-foreground", "");
	word(b, "--conf-file=", "/dev/null");
	word(b, "--pid-file=", "");
	word(b, "--log-facility=", "-");
	word(b, "--bind-interfaces", "");
	word(b, "--no-hosts", "");
	word(b, "--domain-needed", ""); /* a plain name is one of ours or nobody's */
	word(b, "--cache-size=", "1000");
}

/* Where the names are, and whether it asks the host's servers. net: the network whose members it asks for, NULL = one
 * with a way out is not among them. These words come before those whose number is anybody's. */
static void knows(struct buf *b, const char *file, const struct netspec_network *net)
{
	word(b, "--addn-hosts=" PATH_HOSTS "/", file);
	if (!net || *resolve_str(net->dns))
		word(b, "--no-resolv", ""); /* asking would be a way out, of a kind */
	else
		word(b, "--resolv-file=", PATH_RESOLV);
}

/* Its own servers, and the end of the command line. */
static int finish(struct buf *b, const struct netspec_network *net, struct dns_job *ret)
{
	size_t n = 0, at = 0;

	*ret = (struct dns_job){0};
	if (net)
		words(b, "--server=", resolve_str(net->dns));
	for (; !b->bad && at < b->len && n < DNS_ARGS_MAX; at += strlen(b->data + at) + 1)
		ret->argv[n++] = b->data + at;
	if (b->bad || at < b->len) {
		int r = b->bad ? -ENOMEM : -E2BIG;

		buf_done(b);
		*ret = (struct dns_job){0};
		return r;
	}
	ret->text = b->data;
	return 0;
}

int dns_job(const struct netspec_network *net, struct dns_job *ret)
{
	const struct netspec_network *out = resolve_yes(net->internal) ? NULL : net;
	struct buf b = {0};

	begin(&b);
	knows(&b, net->name, out);
	words(&b, "--listen-address=", resolve_str(net->gateway));
	words(&b, "--listen-address=", resolve_str(net->gateway6));
	return finish(&b, out, ret);
}

int dns_set_job(const struct dns_set *set, struct dns_job *ret)
{
	const struct netspec_network *out = NULL;
	struct buf b = {0};
	char port[8];

	for (size_t i = 0; i < set->n && !out; i++)
		if (!resolve_yes(set->networks[i]->internal))
			out = set->networks[i];
	begin(&b);
	snprintf(port, sizeof(port), "%u", set->port);
	word(&b, "--port=", port);
	knows(&b, set->file, out);
	for (size_t i = 0; i < set->n; i++) {
		words(&b, "--listen-address=", resolve_str(set->networks[i]->gateway));
		words(&b, "--listen-address=", resolve_str(set->networks[i]->gateway6));
	}
	return finish(&b, out, ret);
}

void dns_job_done(struct dns_job *job)
{
	free(job->text);
	*job = (struct dns_job){0};
}
