/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capability sets as masks, and the default that a container gets. caps.c is pure; setting them on a
 * process is steps_caps.c.
 *
 * The default is Podman's eleven. "all" stands for every capability that this table knows; what a
 * newer kernel adds beyond it is never granted. Drops are applied after adds of "all" and before named
 * adds, so that DropCapability=all with AddCapability=CHOWN leaves CHOWN, in whatever order they stand.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "units/record.h"

#define CAPS_LAST 40 /* CAP_CHECKPOINT_RESTORE, Linux 5.9 */

#define CAPS_BIT(n) (UINT64_C(1) << (n))

/* Number of "CAP_CHOWN", "chown"; -1 if there is none of that name. */
int caps_number(const char *name);

/* "CAP_CHOWN"; n is 0 to CAPS_LAST. */
const char *caps_name(int n);

/* Works only against the host's own namespaces: the kernel asks for it in the initial user namespace. */
bool caps_host_only(int n);

/* The set that a container is to have. -EINVAL: an unknown name; or, with mapped ids, a named capability that
 * could not do anything. */
int caps_make(const struct strlist *add, const struct strlist *drop, bool mapped,
	      uint64_t *ret_mask, struct fail *f);

/* "chown,kill": short names in the order of their numbers; "" for none. */
void caps_print(uint64_t mask, struct buf *out);

/* The inverse of caps_print(). */
int caps_parse(const char *list, uint64_t *ret_mask);
