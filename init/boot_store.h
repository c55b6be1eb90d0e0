/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store at boot: its folders, what it says, and the archives that the image brought along.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* By an errand: makes the folders that are missing, removes what the last boot has left (the rest in the background),
 * reads what is disabled, the time of the last shutdown, and the unit files, which over() is given (packed.h, the fd is
 * not its own; -1: `why`). If the disk does not answer, those of the other folders, with `why` set: what is
 * disabled is not known then. */
void boot_store(void (*over)(int packed, const char *why));

/* Imports the archives of /usr/share/orlop/images that are not in the store (orlop-image preload), within timeout
 * (ns). A unit whose image could not be imported says so itself. */
void boot_preload(uint64_t timeout, void (*over)(bool ok));
