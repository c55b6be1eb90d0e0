/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON (RFC 8259) into a buffer, and nothing else: no tree, no parser.
 *
 * Calls follow the shape of the text: json_object() ... json_end(), a key before every value inside
 * an object (NULL inside an array). Commas and escapes are taken care of. A byte string that is not
 * valid UTF-8 is shown as if each offending byte were a Latin-1 character, so that the output is
 * always valid JSON. Nesting goes JSON_DEPTH_MAX deep; more marks the buffer bad.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* jansson has functions of these names; a static program that links both must not mix them up. No
 * file includes both headers. */
#define json_object json_out_object
#define json_array  json_out_array
#define json_null   json_out_null

#define JSON_DEPTH_MAX 32

struct json_out {
	struct buf *buf; /* borrowed */
	int depth;
	bool comma[JSON_DEPTH_MAX]; /* this level has a value already */
	char close[JSON_DEPTH_MAX];
};

void json_init(struct json_out *j, struct buf *buf);
void json_object(struct json_out *j, const char *key);
void json_array(struct json_out *j, const char *key);
void json_end(struct json_out *j);
void json_str(struct json_out *j, const char *key, const char *value); /* NULL value = null */
void json_strn(struct json_out *j, const char *key, const char *value,
	       size_t len); /* NUL allowed */
void json_int(struct json_out *j, const char *key, int64_t value);
void json_bool(struct json_out *j, const char *key, bool value);
void json_null(struct json_out *j, const char *key);
