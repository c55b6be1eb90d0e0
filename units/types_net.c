/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Parsers of PublishPort= and Network=. */
#include <stdio.h>
#include <string.h>

#include "units/codes.h"
#include "units/conv.h"
#include "units/value.h"

/* --- ports ------------------------------------------------------------------------------------ */

struct range {
	int64_t first, last;
};

static bool read_range(const char *s, size_t len, struct range *ret)
{
	size_t dash = 0;
	char number[8];

	while (dash < len && s[dash] != '-')
		dash++;
	if (dash >= sizeof(number) || len - dash > sizeof(number))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)dash, s);
	if (value_int(number, 1, 65535, &ret->first))
		return false;
	ret->last = ret->first;
	if (dash == len)
		return true;
	snprintf(number, sizeof(number), "%.*s", (int)(len - dash - 1), s + dash + 1);
	return !value_int(number, 1, 65535, &ret->last) && ret->last >= ret->first;
}

static void wrong_port(struct conv *c, const struct item *item, const char *part, size_t len,
		       const char *hint, const char *what)
{
	conv_report(c, DIAG_ERROR, item, part, len, U_PORT, hint, "\"%.*s\" %s", (int)len, part,
		    what);
}

/* The address in front of the ports: "10.0.0.1" or "[::1]"; *ret_ip NULL for all. false: reported. */
static bool read_address(struct conv *c, const struct item *item, const char *s, size_t len,
			 const char **ret_ip)
{
	bool brackets = len >= 2 && s[0] == '[' && s[len - 1] == ']';
	const char *ip = arena_strndup(c->arena, s + brackets, len - 2 * brackets);

	*ret_ip = NULL;
	if (!ip)
		return false;
	if (len == 0 || strcmp(ip, "0.0.0.0") == 0)
		return true;
	if (brackets ? value_ipv6(ip) : value_ipv4(ip)) {
		wrong_port(c, item, s, len, "write an IPv6 address in brackets: [fd00::1]:80:80",
			   "is no IP address");
		return false;
	}
	*ret_ip = ip;
	return true;
}

static void add_ports(struct conv *c, void *field, const struct item *item, const char *ip,
		      const char *protocol, const struct range *host, const struct range *inside)
{
	if (!conv_count_ports(c, (size_t)(inside->last - inside->first) + 1))
		return;
	for (int64_t i = 0; i <= inside->last - inside->first; i++) {
		struct unit_port *slot = CONV_PUSH(c, struct unit_port, field);

		if (!slot)
			return;
		*slot = (struct unit_port){
			.ip = ip,
			.host = host->first ? (uint16_t)(host->first + i) : 0,
			.container = (uint16_t)(inside->first + i),
			.protocol = protocol,
			.at = conv_at(c, item),
		};
	}
}

static const char *known_protocol(const char *s)
{
	static const char *const names[] = {"tcp", "udp", "sctp"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], s) == 0)
			return names[i];
	return NULL;
}

/* [[IP:][HOST]:]CONTAINER[/PROTOCOL], read from its end. */
void parse_ports(struct conv *c, void *field)
{
	struct range host = {0}, inside;
	const char *value, *slash, *protocol = "tcp", *end, *p, *ip = NULL;
	struct item item;

	if (!conv_value(c, CONV_ALL, false, &item))
		return;
	value = item.text.value;
	slash = strchr(value, '/');
	end = slash ? slash : value + strlen(value);
	if (slash && !(protocol = known_protocol(slash + 1))) {
		wrong_port(c, &item, slash + 1, strlen(slash + 1), "there are tcp, udp and sctp",
			   "is no protocol");
		return;
	}
	for (p = end; p > value && p[-1] != ':'; p--)
		;
	if (!read_range(p, (size_t)(end - p), &inside)) {
		wrong_port(c, &item, p, (size_t)(end - p),
			   "ports are 1 to 65535, ranges FIRST-LAST", "is no port");
		return;
	}
	if (p > value) {
		end = p - 1;
		for (p = end; p > value && p[-1] != ':'; p--)
			;
		if (p < end && !read_range(p, (size_t)(end - p), &host)) {
			wrong_port(c, &item, p, (size_t)(end - p),
				   "ports are 1 to 65535, ranges FIRST-LAST", "is no port");
			return;
		}
		if (p > value && !read_address(c, &item, value, (size_t)(p - value) - 1, &ip))
			return;
	}
	if (host.first && host.last - host.first != inside.last - inside.first) {
		conv_error(c, &item, U_PORT, NULL, "\"%s\": the two ranges are not equally long",
			   value);
		return;
	}
	add_ports(c, field, &item, ip, protocol, &host, &inside);
}

/* --- networks --------------------------------------------------------------------------------- */

/* One option behind "x.network:"; false: reported. */
static bool join_option(struct conv *c, const struct item *item, const char *s, size_t len,
			struct unit_join *join)
{
	const char *why = "there are ip=, ip6=, mac=, alias=";
	const char *option = arena_strndup(c->arena, s, len), *value;

