/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/keys.h"

#include <stdlib.h>
#include <string.h>

#include "units/keys_tables.h"

const char *const section_names[SECTION__N] = {
	[SECTION_CONTAINER] = "Container", [SECTION_VOLUME] = "Volume",
	[SECTION_NETWORK] = "Network",     [SECTION_POD] = "Pod",
	[SECTION_IMAGE] = "Image",         [SECTION_QUADLET] = "Quadlet",
	[SECTION_UNIT] = "Unit",           [SECTION_SERVICE] = "Service",
	[SECTION_INSTALL] = "Install",
};

const char *const key_verdict_names[KEY_VERDICT__N] = {
	[KEY_MUST] = "supported",
	[KEY_SHOULD] = "supported",
	[KEY_LATER] = "not supported yet",
	[KEY_REFUSED] = "refused",
	[KEY_NO_EFFECT] = "accepted, without effect",
};

static const struct key_table *const tables[] = {
	&keys_container, &keys_pod,  &keys_volume,  &keys_network, &keys_image,
	&keys_quadlet,   &keys_unit, &keys_service, &keys_install,
};

const struct key_table *key_table_at(size_t i)
{
	return i < ARRAY_LEN(tables) ? tables[i] : NULL;
}

int section_by_name(const char *name)
{
	for (int i = 0; i < SECTION__N; i++)
		if (strcmp(section_names[i], name) == 0)
			return i;
	return -1;
}

size_t key_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		n += tables[i]->n;
	return n;
}

static int compare(const void *a, const void *b)
{
	const struct key *x = *(const struct key *const *)a, *y = *(const struct key *const *)b;
	int by_name;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	by_name = strcmp(x->name, y->name);
	return by_name ? by_name : (int)x->kinds - (int)y->kinds;
}

void key_index_fill(struct key_index *index)
{
	index->n = 0;
	for_each_key(k) index->rows[index->n++] = k;
	qsort(index->rows, index->n, sizeof(*index->rows), compare);
}

const struct key *key_find(const struct key_index *index, enum key_section section,
			   const char *name, enum key_kinds kinds, size_t *ret_slot)
{
	const struct key wanted = {.name = name, .section = (uint8_t)section};
	const struct key *probe = &wanted;
	size_t low = 0, high = index->n;

	while (low < high) { /* the first row that is not before the name */
		size_t middle = low + (high - low) / 2;

		if (compare(&index->rows[middle], &probe) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < index->n; low++) {
		const struct key *k = index->rows[low];

		if (k->section != section || strcmp(k->name, name) != 0)
			return NULL;
		if (k->kinds & kinds) {
			*ret_slot = low;
			return k;
		}
	}
	return NULL;
}
