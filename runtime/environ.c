/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/environ.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/store.h"
#include "units/envfile.h"

#define SECRET_MAX (512u << 10)

static int add(void *ctx, const char *name, const char *value)
{
	_free_
	char *text = NULL;

	if (asprintf(&text, "%s=%s", name, value) < 0)
		return -ENOMEM;
	return strlist_add(ctx, text);
}

static int read_file(struct strlist *env, const char *path, struct fail *f)
{
	_free_
	char *data = NULL;
	size_t len;
	int r = io_read_file(AT_FDCWD, path, LIMIT_SPEC, &data, &len, f);

	if (r == 0)
		r = envfile_podman(data, len, add, env, f);
	return r < 0 && f ? fail_wrap(f, "EnvironmentFile=%s", path) : r;
}

static int read_secret(struct strlist *env, const struct spec_secret *secret, struct fail *f)
{
	char path[512];
	_free_
	char *data = NULL;
	size_t len;
	int r;

	if (!store_name_valid(secret->name))
		return fail_set(f, EINVAL, "\"%s\" is no name of a secret", secret->name);
	snprintf(path, sizeof(path), PATH_SECRETS "/%s", secret->name);
	r = io_read_file(AT_FDCWD, path, SECRET_MAX, &data, &len, f);
	if (r < 0)
		return r == -ENOENT ? fail_set(f, ENOENT, "there is no secret \"%s\"", secret->name)
				    : r;
	if (strlen(data) != len)
		return fail_set(f, EINVAL, "secret \"%s\" has a NUL: no variable can hold it",
				secret->name);
	r = add(env, *secret->target ? secret->target : secret->name, data);
	return r < 0 ? fail_set(f, -r, "environment") : 0;
}

int environ_read(struct container_spec *spec, struct fail *f)
{
	struct strlist env = {0}, own = spec->env;
	int r = 0;

	for (size_t i = 0; r == 0 && i < spec->env_files.n; i++)
		r = read_file(&env, spec->env_files.items[i], f);
	for (size_t i = 0; r == 0 && i < spec->n_secrets; i++)
		if (!strcmp(spec->secrets[i].type, "env"))
			r = read_secret(&env, &spec->secrets[i], f);
	for (size_t i = 0; r == 0 && i < own.n; i++)
		if (strlist_add(&env, own.items[i]) < 0)
			r = fail_set(f, ENOMEM, "environment");
	if (r < 0) {
		strlist_done(&env);
		return r;
	}
	strlist_done(&spec->env);
	spec->env = env;
	return 0;
}