	if (!option)
		return false;
	value = strchr(option, '=');
	value = value ? value + 1 : "";
	if (strncmp(option, "ip=", 3) == 0 && !(why = value_ip(value))) {
		if (strchr(value, ':'))
			join->ip6 = value;
		else
			join->ip = value;
		return true;
	}
	if (strncmp(option, "ip6=", 4) == 0 && !(why = value_ipv6(value))) {
		join->ip6 = value;
		return true;
	}
	if (strncmp(option, "mac=", 4) == 0 && !(why = value_mac(value))) {
		join->mac = value;
		return true;
	}
	if (strncmp(option, "alias=", 6) == 0 && *value) {
		conv_add_text(c, &join->aliases, (struct text){value, NULL});
		return true;
	}
	if (strncmp(option, "interface_name=", 15) == 0 ||
	    strncmp(option, "host_interface_name=", 20) == 0) {
		conv_report(c, DIAG_WARNING, item, s, len, U_NO_EFFECT, NULL,
			    "\"%s\" has no effect: interfaces are named eth0, eth1", option);
		return true;
	}
	conv_report(c, DIAG_ERROR, item, s, len, U_NETWORK, why,
		    "\"%s\" is wrong in Network=", option);
	return false;
}

/* Modes that are refused, by the word before the ':'. */
static const struct {
	const char *mode, *hint;
} refused_modes[] = {
	{"pasta", "it is for users other than root: leave Network= out for the default bridge"},
	{"slirp4netns",
	 "it is for users other than root: leave Network= out for the default bridge"},
	{"private", "leave Network= out for the default bridge"},
};

static void add_join(struct conv *c, void *field, const struct unit_join *join)
{
	struct unit_join *slot = CONV_PUSH(c, struct unit_join, field);

	if (slot)
		*slot = *join;
}

/* ns:PATH. What is at the path is looked at when the container starts. */
static void add_path(struct conv *c, void *field, const struct item *item)
{
	const char *path = spec_net_path(item->text.value);

	if (!path || *path != '/')
		conv_report(c, DIAG_ERROR, item, path, path ? strlen(path) : 0, U_NETWORK,
			    "write for example ns:/run/netns/NAME",
			    "\"%s\" in Network= is no absolute path", path ? path : "");
	else
		add_join(c, field, &(struct unit_join){.name = item->text, .at = conv_at(c, item)});
}

void parse_networks(struct conv *c, void *field)
{
	struct unit_join join = {0};
	const char *value, *options, *dot;
	struct item item;
	char mode[256];
	size_t len;

	if (!conv_value(c, CONV_ALL, false, &item))
		return;
	value = item.text.value;
	len = strcspn(value, ":");
	options = value[len] ? value + len + 1 : "";
	snprintf(mode, sizeof(mode), "%.*s", (int)len, value);
	for (size_t i = 0; i < sizeof(refused_modes) / sizeof(*refused_modes); i++)
		if (strcmp(mode, refused_modes[i].mode) == 0) {
			conv_error(c, &item, U_NETWORK, refused_modes[i].hint,
				   "Network=%s is not supported", value);
			return;
		}
	if (strcmp(mode, "ns") == 0) {
		add_path(c, field, &item);
		return;
	}
	join.at = conv_at(c, &item);
	if (strcmp(mode, "container") == 0) {
		join.container = true;
		join.name.value = options;
		options = "";
	} else {
		join.name.value = arena_strndup(c->arena, value, len);
	}
	if (!join.name.value)
		return;
	if (strcmp(mode, "bridge") == 0 || strcmp(mode, "podman") == 0 ||
	    strcmp(mode, "default") == 0)
		join.name.value = NETSPEC_DEFAULT_NAME;
	else if (item.text.raw && !join.container)
		join.name.raw = arena_strndup(c->arena, item.text.raw, strcspn(item.text.raw, ":"));
	/* Whether it is a unit is told by what is written, before variables are filled in. */
	dot = strrchr(join.name.raw ? join.name.raw : join.name.value, '.');
	if (dot && (strcmp(dot, ".network") == 0 || strcmp(dot, ".container") == 0)) {
		join.ref = join.name.value;
		join.container = dot[1] == 'c';
	}
	if (*options && !join.ref && value_choice(mode, "host none") >= 0) {
		conv_report(c, DIAG_ERROR, &item, options, strlen(options), U_NETWORK, NULL,
			    "\"%s\" is wrong in Network=: %s has no options", options, mode);
		return;
	}
	if (!*join.name.value) {
		conv_error(c, &item, U_NETWORK, NULL, "\"%s\" names no network", value);
		return;
	}
	for (const char *s = options; *s; s += len + (s[len] == ',')) {
		len = strcspn(s, ",");
		if (!join_option(c, &item, s, len, &join))
			return;
	}
	add_join(c, field, &join);
}
