/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "cli/run_text.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* How a value is written. */
enum sort {
	LINE, /* as it is, to the end of the line */
	WORD, /* as one word of many, in quotes, with escapes */
	ENV,  /* the same, where the reader fills in no variables */
	JSON, /* ["it"], or empty */
	FLAG,
	ARG, /* --option=value in PodmanArgs=, which knows what that means as a key */
};

static const struct {
	const char *option, *key;
	enum sort sort;
} rows[] = {
	{"add-host", "AddHost", LINE},
	{"cap-add", "AddCapability", LINE},
	{"cap-drop", "DropCapability", LINE},
	{"cpus", "PodmanArgs", ARG},
	{"device", "AddDevice", LINE},
	{"device-read-bps", "PodmanArgs", ARG},
	{"device-read-iops", "PodmanArgs", ARG},
	{"device-write-bps", "PodmanArgs", ARG},
	{"device-write-iops", "PodmanArgs", ARG},
	{"dns", "DNS", LINE},
	{"entrypoint", "Entrypoint", JSON},
	{"env", "Environment", ENV},
	{"env-file", "EnvironmentFile", WORD},
	{"group-add", "GroupAdd", LINE},
	{"health-cmd", "HealthCmd", LINE},
	{"health-interval", "HealthInterval", LINE},
	{"hostname", "HostName", LINE},
	{"init", "RunInit", FLAG},
	{"ip", "IP", LINE},
	{"label", "Label", WORD},
	{"memory", "Memory", LINE},
	{"mount", "Mount", WORD},
	{"network", "Network", LINE},
	{"network-alias", "NetworkAlias", LINE},
	{"pids-limit", "PidsLimit", LINE},
	{"publish", "PublishPort", LINE},
	{"read-only", "ReadOnly", FLAG},
	{"secret", "Secret", WORD},
	{"security-opt", "PodmanArgs", ARG},
	{"shm-size", "ShmSize", LINE},
	{"stop-signal", "StopSignal", LINE},
	{"stop-timeout", "StopTimeout", LINE},
	{"sysctl", "Sysctl", LINE},
	{"tmpfs", "Tmpfs", LINE},
	{"ulimit", "Ulimit", LINE},
	{"user", "User", LINE},
	{"userns", "UserNS", LINE},
	{"volume", "Volume", LINE},
	{"workdir", "WorkingDir", LINE},
};

/* One character of a value; doubled is what the reader would fill in something for. */
static void add_char(struct buf *b, char c, const char *doubled)
{
	if (strchr(doubled, c))
		buf_chr(b, c);
	buf_chr(b, c);
}

static void add_word(struct buf *b, const char *value, const char *doubled)
{
	buf_chr(b, '"');
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 127)
			buf_fmt(b, "\\x%02x", (unsigned char)*c);
		else if (*c == '"' || *c == '\\')
			buf_fmt(b, "\\%c", *c);
		else
			add_char(b, *c, doubled);
	}
	buf_chr(b, '"');
}

static void add_json(struct buf *b, const char *value)
{
	if (!*value)
		return;
	buf_str(b, "[\"");
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 127)
			buf_fmt(b, "\\u%04x", (unsigned char)*c);
		else if (*c == '"' || *c == '\\')
			buf_fmt(b, "\\%c", *c);
		else
			add_char(b, *c, "%$");
	}
	buf_str(b, "\"]");
}

/* A line has no escapes: a value with an end of line in it would be another key. */
static int add_line(struct buf *b, const char *what, const char *value, struct fail *f)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < ' ' || value[i] == 127)
			return fail_set(f, 0, "%s: a control character in \"%s\"", what, value);
	if (len && value[len - 1] == '\\')
		return fail_set(f, 0, "%s: \"%s\" ends with a backslash", what, value);
	for (const char *c = value; *c; c++)
		add_char(b, *c, "%$");
	return 0;
}

/* -e NAME is NAME with the value it has here. */
static void add_env(struct buf *b, const char *value, const char *(*lookup)(const char *))
{
	const char *found = strchr(value, '=') ? "" : lookup(value);
	_buf_ struct buf pair = {0};

	if (!found)
		return;
	buf_str(&pair, value);
	if (!strchr(value, '='))
		buf_fmt(&pair, "=%s", found);
	b->bad |= pair.bad;
	buf_str(b, "Environment=");
	add_word(b, pair.data ? pair.data : "", "%");
	buf_chr(b, '\n');
}

static int add_option(struct buf *b, size_t row, const char *value,
		      const char *(*lookup)(const char *), struct fail *f)
{
	_buf_ struct buf arg = {0};
	int r = 0;

	if (rows[row].sort == ENV) {
		add_env(b, value, lookup);
		return 0;
	}
	buf_fmt(b, "%s=", rows[row].key);
	switch (rows[row].sort) {
	case WORD: add_word(b, value, "%$"); break;
	case JSON: add_json(b, value); break;
	case FLAG: buf_str(b, "true"); break;
	case ARG:
		buf_fmt(&arg, "--%s=%s", rows[row].option, value);
		add_word(b, arg.data ? arg.data : "", "%$");
		b->bad |= arg.bad;
		break;
	default: r = add_line(b, rows[row].option, value, f);
	}
	buf_chr(b, '\n');
	return r;
}

static int add_restart(struct buf *b, const char *when, struct fail *f)
{
	static const char *const words[][2] = {{"no", "no"},
					       {"always", "always"},
					       {"unless-stopped", "always"},
					       {"on-failure", "on-failure"}};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(when ? when : "no", words[i][0])) {
			buf_fmt(b, "[Service]\nRestart=%s\n", words[i][1]);
			return 0;
		}
	return fail_set(f, 0, "--restart \"%s\": there are no, on-failure and always", when);
}

int run_text(const struct args *a, const char *name, const char *(*lookup)(const char *),
	     struct buf *text, struct fail *f)
{
	int r;

	buf_str(text, "# made by orlop run, gone with the unit\n[Container]\nImage=");
	r = add_line(text, "image", a->words[0], f);
	buf_fmt(text, "\nContainerName=%s\n", name);
	for (size_t i = 0; i < ARRAY_LEN(rows) && r == 0; i++) {
		const char *value;
		int at = 0;

		while (r == 0 && (value = args_next(a, rows[i].option, &at)))
			r = add_option(text, i, value, lookup, f);
	}
	if (r < 0)
		return r;
	if (a->n_words > 1)
		buf_str(text, "Exec=");
	for (int i = 1; i < a->n_words; i++) {
		add_word(text, a->words[i], "%$");
		buf_chr(text, i + 1 < a->n_words ? ' ' : '\n');
	}
	r = add_restart(text, args_value(a, "restart"), f);
	return r < 0 ? r : text->bad ? fail_set(f, ENOMEM, "run") : 0;
}
