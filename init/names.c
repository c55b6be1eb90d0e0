/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "init/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t find(const struct names *names, const char *name)
{
	size_t i = 0;

	while (i < names->n && strcmp(names->items[i], name) != 0)
		i++;
	return i;
}

bool names_has(const struct names *names, const char *name)
{
	return find(names, name) < names->n;
}

int names_add(struct names *names, const char *name)
{
	char **items;

	if (names_has(names, name))
		return 0;
	items = realloc(names->items, (names->n + 2) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	names->items = items;
	items[names->n] = strdup(name);
	if (!items[names->n])
		return -ENOMEM;
	items[++names->n] = NULL;
	return 0;
}

void names_remove(struct names *names, const char *name)
{
	size_t i = find(names, name);

	if (i == names->n)
		return;
	free(names->items[i]);
	names->items[i] = names->items[--names->n];
	names->items[names->n] = NULL;
}

void names_clear(struct names *names)
{
	while (names->n)
		free(names->items[--names->n]);
	free(names->items);
	names->items = NULL;
}
