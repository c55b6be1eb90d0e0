/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of start and stop must have no cycle: in one, all would wait for one another for ever. The
 * unit reader refuses cycles with every edge's file and line; this is the core's own guarantee,
 * whatever it is given.
 */
#pragma once

#include "init/sup_core.h"

/* An order that nobody wrote (a target after what it pulls in): the first to go where there is a cycle. */
#define DEP_AFTER_IMPLICIT (1u << 15)

/* Takes implicit orders out of cycles, makes the others real, and refuses the units of the cycles that are
 * left, whose orders among themselves go too. -ENOMEM, then nothing may be relied on. */
int order_without_cycles(struct sup_unit *units, uint32_t n, struct sup_dep *deps);
