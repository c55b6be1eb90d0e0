/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests as the OCI specification writes them, "sha256:<hex>" or "sha512:<hex>", and their making.
 * The one file that speaks nettle.
 */
#pragma once

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/fail.h"

#define DIGEST_MAX 136 /* "sha512:", 128 hex digits, NUL */

struct digest {
	bool wide; /* sha512 */
	union {
		struct sha256_ctx sha256;
		struct sha512_ctx sha512;
	} u;
};

/* 0 if s is a digest in an algorithm we have, else -EINVAL and why. */
int digest_check(const char *s, struct fail *f);

/* The hex part of a checked digest. */
const char *digest_hex(const char *s);

/* Begins a digest of the kind of `like` (a checked digest; NULL = sha256). */
void digest_init(struct digest *d, const char *like);
void digest_add(struct digest *d, const void *data, size_t len);
void digest_end(struct digest *d, char ret[DIGEST_MAX]);
