/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "netcfg/host_conf.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "netcfg/ip.h"
#include "netcfg/names.h"
#include "netcfg/nft.h"
#include "netcfg/resolve.h"
#include "units/codes.h"
#include "units/ini.h"
#include "units/suggest.h"
#include "units/value.h"

#define UPLINK  "Uplink"
#define INBOUND "Inbound"

struct reader {
	struct diags *diags;
	const char *data;
	size_t len;
	struct net_spec made; /* what is appended in the end */
	bool inbound, bad;
};

/* Marks `width` bytes of the entry's value from `at` on; width 0 = its key. */
static void wrong(struct reader *r, const struct ini_entry *e, const char *code, size_t at,
		  size_t width, const char *hint, const char *what)
{
	struct diag *d = diag_add(r->diags, DIAG_ERROR, code, width ? ini_at(e, at) : e->at,
				  width ? width : strlen(e->key), hint, "%s", what);

	diag_set_line(r->diags, d, r->data, r->len);
}

/* --- values: NULL, or why not --------------------------------------------------------------------- */

static const char *check_prefix(const char *s)
{
	struct ip_prefix p;

	return ip_prefix_parse(s, &p) ? NULL : "is not ADDRESS/LENGTH";
}

static const char *check_ip(const char *s)
{
	struct ip ip;

	return ip_parse(s, &ip) ? NULL : "is not an IP address";
}

static const char *check_pattern(const char *s)
{
	return strlen(s) < NAME_DEVICE_MAX && !strchr(s, '/') ? NULL
							      : "cannot be the name of a device";
}

static const char *check_bridge(const char *s)
{
	return name_device_valid(s) && strncmp(s, "ol", 2) != 0 ? NULL
								: "cannot be the name of a bridge";
}

static const char *check_word(const char *s)
{
	return name_host_valid(s) ? NULL : "has characters that cannot be in it";
}

static const char *check_mac(const char *s)
{
	struct mac mac;

	return mac_parse(s, &mac) ? NULL : "is not a MAC address";
}

static const char *check_mtu(const char *s)
{
	int64_t n;

	return value_int(s, 576, 65535, &n) ? "is not an MTU from 576 to 65535" : NULL;
}

static const char *check_vlan(const char *s)
{
	int64_t n;

	return value_int(s, 1, 4094, &n) ? "is not a VLAN's number, from 1 to 4094" : NULL;
}

static const char *check_dhcp(const char *s)
{
	static const char *const words[] = {"yes", "no", "ipv4", "ipv6"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(s, words[i]))
			return NULL;
	return "is none of yes, no, ipv4, ipv6";
}

/* --- [Uplink] ------------------------------------------------------------------------------------- */

#define CELL(field) offsetof(struct netspec_uplink, field)

static const struct conf_key {
	const char *name;
	size_t cell;
	bool list; /* words of all lines; else one word, the last line wins */
	const char *(*check)(const char *word);
	const char *code;
} keys[] = {
	{"Device", CELL(device), false, check_pattern, U_NAME},
	{"MAC", CELL(mac), false, check_mac, U_ADDRESS},
	{"Driver", CELL(driver), false, check_word, U_NAME},
	{"Address", CELL(addresses), true, check_prefix, U_ADDRESS},
	{"Gateway", CELL(gateways), true, check_ip, U_ADDRESS},
	{"DNS", CELL(dns), true, check_ip, U_ADDRESS},
	{"Search", CELL(search), true, check_word, U_NAME},
	{"DHCP", CELL(dhcp), false, check_dhcp, U_CHOICE},
	{"MTU", CELL(mtu), false, check_mtu, U_NUMBER},
	{"VLAN", CELL(vlan), false, check_vlan, U_NUMBER},
	{"Bridge", CELL(bridge), false, check_bridge, U_NAME},
};

static void put(struct reader *r, char **cell, const char *word, bool append)
{
	_buf_ struct buf b = {0};
	char *text;

	if (append && *cell && **cell)
		buf_fmt(&b, "%s,", *cell);
	buf_str(&b, word);
	text = buf_take(&b);
	r->bad |= !text;
	if (text) {
		free(*cell);
		*cell = text;
	}
}

/* The next word of value from *at on: its start and length; false at the end. Blanks and commas divide. */
static bool next_word(const char *value, size_t *at, size_t *ret_len)
{
	*at += strspn(value + *at, " \t,");
	*ret_len = strcspn(value + *at, " \t,");
	return *ret_len > 0;
}

