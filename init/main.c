/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-init: PID 1.
 *
 *	orlop-init              what the kernel starts
 *	orlop-init --inside     PID 1 of a pid namespace on a machine that is up: no mounts, modules, disk
 *	orlop-init --revive FD  what a crash of PID 1 executes, with the state in FD (crash.h, vault.h)
 *	orlop-init --try FD     a child of PID 1: whether this program can go on from the state in FD (upgrade.h)
 *	orlop-init --aide WORD  a child of PID 1 (aide.h)
 *
 * The boot has three parts: what must be there before anything else can work, done here, in order; the
 * loop, from which on PID 1 answers; and the slow rest, which is children of the loop (boot_jobs.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/version.h"
#include "init/aide.h"
#include "init/boot.h"
#include "init/boot_jobs.h"
#include "init/children.h"
#include "init/client.h"
#include "init/console.h"
#include "init/control.h"
#include "init/crash.h"
#include "init/loop.h"
#include "init/notify.h"
#include "init/power_button.h"
#include "init/poweroff.h"
#include "init/revive.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/stamps.h"
#include "init/upgrade.h"
#include "init/vault.h"
#include "init/watchdog.h"

static struct watch signals;

static void signal_came(struct watch *w, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	while (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		poweroff_signal((int)info.ssi_signo); /* SIGCHLD only wakes: every pass reaps */
}

/* Signals become events of the loop. Blocked ones are kept for the signalfd even where PID 1 has no handler. */
static int catch_signals(struct fail *f)
{
	static const int list[] = {SIGCHLD, SIGINT, SIGTERM, SIGPWR};
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		sigaddset(&set, list[i]);
	sigprocmask(SIG_SETMASK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return fail_set(f, errno, "signalfd");
	return loop_watch(&signals, fd, EPOLLIN, signal_came, f);
}

/* Behind the callbacks of each pass: reap, let the supervisor decide and do what it says, put what has become of it
 * where a crash does not reach it, and tell whoever asked. Only a pass that came this far feeds the watchdog. */
static void after_pass(void)
{
	children_reap(notify_read);
	shell_pump();
	vault_commit(revive_write);
	if (clients_flush()) {
		vault_touch();
		vault_commit(revive_write);
	}
	upgrade_pass();
	watchdog_pass();
}

/* Nothing works without these; before the border there is only one thing to do about it. */
static void must(int r, const struct fail *f)
{
	if (r >= 0)
		return;
	console_say("cannot start: %s", f->text);
	sleep(5);
	poweroff_now(RB_AUTOBOOT);
}

/* What the loop and everything on it needs. */
static int begin_loop(struct fail *f)
{
	int r = loop_init(f);

	if (r == 0)
		r = shell_init(f);
	if (r == 0)
		r = catch_signals(f);
	if (r == 0)
		console_loop();
	return r;
}

static void boot_machine(struct host_options *options)
{
	/* First, so that all mounts below are made in the root that stays. */
	boot_enter_root();
	boot_mounts();
	stamp(STAMP_ROOT);
	boot_self();
	console_open(open("/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
	console_say("orlop " ORLOP_VERSION);
	boot_cmdline(options);
	/* Before anything looks at files' times or writes one. */
	boot_clock_floor(boot_image_day(), "the day of the image");
	/* The data disk and the network cards are behind modules. */
	boot_modules();
	stamp(STAMP_MODULES);
	boot_settings(options);
	/* Ctrl-Alt-Del asks PID 1 rather than rebooting. */
	reboot(RB_DISABLE_CAD);
}

static void boot_inside(struct host_options *options)
{
	*options = (struct host_options){0};
	/* opened anew: to be non-blocking is then our own affair, and not that of whoever gave us stderr */
	console_open(open("/proc/self/fd/2", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
	boot_self();
}

/* The part of the loop's set-up that is made anew after a revival too. */
static void open_devices(const struct host_options *options, bool inside, struct fail *f)
{
	if (options->control_virtio && control_virtio_open(f) < 0)
		console_say("control: %s", f->text);
	if (!inside)
		power_button_open();
	watchdog_open(options->watchdog);
}

static void boot(bool inside)
{
	struct host_options options;
	struct fail f = {0};

	stamp(STAMP_KERNEL);
	if (inside)
		boot_inside(&options);
	else
		boot_machine(&options);
	if (options.unknown[0])
		console_say("kernel line: do not understand \"%s\"", options.unknown);
	/* Units and helpers get cgroups of their own, so PID 1 leaves the root before the first child. */
	run_cgroups_init(boot_cgroups());
	must(begin_loop(&f), &f);
	if (vault_create(&f) < 0)
		console_say("%s: a crash will not be survived", f.text);

	/* ---- From here on PID 1 does not die: no exit, no abort, no assert below this line. ---- */

	/* Served before the slow part, so that a host that hangs in it can be asked why. */
	if (control_open(&f) < 0 || notify_open(&f) < 0)
		console_say("control: %s", f.text);
	open_devices(&options, inside, &f);
	stamp(STAMP_LOOP);
	boot_jobs_start(&options, inside);
}

static void revive(int vault)
{
	struct fail f = {0};

	int r = -1;

	for (int i = 0; i < 3 && r < 0; i++) /* without it nothing can be tried again */
		r = vault_open(vault, &f);
	if (r < 0 || crash_too_many())
		poweroff_emergency(r < 0 ? f.text : "two crashes within a minute");
	vault_head()->attempts++;
	boot_self();
	if (begin_loop(&f) < 0)
		upgrade_failed(&f);
	run_cgroups_init(boot_cgroups());
	vault_head()->generation++;
	if (revive_read(&f) < 0)
		upgrade_failed(&f);
	open_devices(boot_options(), boot_is_inside(), &f);
	console_say("PID 1 revived (%u)", vault_head()->generation);
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "--aide"))
		return aide_main(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "--version"))
		return puts("orlop-init " ORLOP_VERSION) < 0;
	if (argc > 2 && !strcmp(argv[1], "--try"))
		return upgrade_try(atoi(argv[2]));
	if (getpid() != 1) {
		fprintf(stderr, "orlop-init is PID 1 of a host; to talk to it use orlop\n");
		return 2;
	}
	crash_install();
	if (argc > 2 && !strcmp(argv[1], "--revive"))
		revive(atoi(argv[2]));
	else
		boot(argc > 1 && !strcmp(argv[1], "--inside"));
	loop_run(after_pass);
}
