/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a readiness message (sd_notify(3)): NAME=VALUE lines. Pure; what is not known is skipped, as the
 * protocol asks for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct notify_message {
	bool ready, stopping, watchdog, trigger;
	bool has_status, has_extend;
	uint64_t extend_usec;
	int main_pid;     /* 0: was not said */
	char status[160]; /* cut, control characters replaced */
};

void notify_parse(struct notify_message *m, const char *text, size_t len);
