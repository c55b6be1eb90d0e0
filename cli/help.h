/* SPDX-License-Identifier: Apache-2.0 */
/* What `orlop help` prints, from the verb table. */
#pragma once

#include <stdio.h>

#include "cli/verbs.h"

void help_overview(FILE *out);
void help_verb(FILE *out, const struct verb *verb);
