/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User and group names of the host, from the text of /etc/passwd and /etc/group: libc's own look-up goes through NSS,
 * which a static program does not have. Pure.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* A number, or a name in passwd's text. gid: the user's own group. */
bool passwd_user(const char *passwd, const char *user, uid_t *ret_uid, gid_t *ret_gid);

/* A number, or a name in group's text. */
bool passwd_group(const char *group, const char *name, gid_t *ret_gid);