static void read_key(struct reader *r, struct netspec_uplink *u, const struct ini_entry *e,
		     const struct conf_key *key)
{
	char **cell = (char **)((char *)u + key->cell);
	char word[256], what[320];
	size_t len, n = 0;

	for (size_t at = 0; next_word(e->value, &at, &len); at += len, n++) {
		const char *why = "is too long";

		snprintf(word, sizeof(word), "%.*s", (int)len, e->value + at);
		if (len < sizeof(word))
			why = key->check(word);
		if (!why && !key->list && n)
			why = "is one word too many";
		if (!why) {
			put(r, cell, word, key->list);
			continue;
		}
		snprintf(what, sizeof(what), "\"%.200s\" %s", word, why);
		wrong(r, e, key->code, at, len, NULL, what);
	}
	if (!n)
		put(r, cell, "", false); /* takes back what was said above */
}

static void unknown_key(struct reader *r, const struct ini_entry *e)
{
	char what[128];
	const char *near = NULL;
	_buf_ struct buf hint = {0};

	for (size_t i = 0; i < ARRAY_LEN(keys) && !near; i++)
		if (suggest_edits(e->key, keys[i].name, 2) <= 2)
			near = keys[i].name;
	if (near)
		buf_fmt(&hint, "did you mean \"%s\"?", near);
	snprintf(what, sizeof(what), "unknown key \"%s\" in [%s]", e->key, e->section);
	wrong(r, e, U_UNKNOWN_KEY, 0, 0, near ? hint.data : NULL, what);
}

static bool counts(const char *list, uint8_t family, size_t *n)
{
	char word[IP_TEXT_MAX];
	struct ip ip;

	for (size_t at = 0, len; next_word(list, &at, &len); at += len) {
		snprintf(word, sizeof(word), "%.*s", (int)len, list + at);
		*n += ip_parse(word, &ip) && ip.family == family;
	}
	return *n > 1;
}

/* What only the whole section can have wrong. */
static void check_uplink(struct reader *r, const struct netspec_uplink *u,
			 const struct ini_entry *last)
{
	size_t n4 = 0, n6 = 0;

	if (*resolve_str(u->gateways) && !*resolve_str(u->addresses))
		wrong(r, last, U_CONFLICT, 0, 0, "with DHCP the gateway comes from the server",
		      "Gateway= without Address=");
	if (counts(resolve_str(u->gateways), 4, &n4) || counts(resolve_str(u->gateways), 6, &n6))
		wrong(r, last, U_CONFLICT, 0, 0, NULL, "more than one Gateway= of one family");
}

/* By the section's name: "Uplink" is "uplink", "Uplink-lan" is "lan". */
static struct netspec_uplink *uplink_of(struct reader *r, const struct ini_entry *e)
{
	const char *name = e->section[strlen(UPLINK)] ? e->section + strlen(UPLINK "-") : "uplink";
	struct netspec_uplink *u;

	for (size_t i = 0; i < r->made.n_uplinks; i++)
		if (!strcmp(r->made.uplinks[i].name, name))
			return &r->made.uplinks[i];
	if (r->made.n_uplinks == HOST_CONF_UPLINKS_MAX) {
		wrong(r, e, U_LIMIT, 0, 0, NULL, "too many uplinks");
		return NULL;
	}
	if (!record_append((void **)&r->made.uplinks, &r->made.n_uplinks,
			   sizeof(*u) / sizeof(char *))) {
		r->bad = true;
		return NULL;
	}
	u = &r->made.uplinks[r->made.n_uplinks - 1];
	put(r, &u->name, name, false);
	return r->bad ? NULL : u;
}

static void read_uplink(struct reader *r, const struct ini_entry *e)
{
	struct netspec_uplink *u = uplink_of(r, e);

	for (size_t i = 0; u && i < ARRAY_LEN(keys); i++)
		if (!strcmp(keys[i].name, e->key)) {
			read_key(r, u, e, &keys[i]);
			return;
		}
	if (u)
		unknown_key(r, e);
}

/* --- [Inbound] ------------------------------------------------------------------------------------ */

/* "22/tcp", "60000-60100/udp": cuts it up in place. */
static bool parse_open(char *word, const char **first, const char **last, const char **protocol)
{
	char *slash = strchr(word, '/'), *dash;
	int64_t lo, hi;

	if (!slash)
		return false;
	*slash = '\0';
	dash = strchr(word, '-');
	if (dash)
		*dash = '\0';
	*first = word;
	*last = dash ? dash + 1 : word;
	*protocol = slash + 1;
	return !value_int(*first, 1, 65535, &lo) && !value_int(*last, lo, 65535, &hi) &&
	       hi - lo < HOST_CONF_RANGE_MAX && nft_protocol(*protocol);
}

