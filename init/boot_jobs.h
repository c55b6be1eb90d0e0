/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow part of the boot, carried out by the loop: children with deadlines, in the order that bootseq.h allows.
 */
#pragma once

#include <stdbool.h>

#include "init/bootseq.h"
#include "init/cmdline.h"
#include "init/task.h"

/* Begins. inside: PID 1 of a namespace on a machine that has its disk already. */
void boot_jobs_start(const struct host_options *options, bool inside);

bool boot_is_inside(void);
const struct bootseq *boot_jobs_seq(void);
const struct host_options *boot_options(void);

/* What orlop-disk said, for `orlop status`: "/dev/vda (1 GiB), persistent"; "" = nothing. */
const char *boot_disk_text(void);

/* The supervisor's answer to the start of everything. */
#define BOOT_TOKEN UINT32_MAX
void boot_jobs_units_up(void);

/* orlop-net has ended, at boot or later (boot_network.h). */
void boot_jobs_network_over(enum task_end end);

/* Revival: what was under way goes on (the disk) or begins again (images, network). */
struct vault_writer;
struct fail;
void boot_save(struct vault_writer *w);
int boot_restore(char *const *args, struct fail *f);
int boot_restore_disk(char *const *args, struct fail *f);
void boot_resume(void);
