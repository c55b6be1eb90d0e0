/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a container runs as, from the text of its own passwd and group files. Pure: no NSS, nothing of the
 * host, nothing loaded from the image.
 *
 * "user[:group]": digits are a number, whatever the image's files call a user; anything else is a name
 * that must be in them, first match wins. A word that is neither is refused, never taken as 0. Without a
 * group: the user's own, else 0, and the groups that list the user as member; with one: just that.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

#define PASSWD_FILE_MAX   (1u << 20) /* real ones have kilobytes; a hostile one may be sparse */
#define PASSWD_GROUPS_MAX 256u
#define PASSWD_HOME_MAX   256u

struct passwd_user {
	uint32_t uid, gid;
	uint32_t groups[PASSWD_GROUPS_MAX]; /* supplementary */
	size_t n_groups;
	char home[PASSWD_HOME_MAX]; /* "/" if the user is in no file */
};

/* Resolves `user` ("" = 0:0's entry) and the comma list `add` of further groups. passwd and group are the
 * files' texts, "" where the image has none. -EINVAL, -ENOENT with the reason. */
int passwd_resolve(const char *user, const char *add, const char *passwd, const char *group,
		   struct passwd_user *ret, struct fail *f);
