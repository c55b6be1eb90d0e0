/* SPDX-License-Identifier: Apache-2.0 */
/* References and names: whatever is accepted is one component of a path and walks nowhere. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/store.h"

static void check(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), name[STORE_REF_MAX + 8];
	struct fail f = {0};

	memcpy(text, data, size);
	text[size] = '\0';
	if (store_ref_name(text, name, &f) == 0) {
		check(!strchr(name, '/') && name[0] != '.' && strlen(name) < sizeof(name));
		check(store_ref_short(text) == !strchr(text, '/'));
	}
	if (store_name_valid(text))
		check(text[0] && text[0] != '.' && !strchr(text, '/'));
	if (store_hex_valid(text))
		check(strlen(text) == 64 || strlen(text) == 128);
	free(text);
	return 0;
}
