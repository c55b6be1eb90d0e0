/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "rootfs/images/image_ini.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/images/doc.h"
#include "rootfs/images/path.h"

/* A check may rewrite the value into `to`. */
enum good { GOOD, GOOD_REWRITTEN, USELESS, DANGEROUS };

struct key {
	const char *name;
	enum good (*check)(const char *value, char *to, size_t size);
	const char *why; /* USELESS or DANGEROUS */
};

static enum good any(const char *value, char *to, size_t size)
{
	(void)value, (void)to, (void)size;
	return GOOD;
}

static enum good env(const char *value, char *to, size_t size)
{
	(void)to, (void)size;
	return strchr(value, '=') > value ? GOOD : USELESS;
}

static bool plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= 32 || *s == 127)
			return false;
	return true;
}

/* "name", "name:group", ids likewise; "name:" is "name". */
static enum good user(const char *value, char *to, size_t size)
{
	const char *colon = strchr(value, ':');

	if (!plain(value) || strlen(value) >= 256 || colon == value ||
	    (colon && strchr(colon + 1, ':')))
		return DANGEROUS;
	if (!colon || colon[1])
		return GOOD;
	snprintf(to, size, "%.*s", (int)(colon - value), value);
	return GOOD_REWRITTEN;
}

static enum good workdir(const char *value, char *to, size_t size)
{
	if (strlen(value) > LIMIT_ENTRY_PATH - 1)
		return DANGEROUS;
	if (*value == '/')
		return GOOD;
	snprintf(to, size, "/%s", value);
	return GOOD_REWRITTEN;
}

static enum good stop_signal(const char *value, char *to, size_t size)
{
	(void)to, (void)size;
	return value[strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-")] == '\0' &&
			       strlen(value) < 16
		       ? GOOD
		       : USELESS;
}

static enum good volume(const char *value, char *to, size_t size)
{
	char path[LIMIT_ENTRY_PATH + 1];

	if (*value != '/' || path_normalise(value, path, NULL) < 0 || !*path)
		return USELESS;
	snprintf(to, size, "/%s", path);
	return GOOD_REWRITTEN;
}

static bool port_number(const char **s)
{
	char *end;
	unsigned long n = strtoul(*s, &end, 10);
	bool digit = **s >= '1' && **s <= '9';

	*s = end;
	return digit && n <= 65535;
}

static enum good port(const char *value, char *to, size_t size)
{
	const char *s = value;

	(void)to, (void)size;
	if (!port_number(&s) || (*s == '-' && (s++, !port_number(&s))))
		return USELESS;
	return !*s || !strcmp(s, "/tcp") || !strcmp(s, "/udp") || !strcmp(s, "/sctp") ? GOOD
										      : USELESS;
}

static const struct key keys[ROW__N] = {
	[ROW_ENTRYPOINT] = {"Entrypoint", any, NULL},
	[ROW_CMD] = {"Cmd", any, NULL},
	[ROW_ENV] = {"Env", env, "not NAME=value"},
	[ROW_USER] = {"User", user, "not a user, or user:group"},
	[ROW_WORKDIR] = {"WorkingDir", workdir, "too long"},
	[ROW_STOPSIGNAL] = {"StopSignal", stop_signal, "not a signal"},
	[ROW_VOLUME] = {"Volume", volume, "not an absolute path below the root"},
	[ROW_PORT] = {"ExposedPort", port, "not a port"},
	[ROW_LABEL] = {"Label", env, "a label without a name"},
};

static void add_escaped(struct buf *out, const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c == '\n')
			buf_str(out, "\\n");
		else if (c == '\t')
			buf_str(out, "\\t");
		else if (c < 32 || c == 127 || c == '\\' || c == ';' ||
			 ((c == ' ' || c == '#') && i == 0) || (c == ' ' && i == len - 1))
			buf_fmt(out, "\\x%02x", c);
		else
			buf_chr(out, (char)c);
	}
}

