/* SPDX-License-Identifier: Apache-2.0 */
#include "init/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/words.h"
#include "init/console.h"

#define MAGIC       0x766c726fu /* "orlv" */
#define HEAD_SIZE   ((sizeof(struct vault_head) + 4095) & ~(size_t)4095)
#define VAULT_SIZE  (HEAD_SIZE + 2 * (size_t)VAULT_STATE_MAX)
#define CLOSING_MAX 1024u

static struct {
	int fd;
	struct vault_head *head;
	bool touched;
	int closing[CLOSING_MAX];
	unsigned n_closing;
} vault = {.fd = -1};

static char *half(unsigned i)
{
	return (char *)vault.head + HEAD_SIZE + (size_t)i * VAULT_STATE_MAX;
}

static int map(int fd, struct fail *f)
{
	/* only the pages that were written to exist */
	void *p = mmap(NULL, VAULT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return fail_set(f, errno, "map the vault");
	vault.fd = fd;
	vault.head = p;
	return 0;
}

int vault_create(struct fail *f)
{
	int fd = memfd_create("orlop-vault", MFD_CLOEXEC);
	int r;

	if (fd < 0 || ftruncate(fd, VAULT_SIZE) < 0)
		return fail_set(f, errno, "make the vault");
	r = map(fd, f);
	if (r < 0)
		return r;
	vault.head->magic = MAGIC;
	vault.head->size = sizeof(struct vault_head);
	strcpy(vault.head->program, PATH_INIT);
	return 0;
}

int vault_open(int fd, struct fail *f)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0 || st.st_size != (off_t)VAULT_SIZE)
		return fail_set(f, EINVAL, "fd %d is no vault of this program", fd);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	r = map(fd, f);
	if (r < 0)
		return r;
	if (vault.head->magic != MAGIC || vault.head->size != sizeof(struct vault_head))
		return fail_set(f, EINVAL, "the vault was made by another program");
	for (uint32_t i = 0; i < vault.head->n_fds[vault.head->active & 1] && i < VAULT_FDS_MAX;
	     i++)
		fcntl(vault.head->fds[vault.head->active & 1][i], F_SETFD, FD_CLOEXEC);
	return 0;
}

int vault_snapshot(struct fail *f)
{
	int fd = memfd_create("orlop-state", MFD_CLOEXEC);
	unsigned active = vault.head->active & 1;
	off_t at = (off_t)(HEAD_SIZE + (size_t)active * VAULT_STATE_MAX);

	if (fd < 0)
		return fail_set(f, errno, "copy the state");
	if (ftruncate(fd, VAULT_SIZE) < 0 ||
	    pwrite(fd, vault.head, HEAD_SIZE, 0) != (ssize_t)HEAD_SIZE ||
	    pwrite(fd, half(active), vault.head->len[active], at) !=
		    (ssize_t)vault.head->len[active]) {
		fail_set(f, errno ? errno : ENOSPC, "copy the state");
		close(fd);
		return -f->code;
	}
	return fd;
}

struct vault_head *vault_head(void)
{
	return vault.head;
}

int vault_memfd(void)
{
	return vault.fd;
}

const char *vault_state(size_t *ret_len)
{
	unsigned active = vault.head ? vault.head->active & 1 : 0;

	if (!vault.head || !vault.head->len[active] || vault.head->len[active] > VAULT_STATE_MAX)
		return NULL;
	*ret_len = vault.head->len[active];
	return half(active);
}

void vault_word(struct vault_writer *w, const char *word)
{
	words_add(&w->words, word);
}

void vault_number(struct vault_writer *w, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	words_add(&w->words, text);
}

void vault_fd(struct vault_writer *w, int fd)
{
	vault_number(w, fd);
	if (fd < 0)
		return;
	if (w->n_fds < VAULT_FDS_MAX)
		w->fds[w->n_fds++] = fd;
	else
		w->bad = true;
}

void vault_touch(void)
{
	vault.touched = true;
}

void vault_commit(void (*write_state)(struct vault_writer *w))
{
	static struct vault_writer w; /* its buffer is kept from pass to pass */
	unsigned next;

	if (!vault.head || !vault.touched)
		return;
	next = !vault.head->active;
	buf_reset(&w.words);
	w.fds = vault.head->fds[next];
	w.n_fds = 0;
	w.bad = false;
	write_state(&w);
	if (w.words.bad || w.bad || w.words.len > VAULT_STATE_MAX)
		return; /* the old state stays in force, and with it the fds it names */
	memcpy(half(next), w.words.data, w.words.len);
	vault.head->len[next] = w.words.len;
	vault.head->n_fds[next] = w.n_fds;
	/* a crash handler of this thread sees these in this order; there is no other thread */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	vault.head->active = next;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	vault.head->n_exits = 0;
	vault.touched = false;
	while (vault.n_closing)
		close(vault.closing[--vault.n_closing]);
}

void vault_close(int fd)
{
	if (fd < 0)
		return;
	vault.touched = true;
	if (vault.head && vault.n_closing < CLOSING_MAX)
		vault.closing[vault.n_closing++] = fd;
	else
		close(fd);
}

void vault_note_exit(pid_t pid, int code, int status)
{
	if (!vault.head || vault.head->n_exits >= VAULT_EXITS_MAX)
		return;
	vault.head->exits[vault.head->n_exits] = (struct vault_exit){pid, code, status};
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	vault.head->n_exits++;
}
