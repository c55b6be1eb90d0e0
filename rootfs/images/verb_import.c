/* SPDX-License-Identifier: Apache-2.0 */
/* import, preload, has. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "rootfs/images/verbs.h"

int verb_import(const struct options *o, struct fail *f)
{
	struct store s;
	int r = store_open(&s, STORE_SHARED, f);

	if (r == 0 && o->name && o->n_args > 1)
		r = fail_set(f, 0, "--name is for one archive, there are %zu", o->n_args);
	for (size_t i = 0; r == 0 && i < o->n_args; i++)
		r = import_file(&s, o->args[i], o->name, &o->limits, &o->out, f);
	store_done(&s);
	return r;
}

int verb_has(const struct options *o, struct fail *f)
{
	struct store s;
	int r = store_open(&s, STORE_SHARED, f);

	if (r == 0)
		r = import_has(&s, o->args[0], o->name, f);
	store_done(&s);
	if (r < 0)
		return r;
	out_say(&o->out, "has", r ? "in the store" : "not in the store");
	return r ? 0 : 1;
}

/* One archive that is wrong does not keep the others out. */
int verb_preload(const struct options *o, struct fail *f)
{
	const char *dir = o->n_args ? o->args[0] : PATH_PRELOAD;
	struct names files = {0};
	struct store s;
	_fd_
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r, bad = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : fail_set(f, errno, "open(\"%s\")", dir);
	r = store_open(&s, STORE_SHARED, f);
	if (r == 0)
		r = store_list(fd, &files, f);
	for (size_t i = 0; r == 0 && i < files.n; i++) {
		struct fail why = {0};
		char path[4096];
		int has;

		if (snprintf(path, sizeof(path), "%s/%s", dir, files.list[i]) >= (int)sizeof(path))
			continue;
		has = import_has(&s, path, NULL, &why);
		if (has == 0)
			has = import_file(&s, path, NULL, &o->limits, &o->out, &why);
		if (has >= 0)
			continue;
		bad++;
		out_say(&o->out, "failed", why.text);
		*f = why;
	}
	names_done(&files);
	store_done(&s);
	return r < 0 ? r : bad ? 1 : 0;
}
