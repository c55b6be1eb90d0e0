/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel command line, as far as PID 1 has a say in it: words that begin with `orlop.`.
 *
 * Parsing never fails: a word that is not understood is left out and named in `unknown`, so that the boot
 * can say so and go on. Other programs have words of their own (`orlop.net=...`); a word is unknown only if
 * its name is in nobody's table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CMDLINE_MAX 4096 /* x86 passes 2048 bytes */

struct host_options {
	bool control_virtio; /* orlop.control=virtio: serve the control protocol on a virtio port */
	bool rescue;         /* orlop.rescue: console shell, no containers, data disk read-only */
	char hostname[65];   /* orlop.hostname=; "" = the image's */
	char address[64];  /* orlop.address=: what URLs on the console name; "" = the host's own */
	unsigned watchdog; /* orlop.watchdog=SECONDS for /dev/watchdog; 0 = leave it alone */
	char unknown[128]; /* the first word nobody knows, cut; "" = none */
};

void cmdline_parse(struct host_options *options, const char *line);
