/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-net: the host's side of the network. See docs/architecture.md and netcfg/plan.h.
 *
 * A verb is a row of the table: name, arguments, function, help.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "netcfg/dns.h"
#include "netcfg/list.h"
#include "netcfg/online.h"
#include "netcfg/port.h"
#include "netcfg/resolv.h"
#include "netcfg/up.h"
#include "netcfg/uplinks.h"
#include "units/load.h"

#define SPEC_FD  3
#define NETNS_FD 4
#define SPEC_MAX (16u << 20)

#define UP_WORDS_MAX (2 * (int)LIMIT_TRANSIENT)

enum exit_code { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_USAGE = 2 };

static void complain(const struct fail *f)
{
	fprintf(stderr, "orlop-net: %s\n", f->text);
}

static int read_spec(struct net_spec *spec, struct fail *f)
{
	_free_
	char *data = NULL;
	size_t len;
	int r = io_read_fd(SPEC_FD, "network spec", SPEC_MAX, &data, &len, f);

	*spec = (struct net_spec){0};
	return r < 0 ? r : netspec_decode(spec, data, len, f);
}

/* From unit folders, the same way as PID 1 does it. */
static int load_spec(char **folders, struct net_spec *spec, struct fail *f)
{
	struct unit_set *set = NULL;
	int r = units_load_dirs(*folders ? (const char *const *)folders : units_dirs, NULL, &set,
				f);

	*spec = (struct net_spec){0};
	if (r == 0)
		r = netspec_from_units(set, spec, f);
	unit_set_free(set);
	return r;
}

/* folders: NULL = the spec is on fd 3. */
static int up_or_plan(char **folders, const char *const *gone, bool dry, struct fail *f)
{
	_buf_ struct buf text = {0};
	struct net_spec spec;
	int r = folders ? load_spec(folders, &spec, f) : read_spec(&spec, f);

	if (r < 0)
		return r;
	r = up_run(&spec, gone, dry, &text, complain, f);
	if (text.data)
		fputs(text.data, stdout);
	netspec_done(&spec);
	return r;
}

static int verb_up(char **args, struct fail *f)
{
	const char *gone[UP_WORDS_MAX / 2 + 1] = {NULL};
	size_t n = 0;

	for (; *args; args += 2) {
		if (strcmp(*args, "--forget") != 0 || !args[1])
			return fail_set(f, EINVAL, "argument \"%s\"", *args);
		gone[n++] = args[1];
	}
	return up_or_plan(NULL, gone, false, f);
}

static int verb_dns(char **args, struct fail *f)
{
	(void)args;
	return dns_run(complain, f);
}

static int verb_uplinks(char **args, struct fail *f)
{
	(void)args;
	return uplinks_run(complain, f);
}

static int verb_resolv(char **args, struct fail *f)
{
	(void)args;
	return resolv_run(f);
}

static int verb_plan(char **args, struct fail *f)
{
	return up_or_plan(!*args && fcntl(SPEC_FD, F_GETFD) >= 0 ? NULL : args, NULL, true, f);
}

/* What orlop-run does in its own process; here for tests, and for a container that lost its network. */
static int verb_attach(char **args, struct fail *f)
{
	_free_
	char *data = NULL;
	struct container_spec spec = {0};
	size_t len;
	int r = io_read_fd(SPEC_FD, "container spec", LIMIT_SPEC, &data, &len, f);

	(void)args;
	if (r == 0)
		r = spec_decode(&spec, data, len, f);
	if (r == 0 && !spec.unit)
		r = fail_set(f, EINVAL, "the spec names no unit");
	if (r == 0)
		r = port_attach(spec.unit, spec.networks, spec.n_networks, spec.ports, spec.n_ports,
				NETNS_FD, f);
	spec_done(&spec);
	return r;
}

static int verb_down(char **args, struct fail *f)
{
	return port_detach(args[0], f);
}

static int verb_wait_online(char **args, struct fail *f)
{
	return online_wait(args[0] ? atoi(args[0]) * 1000 : -1, f);
}

