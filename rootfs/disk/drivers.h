/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drivers of disk controllers that the boot list (rootfs/host/modules.txt) leaves out because most
 * machines do not have them: loaded here when the controller is there. What is found then shows up in
 * device_list().
 */
#pragma once

#include "base/fail.h"

/* Loads what the machine needs. Nothing to load: 0 at once. */
int drivers_load(struct fail *f);
