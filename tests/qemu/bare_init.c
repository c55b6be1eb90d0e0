/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that a kernel can start: says when it was started and switches the machine off. What orlop's
 * boot is measured against, on the same kernel in the same run.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	dprintf(1, "bare-init %lld\n", (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	/* The line must have left the serial port before the machine is gone. */
	fsync(1);
	usleep(200000);
	reboot(RB_POWER_OFF);
	return 1;
}
