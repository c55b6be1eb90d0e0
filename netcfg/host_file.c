/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/paths.h"
#include "netcfg/host_conf.h"

static void tell(const struct diags *diags, void (*problem)(const struct fail *f))
{
	for (size_t i = 0; i < diags->n; i++) {
		_buf_ struct buf b = {0};
		struct fail why;

		diag_print(diags->items[i], &b);
		if (b.len)
			b.data[b.len - 1] = '\0'; /* its newline */
		fail_set(&why, 0, "%s", b.data ? b.data : "out of memory");
		problem(&why);
	}
}

/* -ENOENT, -EINVAL (told), another error (told), or 0. */
static int read_one(const char *path, struct net_spec *spec, void (*problem)(const struct fail *f),
		    char **ret_text)
{
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	_free_
	char *text = NULL;
	struct fail why;
	size_t len;
	int r = io_read_file(AT_FDCWD, path, LIMIT_UNIT_FILE, &text, &len, &why);

	if (r < 0 && r != -ENOENT)
		problem(&why);
	if (r == 0 && !arena)
		r = -ENOMEM;
	if (r == 0) {
		r = host_conf_read(arena, path, text, len, &diags, spec);
		tell(&diags, problem);
	}
	if (r == 0)
		*ret_text = take_ptr(text);
	arena_free(arena);
	return r;
}

int host_file_read(struct net_spec *spec, void (*problem)(const struct fail *f), char **ret_text,
		   struct fail *f)
{
	static const char *const paths[] = {PATH_HOST_CONF_VAR, PATH_HOST_CONF_ETC};
	_free_
	char *old = NULL;
	struct fail why;
	int r = -ENOENT;

	*ret_text = NULL;
	for (size_t i = 0; i < ARRAY_LEN(paths) && r == -ENOENT; i++)
		r = read_one(paths[i], spec, problem, ret_text);
	if (r == -ENOMEM)
		return fail_set(f, ENOMEM, "host.conf");
	if (r == 0 || r == -ENOENT)
		return 0;
	r = read_one(PATH_HOST_CONF_GOOD, spec, problem, &old);
	fail_set(&why, 0, "host.conf: %s",
		 r == 0 ? "going on with the last good one"
			: "there is no earlier good one, going on without");
	problem(&why);
	return 0;
}
