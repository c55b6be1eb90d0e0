/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the control protocol that PID 1 answers, one row each. A verb answers at once, or hands its client
 * to a child that answers (logs, images), or leaves tokens with the supervisor and answers when what was asked
 * for is done (start, stop, restart): verb_reply().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/json_out.h"
#include "init/client.h"

#define VERB_WORDS_MAX 256

struct request {
	struct answer answer;
	size_t argc; /* words, the verb included */
	const char *argv[VERB_WORDS_MAX + 1];
};

/* Runs the verb of these words (valid, not empty). */
void verb_run(const struct answer *a, const char *words, size_t len);

/* The supervisor's answer to a token. */
void verb_reply(uint32_t token, int code, const char *text);

/* A line of JSON under construction: begin, add members to j, send. */
struct line {
	struct buf buf;
	struct json_out j;
};

void line_begin(struct line *l);
void line_send(struct line *l, const struct answer *a);

/* Microseconds since 1970 of a time of CLOCK_BOOTTIME (ns), as the clock stands now. */
int64_t wall_usec(uint64_t boottime);

/* Functions of the rows, by file. verbs_units.c: */
void verb_ps(const struct request *r);
void verb_status(const struct request *r);
void verb_change(
	const struct request *r); /* start stop restart reload enable disable reset-failed */
void verb_kill(const struct request *r);
void verb_ports(const struct request *r);
void verb_inspect(const struct request *r);
/* verbs_stats.c: */
void verb_stats(const struct request *r);
/* verbs_host.c: */
void verb_boot(const struct request *r);
void verb_power(const struct request *r); /* poweroff reboot halt */
void verb_events(const struct request *r);
void verb_reload(const struct request *r);
void verb_version(const struct request *r);
void host_status(const struct answer *a);
/* verbs_child.c: */
void verb_logs(const struct request *r);
void verb_images(const struct request *r);
void verb_network(const struct request *r);
void verb_image(const struct request *r);
void verb_exec(const struct request *r);
void verb_top(const struct request *r);
void verb_cp(const struct request *r);
void inspect_image(const struct request *r);
void verb_pause(const struct request *r); /* pause unpause */
/* verbs_transient.c: */
void verb_run_unit(const struct request *r); /* run */
void verb_rm(const struct request *r);
/* Revival: answers of children that are on their way through the virtio port. */
struct vault_writer;
void verbs_save_relays(struct vault_writer *w);
int verbs_restore_relay(char *const *args, struct fail *f);
