/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a program as a child, with exactly the fds it is meant to have.
 *
 * The child gets /dev/null for 0 unless told otherwise, default signal dispositions, an empty signal
 * mask, umask 0022, an ordinary OOM score, at most 1024 open files unless it raises that itself (a
 * program that uses select() breaks above), and no fds but the ones listed: fd lists are applied as with dup2 and everything else is
 * closed. It starts inside the given cgroup (CLONE_INTO_CGROUP, Linux 5.7), so nothing it does escapes
 * the unit's limits or its kill. The caller owns the pidfd and reaps the pid; nothing is waited for but
 * the exec itself, whose failure comes back as an error of spawn().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/fail.h"

#define SPAWN_FDS_MAX 10

struct spawn_rlimit {
	int resource; /* RLIMIT_NOFILE ... */
	struct rlimit limit;
};

struct spawn {
	const char *const *argv; /* argv[0] is an absolute path */
	const char *const *envp; /* NULL = a small default: PATH, HOME=/, TERM=linux */
	int cgroup;              /* directory fd, or -1 to stay in the caller's */
	int fds[SPAWN_FDS_MAX];  /* fds[i] becomes i in the child; -1 = closed (0-2: /dev/null) */
	size_t n_fds;
	const char *cwd; /* NULL = "/" */
	const char *tty; /* opened as 0, 1, 2 and controlling terminal of a new session, or NULL */
	uid_t uid;       /* 0 = stay root */
	gid_t gid;
	const mode_t *mask; /* umask; NULL = 0022 */
	const struct spawn_rlimit *rlimits;
	size_t n_rlimits;
	bool hup_ignored; /* until the program handles SIGHUP: it may be told before it has come so far */
	bool oom_keep; /* keep the caller's OOM score: PID 1 and orlop-log are the last to be killed */
};

/* Starts it. Returns the pid and sets *ret_pidfd, or -errno: nothing runs then. */
pid_t spawn(const struct spawn *s, int *ret_pidfd, struct fail *f);
