/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every row of the key table with arbitrary values: the first two bytes choose the key, the rest is the
 * value. Then the parsers of single values and of environment files on the same bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units/envfile.h"
#include "units/keys.h"
#include "units/load.h"
#include "units/names.h"
#include "units/split.h"
#include "units/suggest.h"
#include "units/unit_json.h"
#include "units/value.h"

#define CHECK(c)                                                        \
	do {                                                            \
		if (!(c)) {                                             \
			fprintf(stderr, "line %d: %s\n", __LINE__, #c); \
			abort();                                        \
		}                                                       \
	} while (0)

static const char *const bases[UNIT_KIND__N] = {
	[UNIT_CONTAINER] = "[Container]\nImage=localhost/x\n",
	[UNIT_VOLUME] = "[Volume]\n",
	[UNIT_NETWORK] = "[Network]\n",
	[UNIT_POD] = "[Pod]\n",
	[UNIT_IMAGE] = "[Image]\nImage=localhost/x\n",
	[UNIT_SERVICE] = "[Service]\nExecStart=/bin/true\n",
};

static enum unit_kind kind_of(const struct key *k)
{
	for (int kind = 0; kind < UNIT_KIND__N; kind++)
		if (unit_kind_sections[kind] &&
		    strcmp(unit_kind_sections[kind], section_names[k->section]) == 0 &&
		    (kind != UNIT_SERVICE || !(k->kinds & FOR_QUADLET)))
			return (enum unit_kind)kind;
	return UNIT_CONTAINER;
}

static void one_key(const struct key *k, const char *value)
{
	enum unit_kind kind = kind_of(k);
	struct buf text = {0}, out = {0};
	struct unit_file file = {0};
	struct units_input in = {.files = &file, .n_files = 1};
	struct unit_set *set;
	struct json_out j;
	char path[40];

	snprintf(path, sizeof(path), "/e/x.%s", unit_kind_names[kind]);
	buf_fmt(&text, "%s[%s]\n%s=%s\n[Service]\nEnvironment=A=1 B=\n", bases[kind],
		section_names[k->section], k->name, value);
	file = (struct unit_file){.path = path, .data = text.data, .len = text.len};
	CHECK(units_load(&in, &set, NULL) == 0);
	for (size_t i = 0; i < set->n_diags; i++) {
		const struct diag *d = set->diags[i];

		diag_print(d, &out);
		/* A place that is named exists. */
		if (d->at.line && d->line)
			CHECK(d->at.column >= 1 &&
			      (strlen(d->line) >= 200 || d->at.column <= strlen(d->line) + 1));
	}
	for (size_t i = 0; i < set->n; i++) {
		json_init(&j, &out);
		unit_json(&j, set->units[i]);
	}
	CHECK(!out.bad);
	unit_set_free(set);
	buf_done(&text);
	buf_done(&out);
}

static int ignore(void *ctx, const char *name, const char *value)
{
	(void)ctx;
	CHECK(*name);
	return strlen(value) > SIZE_MAX / 2;
}

static void scalars(const char *s, size_t len)
{
	struct policy_exits exits = {0};
	struct arena *arena = arena_new();
	struct words words;
	char hint[160];
	uint64_t usec;
	int64_t n;
	int sig;
	bool b;

	value_bool(s, &b);
	value_bool_systemd(s, &b);
	if (!value_int(s, -100, 100, &n))
		CHECK(n >= -100 && n <= 100);
	if (!value_timespan(s, &usec))
		CHECK(usec == POLICY_INFINITY || usec < UINT64_MAX / 2);
	if (!value_go_duration(s, &usec))
		CHECK(usec < UINT64_MAX / 2);
	if (!value_podman_size(s, &n))
		CHECK(n >= 0);
	if (!value_systemd_size(s, INT64_C(1) << 40, &n))
		CHECK(n >= -1);
	if (!value_signal(s, &sig))
		CHECK(sig >= 1 && sig <= 64);
	value_exit_status(s, &exits);
	value_cidr(s, &b);
	value_mac(s);
	if (!value_mode(s, &n))
		CHECK(n >= 0 && n <= 07777);
	for (unsigned flags = 0; flags < 4; flags++) {
		CHECK(split_words(arena, s, (enum split_flags)flags, &words) == 0);
		for (size_t i = 0; i < words.n; i++) {
			CHECK(words.items[i].end > words.items[i].start &&
			      words.items[i].end <= len);
			CHECK(strlen(words.items[i].text) <=
			      words.items[i].end - words.items[i].start);
		}
	}
	suggest_key(SECTION_CONTAINER, s, hint, sizeof(hint));
	suggest_section(s);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	size_t wanted, n = 0;
	char *value;

	if (size < 2)
		return 0;
	wanted = (bytes[0] * 256u + bytes[1]) % key_count();
	value = strndup((const char *)bytes + 2, size - 2);
	CHECK(value);
	for_each_key(k) if (n++ == wanted) one_key(k, value);
	scalars(value, strlen(value));
	envfile_podman((const char *)bytes, size, ignore, NULL, NULL);
	envfile_systemd((const char *)bytes, size, ignore, NULL, NULL);
	free(value);
	return 0;
}