static void add_open(struct reader *r, const char *protocol, const char *first, const char *last)
{
	const char *words[] = {"", protocol, first, last};
	char **cells = record_append((void **)&r->made.opens, &r->made.n_opens, ARRAY_LEN(words));

	r->bad |= !cells;
	for (size_t i = 0; cells && i < ARRAY_LEN(words); i++)
		put(r, &cells[i], words[i], false);
}

static void read_inbound(struct reader *r, const struct ini_entry *e)
{
	const char *first, *last, *protocol;
	char word[64], what[160];
	size_t len;

	if (strcmp(e->key, "Open") != 0) {
		wrong(r, e, U_UNKNOWN_KEY, 0, 0, "there is Open=", "unknown key in [" INBOUND "]");
		return;
	}
	for (size_t at = 0; next_word(e->value, &at, &len); at += len) {
		snprintf(word, sizeof(word), "%.*s", (int)len, e->value + at);
		if (!strcmp(word, "all")) {
			add_open(r, "", "", "");
			continue;
		}
		if (len < sizeof(word) && parse_open(word, &first, &last, &protocol)) {
			add_open(r, protocol, first, last);
			continue;
		}
		snprintf(what, sizeof(what), "\"%.*s\" is not PORT[-PORT]/PROTOCOL",
			 (int)(len < 60 ? len : 60), e->value + at);
		wrong(r, e, U_PORT, at, len, "protocols are tcp, udp and sctp", what);
	}
}

/* --- all of it ------------------------------------------------------------------------------------ */

static bool is_uplink(const char *section)
{
	size_t n = strlen(UPLINK);

	return !strncmp(section, UPLINK, n) &&
	       (!section[n] || (section[n] == '-' && section[n + 1]));
}

static bool move(void *to, size_t *n_to, void *from, size_t *n_from, size_t width)
{
	for (size_t i = 0; i < *n_from; i++) {
		char **cells = record_append((void **)to, n_to, width);

		if (!cells)
			return false;
		memcpy(cells, (char **)from + i * width, width * sizeof(char *));
		memset((char **)from + i * width, 0, width * sizeof(char *));
	}
	return true;
}

/* With [Inbound] host.conf is the whole truth of what is open. */
static bool merge(struct reader *r, struct net_spec *spec)
{
	if (r->inbound) {
		struct net_spec old = {.opens = spec->opens, .n_opens = spec->n_opens};

		netspec_done(&old);
		spec->opens = NULL;
		spec->n_opens = 0;
	}
	return move(&spec->uplinks, &spec->n_uplinks, r->made.uplinks, &r->made.n_uplinks,
		    sizeof(*r->made.uplinks) / sizeof(char *)) &&
	       move(&spec->opens, &spec->n_opens, r->made.opens, &r->made.n_opens,
		    sizeof(*r->made.opens) / sizeof(char *));
}

int host_conf_read(struct arena *arena, const char *file, const char *data, size_t len,
		   struct diags *diags, struct net_spec *spec)
{
	struct reader r = {.diags = diags, .data = data, .len = len};
	struct ini_doc doc;
	int e = ini_read(arena, file, data, len, diags, &doc);

	for (size_t i = 0; e != -ENOMEM && i < doc.n_sections; i++)
		r.inbound |= !strcmp(doc.sections[i].name, INBOUND);
	for (size_t i = 0; e != -ENOMEM && i < doc.n_entries && !r.bad; i++) {
		const struct ini_entry *entry = &doc.entries[i];

		if (is_uplink(entry->section))
			read_uplink(&r, entry);
		else if (!strcmp(entry->section, INBOUND))
			read_inbound(&r, entry);
	}
	for (size_t i = 0; e != -ENOMEM && i < doc.n_entries && !r.bad; i++)
		if (is_uplink(doc.entries[i].section) &&
		    (i + 1 == doc.n_entries ||
		     strcmp(doc.entries[i].section, doc.entries[i + 1].section) != 0)) {
			const struct netspec_uplink *u = uplink_of(&r, &doc.entries[i]);

			if (u)
				check_uplink(&r, u, &doc.entries[i]);
		}
	if (e == 0 && diags->n_errors)
		e = -EINVAL;
	if (e == 0 && (r.bad || arena_bad(arena) || !merge(&r, spec)))
		e = -ENOMEM;
	netspec_done(&r.made);
	return r.bad ? -ENOMEM : e;
}
