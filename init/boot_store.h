/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store at boot: its folders, and the archives that the image brought along.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Makes the folders that are missing; what lies in tmp/ is left over from before and is removed in the background. */
void boot_store_folders(void);

/* Imports the archives of /usr/share/orlop/images that are not in the store (orlop-image preload), within timeout
 * (ns). A unit whose image could not be imported says so itself. */
void boot_preload(uint64_t timeout, void (*over)(bool ok));
