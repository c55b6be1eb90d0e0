/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: what went wrong, told once by the place that knows, enriched by callers who know more.
 *
 * A function that can fail takes `struct fail *f` last and returns 0 or a negative errno. The place
 * that knows sets it (`return fail_set(f, errno, "open(\"%s\")", path)`); a caller adds what it
 * knows in front (`return fail_wrap(f, "unit \"%s\"", name)`). Only programs' main files and shells
 * print it. The struct has a fixed size and owns nothing: no allocation on the error path, and it can
 * be written whole to a pipe. A NULL fail is allowed everywhere: the return value alone is kept.
 */
#pragma once

#define FAIL_TEXT_MAX 384

struct fail {
	int code;                 /* positive errno; 0 = nothing failed */
	int line;                 /* where in the source it was set */
	const char *file;         /* static string, never freed; meaningless in another process */
	char text[FAIL_TEXT_MAX]; /* NUL-terminated; cut, never overrun */
};

/* Sets f to `code` (positive errno; its strerror is appended unless 0, which becomes EINVAL without
 * a text of its own). Returns -code. */
#define fail_set(f, code, ...) fail_set_at((f), (code), __FILE__, __LINE__, __VA_ARGS__)

/* Puts a text and ": " in front of what f says. Returns -f->code, or -EINVAL when f is NULL. */
int fail_wrap(struct fail *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int fail_set_at(struct fail *f, int code, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
