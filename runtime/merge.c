/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "runtime/merge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"ILL", 4},     {"TRAP", 5},    {"ABRT", 6},
	{"IOT", 6},   {"BUS", 7},   {"FPE", 8},   {"KILL", 9},    {"USR1", 10},   {"SEGV", 11},
	{"USR2", 12}, {"PIPE", 13}, {"ALRM", 14}, {"TERM", 15},   {"STKFLT", 16}, {"CHLD", 17},
	{"CLD", 17},  {"CONT", 18}, {"STOP", 19}, {"TSTP", 20},   {"TTIN", 21},   {"TTOU", 22},
	{"URG", 23},  {"XCPU", 24}, {"XFSZ", 25}, {"VTALRM", 26}, {"PROF", 27},   {"WINCH", 28},
	{"IO", 29},   {"POLL", 29}, {"PWR", 30},  {"SYS", 31},
};

#define SIGNAL_RTMIN 34 /* as glibc and musl have it: the kernel's first two are theirs */
#define SIGNAL_MAX   64

static int plain_number(const char *s, int max)
{
	char *end;
	long n;

	if (*s < '0' || *s > '9')
		return -1;
	n = strtol(s, &end, 10);
	return *end || n > max ? -1 : (int)n;
}

int signal_parse(const char *s)
{
	int n = plain_number(s, SIGNAL_MAX);

	if (n >= 0)
		return n;
	if (!strncasecmp(s, "SIG", 3))
		s += 3;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (!strcasecmp(s, signals[i].name))
			return signals[i].number;
	if (!strncasecmp(s, "RTMIN", 5)) {
		n = s[5] == '+' ? plain_number(s + 6, SIGNAL_MAX - SIGNAL_RTMIN) : s[5] ? -1 : 0;
		return n < 0 ? 0 : SIGNAL_RTMIN + n;
	}
	if (!strncasecmp(s, "RTMAX", 5)) {
		n = s[5] == '-' ? plain_number(s + 6, SIGNAL_MAX - SIGNAL_RTMIN) : s[5] ? -1 : 0;
		return n < 0 ? 0 : SIGNAL_MAX - n;
	}
	return 0;
}

static size_t name_len(const char *assignment)
{
	return strcspn(assignment, "=");
}

static bool same_name(const char *a, const char *b)
{
	size_t n = name_len(a);

	return n == name_len(b) && !memcmp(a, b, n);
}

int env_set(struct strlist *env, const char *assignment)
{
	for (size_t i = 0; i < env->n; i++) {
		char *copy;

		if (!same_name(env->items[i], assignment))
			continue;
		copy = strdup(assignment);
		if (!copy)
			return -ENOMEM;
		free(env->items[i]);
		env->items[i] = copy;
		return 0;
	}
	return strlist_add(env, assignment);
}

const char *env_get(const struct strlist *env, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < env->n; i++)
		if (name_len(env->items[i]) == n && !memcmp(env->items[i], name, n) &&
		    env->items[i][n] == '=')
			return env->items[i] + n + 1;
	return NULL;
}

static int append(struct strlist *to, const struct strlist *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (strlist_add(to, from->items[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int merge_env(struct strlist *env, const struct strlist *over)
{
	for (size_t i = 0; i < over->n; i++)
		if (strchr(over->items[i], '=') && over->items[i][0] != '=' &&
		    env_set(env, over->items[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int merge_argv(struct strlist *argv, const struct container_spec *spec,
		      const struct image *image)
{
	const struct strlist *entrypoint = spec->entrypoint_set ? &spec->entrypoint
								: &image->entrypoint;

	if (append(argv, entrypoint) < 0)
		return -ENOMEM;
	if (spec->exec.n)
		return append(argv, &spec->exec);
	return spec->entrypoint_set ? 0 : append(argv, &image->cmd);
}

static int set_hostname(struct strlist *env, const struct container_spec *spec)
{
	const char *name = spec->hostname ? spec->hostname : spec->name;
	char text[128];

	snprintf(text, sizeof(text), "HOSTNAME=%s", name ? name : "");
	return env_set(env, text);
}

static int merge_all(struct process *p, const struct container_spec *spec,
		     const struct image *image)
{
	const char *workdir = spec->workdir ? spec->workdir : image->workdir;
	const char *user = spec->user ? spec->user : image->user;

	if (merge_argv(&p->argv, spec, image) < 0 ||
	    env_set(&p->env, "PATH=" PROCESS_PATH_DEFAULT) < 0 ||
	    env_set(&p->env, "container=orlop") < 0 || set_hostname(&p->env, spec) < 0 ||
	    merge_env(&p->env, &image->env) < 0 || merge_env(&p->env, &spec->env) < 0)
		return -ENOMEM;
	p->workdir = strdup(workdir && *workdir ? workdir : "/");
	p->user = strdup(user ? user : "");
	return p->workdir && p->user ? 0 : -ENOMEM;
}

int process_merge(struct process *p, const struct container_spec *spec, const struct image *image,
		  struct fail *f)
{
	int r = merge_all(p, spec, image);

	if (r < 0)
		r = fail_set(f, -r, "merging the image's config");
	else if (p->argv.n == 0)
		r = fail_set(
			f, EINVAL,
			"image \"%s\" has no entrypoint and no command: set Exec= or Entrypoint=",
			spec->image ? spec->image : "");
	else if (p->argv.items[0][0] == '\0')
		r = fail_set(f, EINVAL, "the command to run is an empty word");
	else if (p->workdir[0] != '/')
		r = fail_set(f, EINVAL, "working directory \"%s\" is not absolute", p->workdir);
	if (r < 0) {
		process_done(p);
		return r;
	}
	p->stop_signal = spec->stop_signal    ? spec->stop_signal
			 : image->stop_signal ? signal_parse(image->stop_signal)
					      : 0;
	return 0;
}

void process_done(struct process *p)
{
	strlist_done(&p->argv);
	strlist_done(&p->env);
	free(p->workdir);
	free(p->user);
	*p = (struct process){0};
}
