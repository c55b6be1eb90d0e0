/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dependency graph of a set: cycles and order. Pure, linear in units and edges, and the same
 * answer every time: units are visited in the order of their names, edges in the order of writing.
 */
#pragma once

#include "units/unit.h"

/* All units in an order in which every unit comes after those it is ordered After=. ret_order has
 * set->n entries. Units in a cycle (they are rejected) come in the order of their names. -ENOMEM. */
int graph_order(const struct unit_set *set, struct unit **ret_order);
