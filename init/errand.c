/* SPDX-License-Identifier: Apache-2.0 */
#include "init/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "init/client.h"
#include "init/console.h"
#include "init/task.h"
#include "init/vault.h"
#include "init/verbs.h"

#define ERRAND_SECONDS 15 /* a disk that wakes up takes ten */
#define QUEUE_MAX      512u

struct order {
	struct order *next;
	struct errand errand; /* its words are argv's */
	struct task task;
	int fd;    /* what it writes */
	int pidfd; /* of the child, beyond the task: whether it is still there */
	bool late; /* who was before it came to nothing */
	bool again;
	size_t argc;
	const char *argv[]; /* the words themselves are behind it */
};

static struct {
	struct order *first; /* the running one, then those that wait */
	unsigned n;
	bool runs;
	bool ended; /* the machine goes down */
	int stuck;  /* pidfd of a child that was left behind; -1 = none */
} errands = {.stuck = -1};

static const char going_down[] = "the host is shutting down";

static void begin(void);

static void end(struct order *o, const char *error)
{
	struct errand_end what = {.fd = error ? -1 : o->fd, .error = error};
	struct order **link = &errands.first;

	if (o == errands.first)
		errands.runs = false;
	while (*link != o)
		link = &(*link)->next;
	*link = o->next;
	errands.n--;
	vault_touch();
	o->errand.over(o->errand.ctx, &what);
	if (o->fd >= 0)
		close(o->fd);
	free(o);
}

static bool is_there(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0;
}

static void over(struct task *t, enum task_end how)
{
	struct order *o = container_of(t, struct order, task);
	char text[sizeof(t->line) + 32] = "";

	if (how == TASK_LATE && o->pidfd >= 0 && is_there(o->pidfd))
		errands.stuck = o->pidfd;
	else if (o->pidfd >= 0)
		close(o->pidfd);
	o->pidfd = -1;
	if (how == TASK_OK && o->again) {
		errands.runs = false;
		close(o->fd);
		o->fd = -1;
		begin();
		return;
	}
	for (struct order *other = o->next; other && how == TASK_LATE; other = other->next)
		other->late = !other->errand.elsewhere;
	if (how == TASK_LATE)
		snprintf(text, sizeof(text), "the disk did not take it within %d s",
			 ERRAND_SECONDS);
	else if (how != TASK_OK)
		snprintf(text, sizeof(text), "%.*s", (int)t->said, t->line);
	end(o, how == TASK_OK ? NULL : *text ? text : "the disk's helper failed");
	begin();
}

static bool disk_hangs(void)
{
	if (errands.stuck < 0)
		return false;
	if (is_there(errands.stuck))
		return true;
	close(errands.stuck);
	errands.stuck = -1;
	console_say("store: the disk answers again");
	return false;
}

static int start(struct order *o, struct fail *f)
{
	int r;

	o->again = false;
	o->fd = memfd_create("store", MFD_CLOEXEC);
	if (o->fd < 0)
		return fail_set(f, errno, "memfd_create");
	r = task_start(&o->task, "store", o->argv, &o->fd, 1, ERRAND_SECONDS * NSEC_PER_SEC, over,
		       f);
	if (r < 0)
		return r;
	o->pidfd = fcntl(o->task.child.pidfd, F_DUPFD_CLOEXEC, 3);
	errands.runs = true;
	return 0;
}

static void begin(void)
{
	while (errands.first && !errands.runs) {
		struct order *o = errands.first;
		struct fail f = {0};

		if (errands.ended)
			end(o, going_down);
		else if (o->late || (!o->errand.elsewhere && disk_hangs()))
			end(o, "the disk does not answer");
		else if (start(o, &f) < 0)
			end(o, f.text);
	}
}

static size_t count(const char *const *words, size_t *bytes)
{
	size_t n = 0;

	for (; words && words[n]; n++)
		*bytes += strlen(words[n]) + 1;
	return n;
}

static char *add_words(struct order *o, const char *const *words, char *at)
{
	for (; words && *words; words++) {
		o->argv[o->argc++] = at;
		at = stpcpy(at, *words) + 1;
	}
	return at;
}

static struct order *new_order(const struct errand *errand)
{
	static const char *const front[] = {PATH_INIT, "--aide", "store", NULL};
	size_t bytes = 0;
	size_t n = count(front, &bytes) + count(errand->words, &bytes) +
		   count(errand->more, &bytes);
	struct order *o = malloc(sizeof(*o) + (n + 1) * sizeof(char *) + bytes);
	char *at;

	if (!o)
		return NULL;
	*o = (struct order){.errand = *errand, .fd = -1, .pidfd = -1};
	at = add_words(o, front, (char *)&o->argv[n + 1]);
	at = add_words(o, errand->words, at);
	add_words(o, errand->more, at);
	o->argv[o->argc] = NULL;
	return o;
}

void errand_send(const struct errand *errand)
{
	struct order *o = errands.n < QUEUE_MAX ? new_order(errand) : NULL;
	struct order **link = &errands.first;

	if (!o) {
		errand->over(
			errand->ctx,
			&(struct errand_end){.fd = -1, .error = "too much waits for the disk"});
		return;
	}
	while (*link)
		link = &(*link)->next;
	*link = o;
	errands.n++;
	vault_touch();
	begin();
}

void errand_again(void)
{
	if (errands.runs)
		errands.first->again = true;
}

/* What runs is killed with everything else (poweroff.c). */
void errand_end(void)
{
	errands.ended = true;
	while (errands.first && errands.runs && errands.first->next)
		end(errands.first->next, going_down);
	begin();
}

void errand_save(struct vault_writer *w)
{
	for (const struct order *o = errands.first; o; o = o->next) {
		if (!o->errand.token)
			continue;
		vault_word(w, "errand");
		vault_number(w, o->errand.token);
	}
}

int errand_restore(char *const *args, struct fail *f)
{
	(void)f;
	verb_reply((uint32_t)strtoul(args[0], NULL, 10), EXIT_ERROR, "PID 1 was revived meanwhile");
	return 0;
}
