/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces that outlive their first process: made by a child that does nothing but be in them while they are
 * pinned. It is born in them, so that there is nothing to wait for, unless it must first join a user namespace that
 * there is already. It shares our memory (no page tables are copied), so it tells its errno by leaving it there.
 */
#pragma once

#include "runtime/run.h"

/* Makes the namespaces of flags (CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWUTS) and sets run->userns, netns and uts to those
 * that are new. ids: a new user namespace's maps, "inside:outside:count,...", of uids and of gids. Without
 * CLONE_NEWUSER they belong to run->userns, if the plan has one. The child is killed; see founder_reap(). */
int founder_make(struct run *run, int flags, char *const *ids, struct fail *f);

/* Before it is known what will be started: begins one with a user namespace that has no maps yet, and a network
 * namespace. founder_make() takes it where it fits. Where it cannot be made there is none. */
void founder_ahead(struct run *run);

/* Ends it, if it lives, and waits for its end, when there is time. */
void founder_reap(struct run *run);
