/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is, for people (columns), for programs (--json: one object a line), and for a client of the
 * control socket whose connection is fd 3 (--frame-id N: the same lines as frames, and a last one with
 * the exit code).
 */
#pragma once

#include "base/buf.h"
#include "base/fail.h"

struct list_out {
	enum { LIST_TEXT, LIST_JSON, LIST_FRAMES } form;
	unsigned long frame_id;
};

/* Networks with their members; `only`: this one, or NULL. -ENOENT if it is not there. */
int list_networks(const struct list_out *out, const char *only, struct fail *f);

/* Published ports of attached units. */
int list_ports(const struct list_out *out, struct fail *f);

/* Lines of text as {KEY: line} each; as they are for people. */
int list_lines(const struct list_out *out, const char *key, const char *text, struct fail *f);

/* The last frame. */
int list_exit(const struct list_out *out, int code, const char *error);
