/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child's side of an errand (errand.h): `orlop-init --aide store WORD...`, with a memfd for its answer as fd 3.
 *
 *	boot DIR...             the store's folders; what units that commands made have left is removed; the answer lists
 *	                        `disabled UNIT`, `gone UNIT` (removed now), `clock SECONDS` (the last shutdown), and has the
 *	                        unit files of the folders
 *	units DIR...            the unit files of the folders (packed.h)
 *	note UNIT DIR...        a command makes UNIT; the unit files
 *	forget UNIT VOLUME...   nothing is left of it, nor of these volumes
 *	enable UNIT, disable UNIT
 *
 * It exits 0 when all that is on the disk: files and folders are synced, each once, as a sync of the whole file system waits for
 * everybody's data.
 */
#pragma once

int store_aide(int argc, char **argv);
