/* SPDX-License-Identifier: Apache-2.0 */
#include "init/poweroff.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/cleanup.h"
#include "base/paths.h"
#include "init/aide.h"
#include "init/children.h"
#include "init/console.h"
#include "init/errand.h"
#include "init/exec.h"
#include "init/logs.h"
#include "init/shell.h"
#include "init/spare.h"
#include "init/watchdog.h"

#define LEAVE_TIME   (8 * NSEC_PER_SEC) /* and two to die (task.c): ten */
#define PRESSES      7                  /* that many Ctrl-Alt-Del within two seconds mean it */
#define PRESSES_TIME (2 * NSEC_PER_SEC)

static const int how[SUP_SHUTDOWN__N] = {
	[SUP_RUNNING] = RB_AUTOBOOT,
	[SUP_POWEROFF] = RB_POWER_OFF,
	[SUP_REBOOT] = RB_AUTOBOOT,
	[SUP_HALT] = RB_HALT_SYSTEM,
};

static struct task leave_task;

void poweroff_now(int command)
{
	console_flush();
	if (command == (int)RB_HALT_SYSTEM)
		watchdog_disarm();
	reboot(command);
	/* In a namespace without the right to: ending is the same. On a machine reboot() returns for a halt that
	 * the hardware does not know; PID 1 must not end, so it waits. */
	if (getpid() != 1 || access("/proc/1/ns/pid", F_OK) < 0)
		_exit(0);
	for (;;)
		pause();
}

void poweroff_emergency(const char *why)
{
	int kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	pid_t pid;

	if (kmsg >= 0) {
		dprintf(kmsg, "<2>orlop-init: %s: sync and reboot\n", why);
		close(kmsg);
	}
	pid = fork(); /* sync() may never return */
	if (pid == 0) {
		sync();
		_exit(0);
	}
	for (int i = 0; i < 100 && pid > 0 && waitpid(pid, NULL, WNOHANG) == 0; i++)
		usleep(100000);
	poweroff_now(RB_AUTOBOOT);
}

static void left(struct task *t, enum task_end end)
{
	enum sup_shutdown kind = sup_shutdown_kind(shell_sup());

	(void)t;
	if (end != TASK_OK)
		console_say("going down all the same");
	console_say("%s", kind == SUP_REBOOT ? "reboot" : kind == SUP_HALT ? "halt" : "power off");
	poweroff_now(how[kind]);
}

static void logs_stopped(void)
{
	struct fail f = {0};

	kill(-1, SIGKILL); /* everything but PID 1 */
	if (aide_leave(&leave_task, LEAVE_TIME, left, &f) == 0)
		return;
	console_say("%s", f.text); /* no process can be made: then without its deadline */
	sync();
	left(&leave_task, TASK_FAILED);
}

static void down(void)
{
	_fd_
	int units = open(PATH_CGROUP "/" CGROUP_UNITS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* what the supervisor gave up on; nothing is in it after an orderly stop */
	if (units >= 0)
		cg_kill(units, NULL);
	errand_end();
	logs_stop(logs_stopped);
}

/* "waiting for db.container, web.container: 84 s left" */
static void tell_waits(void)
{
	uint32_t waits[8];
	size_t n = sup_shutdown_waits(shell_sup(), waits, ARRAY_LEN(waits));
	uint64_t deadline = sup_shutdown_deadline(shell_sup()), now = loop_now();
	char names[300] = "";

	for (size_t i = 0; i < n; i++) {
		struct sup_unit_info info;

		if (!sup_unit_info(shell_sup(), waits[i], &info))
			continue;
		if (names[0])
			strncat(names, ", ", sizeof(names) - strlen(names) - 1);
		strncat(names, info.name, sizeof(names) - strlen(names) - 1);
	}
	console_say("waiting for %s: %llu s left", names,
		    (unsigned long long)(deadline > now ? (deadline - now) / NSEC_PER_SEC : 0));
}

void exec_shutdown(const struct action *a)
{
	switch ((enum sup_shutdown_step)a->code) {
	case SUP_SHUTDOWN_BEGUN:
		spare_end();
		console_say("%s: stopping the units",
			    sup_shutdown_names[sup_shutdown_kind(shell_sup())]);
		break;
	case SUP_SHUTDOWN_WAITING: tell_waits(); break;
	case SUP_SHUTDOWN_KILLING: console_say("time is up: everything left is killed"); break;
	case SUP_SHUTDOWN_DOWN: down(); break;
	}
}

static void ask(enum sup_shutdown kind, const char *who)
{
	console_say("%s: %s", who, sup_shutdown_names[kind]);
	shell_push(&(struct event){.kind = EVENT_SHUTDOWN, .unit = SUP_NONE, .code = kind});
}

/* Impatience: the seventh within two seconds is obeyed at once. */
static void ctrl_alt_del(void)
{
	static uint64_t first;
	static int presses;
	uint64_t now = loop_now();

	if (now - first > PRESSES_TIME) {
		first = now;
		presses = 0;
	}
	if (++presses >= PRESSES) {
		console_say("Ctrl-Alt-Del: reboot at once");
		poweroff_now(RB_AUTOBOOT);
	}
	ask(SUP_REBOOT, "Ctrl-Alt-Del");
}

void poweroff_button(void)
{
	ask(SUP_POWEROFF, "power button");
}

void poweroff_signal(int sig)
{
	switch (sig) {
	case SIGINT: ctrl_alt_del(); break;
	case SIGTERM: ask(SUP_POWEROFF, "SIGTERM"); break;
	case SIGPWR: ask(SUP_POWEROFF, "power failure"); break;
	default: break;
	}
}
