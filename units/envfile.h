/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of environment variables, in their two formats. Pure.
 *
 * Podman's ([Container] EnvironmentFile=): a line is NAME=value, trimmed on the left only, the value as
 * it stands, quotes and trailing blanks included; lines that start with '#' and empty ones are skipped; a
 * NAME without '=' would be copied from the host, which has none, and is skipped.
 * systemd's ([Service] EnvironmentFile=): values may be in quotes, a backslash at the end of a line goes
 * on with the next, and a backslash takes the meaning from the next character.
 */
#pragma once

#include <stddef.h>

#include "base/fail.h"

/* Called for every variable in order; name and value are NUL-terminated and gone afterwards. A value
 * other than 0 ends the reading and is returned. */
typedef int envfile_fn(void *ctx, const char *name, const char *value);

/* -EINVAL with the line, -ENOMEM, what fn returned, or 0. */
int envfile_podman(const char *data, size_t len, envfile_fn *fn, void *ctx, struct fail *f);
int envfile_systemd(const char *data, size_t len, envfile_fn *fn, void *ctx, struct fail *f);
