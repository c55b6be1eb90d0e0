/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisor wants done, done: one small function for each action, in one table (exec.c). They decide
 * nothing. An action on something that is gone does nothing; what cannot be done is told to the
 * supervisor as an event.
 */
#pragma once

#include "init/sup.h"

void exec_action(const struct action *action);

/* exec_container.c */
void exec_spawn_container(const struct action *a);
void exec_cancel_start(const struct action *a);

/* exec_service.c */
void exec_spawn_service(const struct action *a);

/* exec_cgroup.c */
void exec_cg_kill(const struct action *a);
void exec_cg_check(const struct action *a);
void exec_cg_remove(const struct action *a);

/* exec_helper.c */
void exec_run_helper(const struct action *a);
void exec_kill_helper(const struct action *a);
/* orlop-net up has ended, with all that was asked for before: whose helper that is hears of it. */
void exec_network_over(bool ok);

/* exec_probe.c */
void exec_run_probe(const struct action *a);
void exec_kill_probe(const struct action *a);

/* events.c */
void exec_state(const struct action *a);

/* poweroff.c */
void exec_shutdown(const struct action *a);
