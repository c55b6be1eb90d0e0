/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up what a log writer does not need. Until the log folder is open it may have to become root once
 * more (it makes the folder and gives it away); afterwards it is an ordinary user that owns the logs and
 * nothing else, without capabilities, with a short list of system calls.
 *
 * Not root from the start (a developer's run): the functions do what can be done and succeed.
 */
#pragma once

#include "base/fail.h"

/* Owner of the logs. Below 1000 and not one that Debian gives out; containers' ids begin at 524288. */
#define PRIVILEGE_UID 472u

/* Makes files as PRIVILEGE_UID from now on; can be taken back. no_new_privs is set for good. */
int privilege_lower(struct fail *f);
int privilege_raise(struct fail *f);

/* For good: user, groups, capabilities. */
int privilege_drop(struct fail *f);

/* For good: only the system calls that `serve` makes; others fail with EPERM. */
int privilege_filter(struct fail *f);