static void add_line(struct buf *out, const char *key, const char *value)
{
	buf_str(out, key);
	buf_chr(out, '=');
	add_escaped(out, value);
	buf_chr(out, '\n');
}

/* Of two variables with one name the last one counts; writing both would leave that to the reader. */
static bool set_again(const struct words_iter *rest, const char *env_value)
{
	struct words_iter it = *rest;
	size_t name = strcspn(env_value, "=") + 1;
	struct row row;

	while (row_next(&it, &row) == 1)
		if (row.kind == ROW_ENV && !strncmp(row.f[0], env_value, name))
			return true;
	return false;
}

static int add_row(struct buf *out, const struct row *row, note_fn *note, void *note_arg,
		   struct fail *f)
{
	const struct key *key = &keys[row->kind];
	char to[LIMIT_ENTRY_PATH + 2], shown[160], text[300];
	const char *value = row->f[0];
	char *joined = NULL;

	if (row->kind == ROW_LABEL) {
		if (asprintf(&joined, "%s=%s", row->f[0], row->f[1]) < 0)
			return fail_set(f, ENOMEM, "no memory");
		value = joined;
	}
	switch (key->check(value, to, sizeof(to))) {
	case GOOD: add_line(out, key->name, value); break;
	case GOOD_REWRITTEN: add_line(out, key->name, to); break;
	case USELESS:
		snprintf(text, sizeof(text), "left out of the config: %s \"%s\": %s", key->name,
			 path_show(value, shown), key->why);
		if (note)
			note(note_arg, text);
		break;
	case DANGEROUS:
		fail_set(f, 0, "the config's %s \"%s\": %s", key->name, path_show(value, shown),
			 key->why);
		free(joined);
		return -EINVAL;
	}
	free(joined);
	return 0;
}

int image_ini_write(struct buf *out, const char *id, const char *const *layers, size_t n_layers,
		    const char *rows, size_t rows_len, note_fn *note, void *note_arg,
		    struct fail *f)
{
	struct words_iter it;
	struct row row;
	int r;

	buf_str(out, "[Image]\n");
	add_line(out, "Id", id);
	for (size_t i = 0; i < n_layers; i++)
		add_line(out, "Layer", layers[i]);
	words_iter_init(&it, rows, rows_len);
	while ((r = row_next(&it, &row)) == 1) {
		if (!keys[row.kind].name || (row.kind == ROW_ENV && set_again(&it, row.f[0])))
			continue;
		r = add_row(out, &row, note, note_arg, f);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return fail_set(f, 0, "the JSON reader talks nonsense");
	if (out->bad)
		return fail_set(f, ENOMEM, "no memory");
	return out->len > IMAGE_INI_MAX
		       ? fail_set(f, EFBIG, "the config has more than %u bytes", IMAGE_INI_MAX)
		       : 0;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. */
static bool unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (*s != '\\') {
			*to++ = *s++;
		} else if (s[1] == 'n' || s[1] == 't') {
			*to++ = s[1] == 'n' ? '\n' : '\t';
			s += 2;
		} else if (s[1] == 'x' && hex(s[2]) >= 0 && hex(s[3]) >= 0) {
			*to++ = (char)(hex(s[2]) * 16 + hex(s[3]));
			s += 4;
		} else {
			return false;
		}
	}
	*to = '\0';
	return true;
}

int image_ini_next(char *text, size_t *at, char **ret_key, char **ret_value)
{
	static const char head[] = "[Image]\n";
	char *line, *end, *equals;

	if (*at == 0) {
		if (strncmp(text, head, sizeof(head) - 1) != 0)
			return -EBADMSG;
		*at = sizeof(head) - 1;
	}
	line = text + *at;
	if (!*line)
		return 0;
	end = strchr(line, '\n');
	equals = strchr(line, '=');
	if (!end || !equals || equals > end || equals == line)
		return -EBADMSG;
	*at = (size_t)(end - text) + 1;
	*equals = *end = '\0';
	*ret_key = line;
	*ret_value = equals + 1;
	return unescape(equals + 1) ? 1 : -EBADMSG;
}
