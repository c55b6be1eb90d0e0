/* SPDX-License-Identifier: Apache-2.0 */
/* orlop cp: one file, through the host's orlop-run inside the container (runtime/copy.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/print.h"
#include "cli/session.h"
#include "cli/verbs.h"

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Takes "UNIT:PATH" apart; NULL: it is a file of the host, as what has a '/' before its ':'. */
static char *inside(char *word)
{
	char *colon = strchr(word, ':');

	if (!colon || memchr(word, '/', (size_t)(colon - word)))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* The host's file becomes our standard input or output. */
static int put_at(int at, const char *path, int flags, struct fail *f)
{
	_fd_
	int fd = open(path, flags | O_CLOEXEC, 0666);

	if (fd < 0 || dup2(fd, at) < 0)
		return fail_set(f, errno, "\"%s\"", path);
	return 0;
}

static int copy_out(const char *unit, const char *path, const char *file, struct fail *f)
{
	const char *words[] = {"cp", unit, "read", path, NULL};
	_free_
	char *below = NULL;
	bool made = false;
	struct stat st;
	int code;

	if (strcmp(file, "-") != 0) {
		if (stat(file, &st) == 0 && S_ISDIR(st.st_mode)) {
			if (asprintf(&below, "%s/%s", file, last_part(path)) < 0)
				return fail_set(f, ENOMEM, "cp");
			file = below;
		}
		made = access(file, F_OK) < 0;
		if (put_at(STDOUT_FILENO, file, O_WRONLY | O_CREAT | O_TRUNC, f) < 0)
			return -f->code;
	}
	code = session_run(words, false, NULL);
	if (code && made)
		unlink(file);
	return code;
}

static int copy_in(const char *file, const char *unit, const char *path, struct fail *f)
{
	const char *words[] = {"cp", unit, "write", "-", "644", path, NULL};
	char mode[8];
	struct stat st;

	if (strcmp(file, "-") != 0) {
		if (put_at(STDIN_FILENO, file, O_RDONLY, f) < 0)
			return -f->code;
		if (fstat(STDIN_FILENO, &st) == 0 && S_ISDIR(st.st_mode))
			return fail_set(f, 0,
					"\"%s\" is a directory: tar c %s | orlop exec -i %s tar x",
					file, file, unit);
		snprintf(mode, sizeof(mode), "%o", st.st_mode & 0777);
		words[3] = last_part(file);
		words[4] = mode;
	}
	return session_run(words, false, NULL);
}

int cmd_cp(int argc, char **argv)
{
	struct fail f = {0};
	struct args a;
	char *path[2];
	int code;

	if (args_parse(verb_find(argv[0]), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	for (int i = 0; i < 2; i++)
		path[i] = inside(a.words[i]);
	if (!path[0] == !path[1]) {
		fail_set(&f, 0, "one of the two is UNIT:PATH, the other a file of the host or -");
		return print_usage_error(&f, argv[0]);
	}
	code = path[0] ? copy_out(a.words[0], path[0], a.words[1], &f)
		       : copy_in(a.words[0], a.words[1], path[1], &f);
	return code < 0 ? print_fail(&f) : code;
}
