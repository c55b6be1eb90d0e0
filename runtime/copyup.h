/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying a directory of the image into a new volume or tmpfs: files, folders, links and pipes with their
 * owners and modes, and the folder's own. Nothing is followed: every name is opened below an fd of its
 * parent. Devices and sockets are left out.
 */
#pragma once

#include "base/fail.h"

/* from and to are directory fds, not O_PATH. */
int copyup(int from, int to, struct fail *f);
