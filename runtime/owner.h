/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving all files of a volume to one user: what Volume=...:U asks for.
 *
 * The tree may be hostile, and may be changed by another container while it is walked. So every entry is opened
 * by its name below an fd of its folder, never through a link and never into another mount, and what is then
 * looked at and changed is that fd. The way back up is "..", which the kernel keeps within the mount, and must
 * lead where the walk came from. One folder is open at a time, whatever the depth: the container's limit of open
 * files is in force already.
 */
#pragma once

#include <sys/types.h>

#include "base/fail.h"

/* mount: a fd of the tree's top, a directory or not (O_PATH is enough). Files that have these owners already are
 * not touched, so that a second walk writes nothing. As with any change of owner, files lose setuid, setgid and
 * their capabilities. */
int owner_set(int mount, uid_t uid, gid_t gid, struct fail *f);
