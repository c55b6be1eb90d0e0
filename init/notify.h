/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notify socket /run/orlop/notify (sd_notify), which orlop-run mounts into containers with Notify=true and
 * services get as $NOTIFY_SOCKET.
 *
 * A message is believed only about the unit in whose cgroup its sender is: the kernel says who sent it
 * (SCM_CREDENTIALS), /proc/PID/cgroup says where that process belongs. Nobody can speak for another unit.
 */
#pragma once

#include "base/fail.h"

int notify_open(struct fail *f);

/* Hears what there is; the loop does so too. */
void notify_read(void);

/* Revival. */
struct vault_writer;
void notify_save(struct vault_writer *w);
int notify_restore(char *const *args, struct fail *f);
