/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/out.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json_out.h"
#include "base/wire.h"

/* A client that went away is no reason to stop an import: errors are not looked at. */
static void put_frame(const struct out *o, const char *json)
{
	_buf_ struct buf b = {0};
	size_t len = strlen(json);

	frame_add(&b, o->id, json, len < LIMIT_FRAME ? len : LIMIT_FRAME);
	if (!b.bad)
		(void)io_write_all(OUT_FD, b.data, b.len);
}

void out_line(const struct out *o, const char *json)
{
	if (o->frames) {
		put_frame(o, json);
		return;
	}
	puts(json);
	fflush(stdout);
}

void out_say(const struct out *o, const char *key, const char *text)
{
	_buf_ struct buf b = {0};
	struct json_out j;

	if (!o->json) {
		printf("%s%s\n", strcmp(key, "note") ? "" : "note: ", text);
		fflush(stdout);
		return;
	}
	json_init(&j, &b);
	json_object(&j, NULL);
	json_str(&j, key, text);
	json_end(&j);
	if (!b.bad)
		out_line(o, b.data);
}

int out_end(const struct out *o, int code, const struct fail *f)
{
	_buf_ struct buf b = {0};

	if (code && f->code && !o->frames)
		fprintf(stderr, "error: %s\n", f->text);
	if (!o->frames)
		return code;
	frame_end_line(&b, code, code ? f->text : NULL);
	if (!b.bad)
		put_frame(o, b.data);
	return code;
}
