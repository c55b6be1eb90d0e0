/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How things in the store are called: image references and the file names they get.
 *
 * A reference is NAME[:TAG][@DIGEST]; the grammar is strict, so that a reference can never walk out of
 * the store: NAME = components joined by '/', each [a-z0-9]+([._-]+[a-z0-9]+)*, the first may be a host
 * with port; TAG = [A-Za-z0-9_][A-Za-z0-9._-]{0,127}; DIGEST = sha256:<64 hex> or sha512:<128 hex>.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fail.h"

#define STORE_REF_MAX 255u
#define STORE_HEX_MAX 128u /* sha512 */

/* Checks a reference and writes its file name below images/names: `:latest` added where neither tag nor
 * digest stands, every '/' as '+' (which the grammar does not have). -EINVAL with the reason. */
int store_ref_name(const char *ref, char ret_name[STORE_REF_MAX + 8], struct fail *f);

/* Whether the reference's NAME has one component only ("hello:1"): it is then looked up as
 * localhost/NAME too. */
bool store_ref_short(const char *ref);

/* Whether s is lower-case hex of a digest: 64 or 128 characters. */
bool store_hex_valid(const char *s);

/* Whether s can be the name of a volume, unit, network or secret: [A-Za-z0-9][A-Za-z0-9_.@:-]*, at most
 * LIMIT_UNIT_NAME characters. Never "." or "..", never with a '/'. */
bool store_name_valid(const char *s);
