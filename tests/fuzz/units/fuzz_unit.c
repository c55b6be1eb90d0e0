/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole load of a few files cut out of the bytes: files are separated by a NUL, the first byte of each
 * chooses its name. What comes out must be printable as text and JSON, specs must travel, and the same
 * bytes must give the same answer twice.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units/load.h"
#include "units/unit_json.h"

#define CHECK(c)                                                        \
	do {                                                            \
		if (!(c)) {                                             \
			fprintf(stderr, "line %d: %s\n", __LINE__, #c); \
			abort();                                        \
		}                                                       \
	} while (0)

static const char *const names[] = {
	"/e/a.container",     "/e/a.container.d/x.conf",
	"/e/b.container",     "/e/v.volume",
	"/e/n.network",       "/e/p.pod",
	"/e/i.image",         "/e/s.service",
	"/e/t.target",        "/e/c@.container",
	"/e/c@one.container", "/e/container.d/y.conf",
	"/u/a.container",     "/e/v@.volume",
	"/e/x.build",
};

static void check_spec(const struct unit_set *set, const struct unit *u)
{
	struct container_spec spec, again = {0};
	struct buf b = {0};

	if (spec_from_unit(set, u, 524288, &spec, NULL) < 0)
		return;
	spec_encode(&spec, &b);
	CHECK(spec_decode(&again, b.data, b.len, NULL) == 0);
	spec_done(&again);
	spec_done(&spec);
	buf_done(&b);
}

static void all_as_text(const struct unit_set *set, struct buf *out)
{
	struct json_out j;

	for (size_t i = 0; i < set->n_diags; i++)
		diag_print(set->diags[i], out);
	for (size_t i = 0; i < set->n; i++) {
		json_init(&j, out);
		unit_json(&j, set->units[i]);
		check_spec(set, set->units[i]);
	}
	CHECK(!out->bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct unit_file files[8];
	struct units_input in = {.files = files};
	struct unit_set *set;
	struct net_spec net;
	struct buf first = {0}, second = {0};

	while (size > 1 && in.n_files < 8) {
		const uint8_t *end = memchr(bytes + 1, 0, size - 1);
		size_t len = end ? (size_t)(end - bytes) - 1 : size - 1;

		files[in.n_files++] = (struct unit_file){
			.path = names[bytes[0] % (sizeof(names) / sizeof(*names))],
			.data = (const char *)bytes + 1,
			.len = len,
		};
		bytes += len + 1 + (end ? 1 : 0);
		size -= len + 1 + (end ? 1 : 0);
	}
	CHECK(units_load(&in, &set, NULL) == 0);
	all_as_text(set, &first);
	CHECK(netspec_from_units(set, &net, NULL) == 0);
	netspec_done(&net);
	unit_set_free(set);
	CHECK(units_load(&in, &set, NULL) == 0);
	all_as_text(set, &second);
	unit_set_free(set);
	CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	buf_done(&first);
	buf_done(&second);
	return 0;
}
