/* SPDX-License-Identifier: Apache-2.0 */
/* orlop cp: a file or a folder, through the host's orlop-run inside the container (runtime/copy.h). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/tree.h"
#include "cli/args.h"
#include "cli/print.h"
#include "cli/session.h"
#include "cli/verbs.h"

/* What it is called, in a buffer that the next call uses again. "": the folder's content rather than itself. */
static const char *last_part(const char *path)
{
	static char name[NAME_MAX + 1];
	size_t len = strlen(path), begin;

	while (len && path[len - 1] == '/')
		len--;
	begin = len;
	while (begin && path[begin - 1] != '/')
		begin--;
	snprintf(name, sizeof(name), "%.*s", (int)(len - begin), path + begin);
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 ? name : "";
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

/* --- trees: a child of ours sends or receives, this process copies between it and the container ------ */

struct host_place {
	const char *path; /* as it was typed */
	const char *name; /* of what is copied; "": its content */
};

/* Where it is to be made: *dir and *name. Of a folder that is there, which is opened once, it is the name below: whoever
 * can write in it, as a container in its volume, may have put a link there, which is not followed. Else it is the path
 * as it was typed (*dir is AT_FDCWD), links and all. */
static int find_place(const struct host_place *place, int *dir, const char **name, struct fail *f)
{
	bool below = *place->name;

	*name = place->name;
	*dir = below ? open(place->path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (*dir >= 0)
		return 0;
	if (below && errno != ENOENT && errno != ENOTDIR)
		return fail_set(f, errno, "\"%s\"", place->path);
	*name = place->path;
	*dir = AT_FDCWD;
	return 0;
}

/* Below a folder it is made anew: what is there may have another name too, or be a link. */
static int make_file(int dir, const char *name, unsigned mode)
{
	if (dir < 0)
		return open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return -1;
	return openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
}

static int make_folder(int dir, const char *name, unsigned mode)
{
	if (mkdirat(dir, name, mode | 0700) < 0 && errno != EEXIST)
		return -1;
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (dir < 0 ? 0 : O_NOFOLLOW));
}

static int make_place(void *ctx, bool folder, unsigned mode, struct fail *f)
{
	const char *name;
	_fd_
	int dir = -1;
	int r = find_place(ctx, &dir, &name, f), fd;

	if (r < 0)
		return r;
	fd = folder ? make_folder(dir, name, mode) : make_file(dir, name, mode);
	return fd < 0 ? fail_set(f, errno, "\"%s\"", name) : fd;
}

static unsigned left_out; /* the child's */

static void skipped(const char *name, const char *why)
{
	left_out++;
	fprintf(stderr, "orlop: \"%s\" is left out: %s\n", name, why);
}

enum { BROKE_OFF = 2, LEFT_OUT }; /* of the child; its other exit codes are 0 and 1 */

/* The child: a place on the host, or a folder of it (send). A stream that broke off is told of by who cut it. */
static void __attribute__((noreturn)) child(int end, int send, const struct tree_place *place)
{
	struct fail f = {0};
	int r;

	signal(SIGPIPE, SIG_IGN);
	r = send >= 0 ? tree_send(end, send, skipped, &f) : tree_receive(end, place, &f);
	if (r < 0 && r != -EPIPE)
		print_fail(&f);
	if (r == 0 && left_out) {
		print_problem("not everything was copied");
		_exit(LEFT_OUT);
	}
	_exit(r == -EPIPE ? BROKE_OFF : r < 0);
}

/* The other end becomes our standard output (receiving) or input. Returns the child. */
static pid_t start_child(int send, const struct tree_place *place, struct fail *f)
{
	int ends[2], theirs = send < 0 ? 0 : 1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_set(f, errno, "pipe");
	pid = fork();
	if (pid < 0)
		return fail_set(f, errno, "fork");
	if (pid == 0) {
		close(ends[!theirs]);
		child(ends[theirs], send, place);
	}
	dup2(ends[!theirs], send < 0 ? STDOUT_FILENO : STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

/* The worse of the two. */
static int session_beside(const char *const *words, pid_t pid, int ours, struct fail *f)
{
	int code = session_run(words, false, NULL), status;

	close(ours); /* nothing more comes */
	if (waitpid(pid, &status, 0) < 0)
		return fail_set(f, errno, "waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return code;
	if (WIFEXITED(status) && WEXITSTATUS(status) == BROKE_OFF)
		return code ? code : fail_set(f, 0, "it broke off");
	if (WIFEXITED(status) && WEXITSTATUS(status) == LEFT_OUT)
		return code ? code : CLI_ERROR;
	return CLI_ERROR; /* it has said why, and the other side could only see it leave */
}

/* Set-id bits are not for the host: any user of it could run what the container made of the file. */
static int copy_out(const char *unit, const char *path, const char *file, bool archive,
		    struct fail *f)
{
	bool bytes = !strcmp(file, "-");
	const char *words[] = {"cp", unit, bytes ? "read" : "send", path, NULL};
	struct host_place at = {.path = file, .name = last_part(path)};
	struct tree_place place = {
		.open = make_place,
		.ctx = &at,
		.modes = 0777,
		.owners = archive,
	};
	pid_t pid;

	if (bytes)
		return session_run(words, false, NULL);
	pid = start_child(-1, &place, f);
	return pid < 0 ? (int)pid : session_beside(words, pid, STDOUT_FILENO, f);
}

static int copy_folder(const char *folder, const char *unit, const char *path, bool archive,
		       struct fail *f)
{
	const char *words[] = {
		"cp", unit, "receive", last_part(folder), archive ? "archive" : "plain",
		path, NULL};
	_fd_
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		return fail_set(f, errno, "\"%s\"", folder);
	pid = start_child(fd, NULL, f);
	return pid < 0 ? (int)pid : session_beside(words, pid, STDIN_FILENO, f);
}

static int copy_in(const char *file, const char *unit, const char *path, bool archive,
		   struct fail *f)
{
	/* bytes have no name: a directory is nothing to write them to */
	const char *words[] = {"cp", unit, "write", "", "644", path, NULL};
	char mode[8];
	struct stat st;

	if (!strcmp(file, "-"))
		return session_run(words, false, NULL);
	if (put_at(STDIN_FILENO, file, O_RDONLY, f) < 0)
		return -f->code;
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISDIR(st.st_mode))
		return copy_folder(file, unit, path, archive, f);
	snprintf(mode, sizeof(mode), "%o", st.st_mode & 0777);
	words[3] = last_part(file);
	words[4] = mode;
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
	code = path[0] ? copy_out(a.words[0], path[0], a.words[1], args_has(&a, "archive"), &f)
		       : copy_in(a.words[0], a.words[1], path[1], args_has(&a, "archive"), &f);
	return code < 0 ? print_fail(&f) : code;
}
