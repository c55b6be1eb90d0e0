/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <string.h>

#include "rootfs/images/doc.h"

static const struct {
	const char *name;
	size_t n;
} rows[ROW__N] = {
	[ROW_MANIFEST] = {"manifest", 9}, [ROW_CONFIG] = {"config", 4},
	[ROW_LAYER] = {"layer", 4},       [ROW_IMAGE] = {"image", 1},
	[ROW_TAG] = {"tag", 1},           [ROW_PATH] = {"path", 1},
	[ROW_PLATFORM] = {"platform", 3}, [ROW_DIFF] = {"diff", 1},
	[ROW_HISTORY] = {"history", 2},   [ROW_ENTRYPOINT] = {"entrypoint", 1},
	[ROW_CMD] = {"cmd", 1},           [ROW_ENV] = {"env", 1},
	[ROW_USER] = {"user", 1},         [ROW_WORKDIR] = {"workdir", 1},
	[ROW_STOPSIGNAL] = {"stop", 1},   [ROW_VOLUME] = {"volume", 1},
	[ROW_PORT] = {"port", 1},         [ROW_LABEL] = {"label", 2},
};

void row_add(struct buf *out, enum row_kind kind, const char *const *fields)
{
	words_add(out, rows[kind].name);
	for (size_t i = 0; i < rows[kind].n; i++)
		words_add(out, fields[i] ? fields[i] : "");
}

int row_next(struct words_iter *it, struct row *ret)
{
	const char *name = words_next(it);
	size_t kind = 0;

	if (!name)
		return it->at < it->len ? -EBADMSG : 0;
	while (kind < ROW__N && strcmp(rows[kind].name, name) != 0)
		kind++;
	if (kind == ROW__N)
		return -EBADMSG;
	ret->kind = (enum row_kind)kind;
	for (size_t i = 0; i < ROW_FIELDS_MAX; i++) {
		ret->f[i] = i < rows[kind].n ? words_next(it) : "";
		if (!ret->f[i])
			return -EBADMSG;
	}
	return 1;
}
