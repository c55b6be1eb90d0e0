/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios: a text that drives the core and says what comes out.
 *
 *	# a comment
 *	> unit web.container restart=always requires=db.container after=db.container
 *	> start web.container
 *	  web.container: down -> waiting (begin)
 *	  ...
 *
 * Lines that begin with '>' are commands, the indented ones below are what they must lead to; everything
 * else is kept as it is. scenario_run() makes the text anew with what really came out, so a scenario
 * holds if that is the same text, and is recorded by writing it back.
 *
 * Units come first. Settings of a unit: a key of `settings` in scenario.c, or a dependency in snake case
 * ("binds_to=a,b"). Durations: "5s", "100ms", "infinity". Commands: see `commands` there.
 */
#pragma once

#include "base/buf.h"

/* 0, or -EINVAL with *ret_line and *ret_why if the text is not a scenario. */
int scenario_run(const char *text, struct buf *out, int *ret_line, const char **ret_why);
