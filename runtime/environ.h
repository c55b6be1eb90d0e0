/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a container's environment that are in files at start: EnvironmentFile= in Podman's format,
 * and secrets of type env. They come before the unit's own Environment=, which wins.
 */
#pragma once

#include "base/fail.h"
#include "units/spec.h"

/* Puts them into spec->env. -ENOENT with the file's name if one is missing. */
int environ_read(struct container_spec *spec, struct fail *f);
