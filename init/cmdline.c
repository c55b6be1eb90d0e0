/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "init/cmdline.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum word_kind { WORD_FLAG, WORD_CHOICE, WORD_TEXT, WORD_NUMBER, WORD_FOREIGN };

struct word_row {
	const char *name; /* without "orlop." */
	enum word_kind kind;
	size_t offset;
	size_t size;        /* TEXT: of the field */
	const char *choice; /* CHOICE: the one value that sets the field */
};

#define FIELD(name) offsetof(struct host_options, name), sizeof(((struct host_options *)0)->name)

static const struct word_row rows[] = {
	{"control", WORD_CHOICE, FIELD(control_virtio), "virtio"},
	{"rescue", WORD_FLAG, FIELD(rescue), NULL},
	{"hostname", WORD_TEXT, FIELD(hostname), NULL},
	{"address", WORD_TEXT, FIELD(address), NULL},
	{"watchdog", WORD_NUMBER, FIELD(watchdog), NULL},
	/* read by orlop-net and orlop-disk themselves */
	{"net", WORD_FOREIGN, 0, 0, NULL},
	{"disk", WORD_FOREIGN, 0, 0, NULL},
};

/* Whether the row took the value; value is NULL for a bare word. */
static bool take(const struct word_row *row, struct host_options *options, const char *value)
{
	char *field = (char *)options + row->offset;
	char *end;
	unsigned long number;

	switch (row->kind) {
	case WORD_FLAG: *(bool *)field = true; return !value;
	case WORD_CHOICE:
		*(bool *)field = value && !strcmp(value, row->choice);
		return *(bool *)field;
	case WORD_TEXT:
		if (!value || strlen(value) >= row->size)
			return false;
		memcpy(field, value, strlen(value) + 1);
		return true;
	case WORD_NUMBER:
		number = value ? strtoul(value, &end, 10) : 0;
		if (!value || *end || end == value || number > 86400)
			return false;
		*(unsigned *)field = (unsigned)number;
		return true;
	case WORD_FOREIGN: return true;
	}
	return false;
}

static void take_word(struct host_options *options, char *word)
{
	static const char prefix[] = "orlop.";
	char *name = word + strlen(prefix);
	char *value = strchr(word, '=');

	if (strncmp(word, prefix, strlen(prefix)) != 0)
		return;
	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(name, rows[i].name) && take(&rows[i], options, value))
			return;
	if (!options->unknown[0])
		strncat(options->unknown, word, sizeof(options->unknown) - 1);
}

void cmdline_parse(struct host_options *options, const char *line)
{
	char copy[CMDLINE_MAX];
	size_t len = strnlen(line, sizeof(copy) - 1);
	size_t to = 0;
	bool quoted = false;

	*options = (struct host_options){0};
	/* As the kernel reads it: blanks separate, double quotes hold blanks together and vanish. */
	for (size_t at = 0; at < len; at++) {
		char c = line[at];

		if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == ' ' || c == '\t' || c == '\n'))
			copy[to++] = '\0';
		else
			copy[to++] = c;
	}
	copy[to] = '\0';
	for (size_t at = 0; at <= to; at += strlen(copy + at) + 1)
		take_word(options, copy + at);
}
