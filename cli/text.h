/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making foreign text fit for a terminal. What containers and units say may hold escape sequences that
 * retitle windows, hide lines or paste commands; nothing of the kind reaches the terminal. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends s with everything that a terminal would obey made visible: C0 controls, DEL, C1 controls,
 * bytes that are not UTF-8 (as \xNN), and the characters that turn the direction of writing or are
 * invisible separators (as \u{NNNN}). A tab stays if `tabs`. Backslashes stay as they are. */
void text_escape(struct buf *b, const char *s, size_t len, bool tabs);

/* Columns that text takes: its characters, all taken as one wide, no combining. */
size_t text_width(const char *s, size_t len);

/* Bytes of s that fill at most `columns` columns. */
size_t text_fit(const char *s, size_t len, size_t columns);

/* A duration for people: "12s", "3m", "5h", "2d", in at most two units ("3m 20s", "5h 1m"). */
void text_duration(struct buf *b, int64_t seconds);

/* A number of bytes for people: "512 B", "1.5 KiB", "3.2 GiB". */
void text_bytes(struct buf *b, int64_t bytes);