/* [--json] [--frame-id N] [NAME], the name only where there can be one. */
static int list_args(char **args, struct list_out *out, const char **ret_name, struct fail *f)
{
	*out = (struct list_out){LIST_TEXT, 0};
	for (; *args; args++) {
		if (!strcmp(*args, "--json"))
			out->form = LIST_JSON;
		else if (!strcmp(*args, "--frame-id") && args[1])
			*out = (struct list_out){LIST_FRAMES, strtoul(*++args, NULL, 10)};
		else if (ret_name && !*ret_name && **args != '-')
			*ret_name = *args;
		else
			return fail_set(f, EINVAL, "argument \"%s\"", *args);
	}
	return 0;
}

/* The end of a listing: whoever reads frames is told of an error in the last of them. */
static int told(const struct list_out *out, int r, const struct fail *f)
{
	if (out->form != LIST_FRAMES)
		return r;
	(void)list_exit(out, r < 0 ? EXIT_BAD : EXIT_GOOD, r < 0 ? f->text : NULL);
	return 0;
}

/* Where reload's answer goes. */
static struct list_out reload_out;

static void reload_problem(const struct fail *f)
{
	_buf_ struct buf line = {0};

	if (reload_out.form == LIST_TEXT) {
		complain(f);
		return;
	}
	buf_fmt(&line, "%s\n", f->text);
	(void)list_lines(&reload_out, "problem", line.data ? line.data : "", NULL);
}

static int reload(struct fail *f)
{
	_buf_ struct buf text = {0};
	int r = up_run(NULL, NULL, false, &text, reload_problem, f);
	int told = list_lines(&reload_out, "did", text.data ? text.data : "", r < 0 ? NULL : f);

	return r < 0 ? r : told;
}

/* What PID 1 asked for last time, and host.conf as it is now. */
static int verb_reload(char **args, struct fail *f)
{
	int r = list_args(args, &reload_out, NULL, f);

	return r < 0 ? r : told(&reload_out, reload(f), f);
}

static int verb_ls(char **args, struct fail *f)
{
	struct list_out out;
	const char *only = NULL;
	int r = list_args(args, &out, &only, f);

	return r < 0 ? r : told(&out, list_networks(&out, only, f), f);
}

static int verb_ports(char **args, struct fail *f)
{
	struct list_out out;
	int r = list_args(args, &out, NULL, f);

	return r < 0 ? r : told(&out, list_ports(&out, f), f);
}

static const struct verb {
	const char *name, *args, *help;
	int min, max;
	int (*run)(char **args, struct fail *f);
} verbs[] = {
	{"up", "[--forget UNIT]...",
	 "make the network be what the spec on fd 3 says; --forget: give up a unit's addresses", 0,
	 UP_WORDS_MAX, verb_up},
	{"reload", "[--json]", "the same again, after host.conf or a network card has changed", 0,
	 3, verb_reload},
	{"plan", "[FOLDER...]", "show what `up` would do, for units in folders or the spec on fd 3",
	 0, 64, verb_plan},
	{"attach", "", "give the namespace on fd 4 the network of the container spec on fd 3", 0, 0,
	 verb_attach},
	{"down", "UNIT", "take away a stopped unit's links and published ports", 1, 1, verb_down},
	{"ls", "[--json] [NETWORK]", "networks and their members", 0, 4, verb_ls},
	{"ports", "[--json]", "published ports", 0, 3, verb_ports},
	{"resolv", "", "put resolv.conf together again", 0, 0, verb_resolv},
	{"uplinks", "", "look after the network cards, and run dhcpcd for those that want it", 0, 0,
	 verb_uplinks},
	{"dns", "", "run the name servers of the networks", 0, 0, verb_dns},
	{"wait-online", "[SECONDS]", "wait until an uplink has an address and a route", 0, 1,
	 verb_wait_online},
};

static int usage(void)
{
	fputs("usage:\n", stderr);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fprintf(stderr, "  orlop-net %-12s %-18s %s\n", verbs[i].name, verbs[i].args,
			verbs[i].help);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct fail f = {0};

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (argc - 2 < verbs[i].min || argc - 2 > verbs[i].max)
			return usage();
		if (verbs[i].run(argv + 2, &f) == 0)
			return EXIT_GOOD;
		complain(&f);
		return EXIT_BAD;
	}
	return usage();
}
