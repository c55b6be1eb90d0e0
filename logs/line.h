/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a log file: one line each,
 *
 *     2026-11-24T03:31:13.123456789Z F text
 *
 * a time in UTC, a flag, the bytes as the unit wrote them. F: a whole line. P: a piece; the line goes on in
 * the next record (it was longer than LINE_TEXT_MAX), or was cut off (the writer ended, or paused, in
 * the middle). M: not from the unit but from orlop-log itself ("1234 bytes dropped").
 *
 * A unit's bytes are split at newlines and nothing else is done to them, so text can hold every byte but
 * a newline: what a unit prints can never look like a record of its own. Times within one file rise
 * strictly, a nanosecond at least, unless the clock is set back by more than a second. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define LINE_TEXT_MAX   16384u
#define LINE_STAMP_LEN  30u /* "2026-11-24T03:31:13.123456789Z" */
#define LINE_PREFIX_LEN (LINE_STAMP_LEN + 3)
#define LINE_RECORD_MAX (LINE_PREFIX_LEN + LINE_TEXT_MAX + 1)

enum line_flag {
	LINE_FULL = 'F',
	LINE_PARTIAL = 'P',
	LINE_MARKER = 'M',
};

struct line {
	int64_t time; /* ns since 1970 */
	enum line_flag flag;
	const char *text; /* borrowed */
	size_t len;
};

/* Appends a time as LINE_STAMP_LEN characters; before 1970 and past 9999 it is clamped. */
void line_add_stamp(struct buf *b, int64_t ns);

/* Reads such a time: true, and *ret, if text starts with one. */
bool line_parse_stamp(const char *text, size_t len, int64_t *ret);

/* Splits `len` bytes of a unit's output into records, appended to out, until out holds out_max bytes or
 * more. Returns how many bytes are used up. What follows the last newline is left for the next call, unless
 * it is a full piece or `end` says that nothing will follow. *last is the time of the unit's last record
 * (0 = none yet) and is moved on. */
size_t line_split(const char *data, size_t len, bool end, int64_t now, int64_t *last,
		  struct buf *out, size_t out_max);

/* A record of our own about `dropped` bytes of output that nobody will see. */
void line_add_dropped(struct buf *out, uint64_t dropped, int64_t now, int64_t *last);

/* Reads one record, given without its newline. false: it is none (a torn write after a power cut). */
bool line_parse(const char *data, size_t len, struct line *ret);

/* A point in time as people give it: "90s", "10m", "2h", "3d" (ago), "@SECONDS" since 1970,
 * "2026-01-31", "2026-01-31T12:00:00", with fraction, with Z or +hh:mm; UTC where no zone is given.
 * false: it is none of these. */
bool line_parse_since(const char *text, int64_t now, int64_t *ret);
