/* SPDX-License-Identifier: Apache-2.0 */
#include "init/boot_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "base/words.h"
#include "init/addresses.h"
#include "init/boot.h"
#include "init/boot_network.h"
#include "init/boot_store.h"
#include "init/console.h"
#include "init/logs.h"
#include "init/shell.h"
#include "init/stamps.h"
#include "init/vault.h"
#include "units/diag.h"

static struct {
	struct bootseq seq;
	struct host_options options;
	bool inside;
	struct task disk;
	int disk_report;
	char disk_text[256];
	bool refused; /* there are disks that orlop-disk must not choose from */
	struct timer units_late;
} boot = {.disk_report = -1};

static void advance(void);

static void over(enum boot_step step, enum boot_outcome outcome)
{
	bootseq_over(&boot.seq, step, outcome, loop_now());
	vault_touch();
	advance();
}

static void task_over(enum boot_step step, enum task_end end)
{
	over(step, end == TASK_OK ? BOOT_DONE : end == TASK_LATE ? BOOT_LATE : BOOT_FAILED);
}

/* --- data disk -------------------------------------------------------------------------------- */

/* No disk, no zram: what is written is lost, but the host comes up and can be asked why. */
static void var_in_memory(void)
{
	if (mount("tmpfs", "/var", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=50%") < 0)
		console_say("/var: %s", strerror(errno));
	else
		console_say("/var: in memory, nothing persists");
}

static bool var_is_mounted(void)
{
	struct statx st;

	return statx(AT_FDCWD, "/var", 0, 0, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static void disk_over(struct task *t, enum task_end end)
{
	char text[1024];
	ssize_t n = read(boot.disk_report, text, sizeof(text) - 1);
	struct words_iter it;
	const char *state, *device, *said;

	(void)t;
	vault_close(boot.disk_report);
	words_iter_init(&it, text, n > 0 ? (size_t)n : 0);
	state = words_next(&it);
	device = words_next(&it);
	said = words_next(&it);
	boot.refused = state && !strcmp(state, "refused");
	if (state && device)
		snprintf(boot.disk_text, sizeof(boot.disk_text), "%s%s%s, %s", device,
			 said && *said && *device ? ": " : "", said ? said : "", state);
	if (boot.disk_text[0])
		console_say("data disk: %s", boot.disk_text);
	if (!state)
		console_say("data disk: orlop-disk failed");
	if (!var_is_mounted())
		var_in_memory();
	stamp(STAMP_DISK);
	task_over(BOOT_DISK, end);
}

static void begin_disk(void)
{
	static const char *const argv[] = {PATH_DISK, "setup", NULL};
	struct fail f = {0};
	_fd_
	int out = -1;
	int pipefd[2];

	if (pipe2(pipefd, O_CLOEXEC | O_NONBLOCK) < 0) {
		fail_set(&f, errno, "pipe");
	} else {
		boot.disk_report = pipefd[0];
		out = pipefd[1];
		if (task_start(&boot.disk, "orlop-disk", argv, &out, 1,
			       boot_step_deadlines[BOOT_DISK], disk_over, &f) == 0)
			return;
		close(boot.disk_report);
	}
	console_say("data disk: %s", f.text);
	var_in_memory();
	over(BOOT_DISK, BOOT_FAILED);
}

/* --- store and units -------------------------------------------------------------------------- */

/* On the console, as `orlop check` would show it: at boot nobody else can. */
static void tell_diag(void *ctx, const struct diag *d)
{
	_buf_ struct buf text = {0};
	char *rest, *line;

	(void)ctx;
	diag_print(d, &text);
	rest = text.bad ? NULL : text.data;
	while ((line = strsep(&rest, "\n")))
		if (line[0])
			console_plain("%s", line);
}

static void store_over(int packed, const char *why)
{
	struct shell_load load = {.tell = tell_diag};
	struct fail f = {0};

	logs_start();
	if (why)
		console_say("store: %s: the units in %s are left out", why, PATH_UNITS_VAR);
	if (packed < 0)
		console_say("units: they cannot be read");
	else if (shell_load_units(&load, packed, &f) < 0)
		console_say("units: %s", f.text);
	else
		console_say("units: %zu, %zu mistakes", shell_set()->n, load.errors);
	stamp(STAMP_UNITS);
	over(BOOT_STORE, shell_set() && !why ? BOOT_DONE : BOOT_FAILED);
}

static void begin_store(void)
{
	boot_store(store_over);
}

static void start_unit(const char *name, uint32_t token)
{
	uint32_t id = sup_find(shell_sup(), name);

	if (id != SUP_NONE)
		shell_push(&(struct event){.kind = EVENT_START, .unit = id, .token = token});
	else if (token)
		console_say("there is no %s", name);
}

/* The image's own services, from the folder that nobody but the image can write: those on a terminal, or the others. */
static void start_own(bool on_terminal)
{
	const struct unit_set *set = shell_set();

	for (size_t i = 0; set && i < set->n; i++) {
		const struct unit *u = set->units[i];
		bool own = u->n_sources && !strncmp(u->sources[0], PATH_UNITS_HOST "/",
						    strlen(PATH_UNITS_HOST "/"));
		bool terminal = u->exec && u->exec->tty_path.value;

		/* a shell is in nobody's [Install]: it would come with the rest */
		if (u->kind == UNIT_SERVICE && own && terminal == on_terminal &&
		    (u->boot || terminal))
			start_unit(u->name, 0);
	}
}

static void begin_host(void)
{
	if (!boot.options.rescue)
		start_own(false);
	over(BOOT_HOST, BOOT_DONE);
}

static void begin_console(void)
{
	start_own(true);
	over(BOOT_CONSOLE, BOOT_DONE);
	boot_give_back();
}

static void images_over(bool ok)
{
	stamp(STAMP_IMAGES);
	over(BOOT_IMAGES, ok ? BOOT_DONE : BOOT_FAILED);
}

static void begin_images(void)
{
	boot_preload(boot_step_deadlines[BOOT_IMAGES], images_over);
}

void boot_jobs_network_over(enum task_end end)
{
	task_over(BOOT_NETWORK, end);
}

/* --- everything else -------------------------------------------------------------------------- */

static void units_late(struct timer *t)
{
	(void)t;
	over(BOOT_UNITS, BOOT_LATE);
}

void boot_jobs_units_up(void)
{
	loop_untimer(&boot.units_late);
	stamp(STAMP_BOOTED);
	over(BOOT_UNITS, BOOT_DONE);
}

/* Why nothing but the image's own services is started; NULL: it is. */
static const char *nothing_else(void)
{
	if (boot.options.rescue)
		return "rescue: nothing else is started";
	/* There is data, but not here: on the empty store in its place a database would begin anew. */
	if (boot.refused)
		return "data disk refused: no unit is started by itself";
	if (boot.seq.outcome[BOOT_STORE] == BOOT_FAILED)
		return "what is disabled could not be read: no unit is started by itself";
	return NULL;
}

static void begin_units(void)
{
	const char *why = nothing_else();

	if (why) {
		console_say("%s", why);
		over(BOOT_UNITS, BOOT_SKIPPED);
		return;
	}
	loop_timer(&boot.units_late, loop_now() + boot_step_deadlines[BOOT_UNITS], units_late);
	start_unit("default.target", BOOT_TOKEN);
}

/* The network "again": after a revival a unit that waits for it may have begun it already. */
static void (*const begin[BOOT_STEP__N])(void) = {
	[BOOT_DISK] = begin_disk,
	[BOOT_STORE] = begin_store,
	[BOOT_HOST] = begin_host,
	[BOOT_IMAGES] = begin_images,
	[BOOT_NETWORK] = boot_network_again,
	[BOOT_UNITS] = begin_units,
	[BOOT_CONSOLE] = begin_console,
};

static void advance(void)
{
	enum boot_step step;

	while ((step = bootseq_next(&boot.seq, loop_now())) != BOOT_STEP__N)
		begin[step]();
}

bool boot_is_inside(void)
{
	return boot.inside;
}

void boot_jobs_start(const struct host_options *options, bool inside)
{
	boot.options = *options;
	boot.inside = inside;
	if (inside)
		bootseq_skip(&boot.seq, BOOT_DISK);
	if (options->rescue)
		bootseq_skip(&boot.seq, BOOT_IMAGES);
	advance();
}

const struct bootseq *boot_jobs_seq(void)
{
	return &boot.seq;
}

const struct host_options *boot_options(void)
{
	return &boot.options;
}

const char *boot_disk_text(void)
{
	return boot.disk_text;
}

void boot_save(struct vault_writer *w)
{
	vault_word(w, "boot");
	for (int step = 0; step < BOOT_STEP__N; step++)
		vault_number(w, boot.seq.outcome[step]);
	vault_number(w, boot.inside);
	vault_number(w, boot.refused);
	vault_word(w, boot.disk_text);
	if (!task_runs(&boot.disk))
		return;
	vault_word(w, "disk");
	task_save(&boot.disk, w);
	vault_fd(w, boot.disk_report);
}

int boot_restore(char *const *args, struct fail *f)
{
	(void)f;
	for (int step = 0; step < BOOT_STEP__N; step++)
		boot.seq.outcome[step] = (enum boot_outcome)atoi(args[step]);
	boot.inside = atoi(args[BOOT_STEP__N]);
	if (!boot.inside)
		boot_cmdline(&boot.options);
	boot.refused = atoi(args[BOOT_STEP__N + 1]);
	snprintf(boot.disk_text, sizeof(boot.disk_text), "%s", args[BOOT_STEP__N + 2]);
	addresses_load();
	return 0;
}

int boot_restore_disk(char *const *args, struct fail *f)
{
	boot.disk_report = atoi(args[3]);
	return task_restore(&boot.disk, "orlop-disk", args, boot_step_deadlines[BOOT_DISK],
			    disk_over, f);
}

void boot_resume(void)
{
	for (int step = 0; step < BOOT_STEP__N; step++) {
		if (boot.seq.outcome[step] != BOOT_RUNS ||
		    (step == BOOT_DISK && task_runs(&boot.disk)))
			continue;
		/* a second import or network set-up finds what the first has done; a start of everything that is
		 * under way is the supervisor's, which remembers it and that the boot waits for it */
		if (step == BOOT_UNITS)
			loop_timer(&boot.units_late, loop_now() + boot_step_deadlines[BOOT_UNITS],
				   units_late);
		else
			begin[step]();
	}
	advance();
}
