/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that print a table: ps, images, boot, ports, top. */
#include "base/cleanup.h"
#include "cli/listing.h"
#include "cli/print.h"
#include "cli/verbs.h"

static const struct listing_column ps_columns[] = {
	{"UNIT", "unit", NULL, NULL},
	{"STATE", "state", NULL, listing_state_colour},
	{"SINCE", "since_usec", listing_age, NULL},
	{"RESTARTS", "restarts", NULL, NULL},
	{"PID", "pid", NULL, NULL},
	{"ADDRESS", "address", NULL, NULL},
	{"PORTS", "ports", NULL, NULL},
	{"STATUS", "status", NULL, NULL},
};

static const struct listing_column image_columns[] = {
	{"IMAGE", "names", NULL, NULL},
	{"ID", "id", listing_id, NULL},
	{"SIZE", "size", listing_size, NULL},
	{"LAYERS", "layers", NULL, NULL},
};

static const struct listing_column boot_columns[] = {
	{"PHASE", "phase", NULL, NULL},
	{"AT", "usec", listing_duration, NULL},
	{"TOOK", "took_usec", listing_duration, NULL},
};

static const struct listing_column port_columns[] = {
	{"PORT", "host_port", NULL, NULL},    {"PROTOCOL", "protocol", NULL, NULL},
	{"ON", "host_address", NULL, NULL},   {"UNIT", "unit", NULL, NULL},
	{"TO", "container_port", NULL, NULL},
};

static const struct listing_column top_columns[] = {
	{"PID", "pid", NULL, NULL},
	{"HOST PID", "host_pid", NULL, NULL},
	{"UID", "uid", NULL, NULL},
	{"HOST UID", "host_uid", NULL, NULL},
	{"STATE", "state", NULL, NULL},
	{"THREADS", "threads", NULL, NULL},
	{"MEMORY", "memory_bytes", listing_size, NULL},
	{"COMMAND", "command", NULL, NULL},
};

static int list(int argc, char **argv, const struct listing_column *columns, size_t n)
{
	const char *words[] = {argv[0], NULL, NULL};
	struct fail f = {0};
	struct args a;

	if (args_parse(verb_find(argv[0]), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	words[1] = args_has(&a, "all") ? "-a" : a.words[0];
	return listing_run(&a, words, columns, n);
}

int cmd_ps(int argc, char **argv)
{
	return list(argc, argv, ps_columns, ARRAY_LEN(ps_columns));
}

int cmd_images(int argc, char **argv)
{
	return list(argc, argv, image_columns, ARRAY_LEN(image_columns));
}

int cmd_boot(int argc, char **argv)
{
	return list(argc, argv, boot_columns, ARRAY_LEN(boot_columns));
}

int cmd_ports(int argc, char **argv)
{
	return list(argc, argv, port_columns, ARRAY_LEN(port_columns));
}

int cmd_top(int argc, char **argv)
{
	return list(argc, argv, top_columns, ARRAY_LEN(top_columns));
}
