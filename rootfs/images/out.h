/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a verb's answer goes: text for people, JSON lines (--json), or frames of JSON lines to a control
 * client (--frame-id: the connection is fd 3). The last frame has the exit code.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"

struct out {
	bool json; /* also true for frames */
	bool frames;
	uint32_t id;
};

#define OUT_FD 3

/* One JSON line, without its newline. */
void out_line(const struct out *o, const char *json);

/* A short message under a key ("note", "progress"): text in text mode, else {"<key>":"<text>"}. */
void out_say(const struct out *o, const char *key, const char *text);

/* The end: prints the error, if any, where this mode wants it. Returns the exit code. */
int out_end(const struct out *o, int code, const struct fail *f);
