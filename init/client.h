/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of the control protocol (base/wire.h): what is common to the socket (control.c) and to the virtio port
 * (control_virtio.c), and how the verbs (verbs.c) answer them.
 *
 * Nobody can hold PID 1 up: there are LIMIT_CLIENTS of them, nothing is sent that the kernel does not take at once but
 * LIMIT_CLIENT_QUEUE bytes wait, a client that lets more pile up is cut, and one that owes us a request
 * for LIMIT_CLIENT_IDLE_SEC as well.
 *
 * An answer leaves at the end of the pass, when what it says is where a crash does not reach it (vault.h): nobody is told
 * of something that a revival does not know.
 *
 * An answer that comes later (a start that is under way) is known to the supervisor by a token; if the
 * client has gone by then the token leads nowhere.
 *
 * A revival keeps whoever waits for such an answer, follows events or has not taken all of an answer yet, and the
 * virtio port. Others see their connection closed: what they asked for in the pass that crashed was not done, and is
 * not tried again, as it may be what crashed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fail.h"
#include "init/loop.h"

struct client {
	bool used;
	int fd;
	struct watch watch;
	struct timer idle;
	bool stream;     /* the virtio port: frames follow one another, the client comes and goes */
	bool may_change; /* root, or whoever holds the other end of the virtio port */
	bool wants_out;  /* EPOLLOUT is on */
	unsigned owed;   /* answers that are not finished */
	bool saved;      /* the state in force names fd */
	bool events;     /* gets every change of state, as answer to this request: */
	uint32_t events_id;
	struct buf out; /* frames that wait */
	size_t sent;    /* bytes of them that are gone */
	size_t tried;  /* bytes of them that the kernel was offered; what follows is of this pass */
	bool answered; /* and by us: not only passed on for a child */
};

/* The connection and request that an answer goes to. */
struct answer {
	struct client *client;
	uint32_t id;
};

/* A client set up for fd (non-blocking; owned from now on). When all are taken, the one that has been silent for
 * longest makes room; NULL: every single one is being served. */
struct client *client_new(int fd, bool stream, bool may_change,
			  void (*ready)(struct watch *, uint32_t));

/* Says "too many clients" and closes. */
void client_refuse(int fd);

/* Closes the connection and forgets what was owed. The port's slot stays, see control_virtio.c. */
void client_close(struct client *c);

/* Forgets what was owed and what waits, keeps the connection. */
void client_reset(struct client *c);

/* The same, but for what belongs to this request. */
void client_keep(struct client *c, uint32_t id);

/* Gives the socket away (to a child); the client, which is told what waits if the kernel takes it at once, is closed but
 * for the fd, which is the caller's. */
int client_release(struct client *c);

/* Writes what the kernel takes of what waits. false: the client is gone. */
bool client_flush(struct client *c);

/* The same for all whom this pass has answered. true: something of that is left, which the next state should have. */
bool clients_flush(void);

/* A frame came: finds the verb and runs it. */
void client_request(struct client *c, uint32_t id, const char *payload, size_t len);

/* One line of the answer: the text of a JSON object. */
void answer_line(const struct answer *a, const struct buf *json);

/* The last line. error: NULL or a text for the user. */
void answer_end(const struct answer *a, int exit_code, const char *error);
#define EXIT_OK           0
#define EXIT_ERROR        1
#define EXIT_BAD_USAGE    2
#define EXIT_NOT_RUNNING  3
#define EXIT_NO_SUCH_UNIT 4
#define EXIT_REFUSED      5
#define EXIT_TIMED_OUT    124

/* Keeps one part of the answer for later: what becomes of a unit. Returns a token, or 0: too many are waiting. */
uint32_t answer_defer(const struct answer *a, uint32_t unit);

/* The answer that was kept and its unit; false if its client has gone. The token is used up. *ret_code is -1 while
 * other parts of the same answer are still to come, else the worst code of all of them. */
bool answer_resume(uint32_t token, int code, struct answer *ret, uint32_t *ret_unit, int *ret_code);

/* Of one that was kept: where it goes, while it is kept (false: its client has gone), and that it is about this unit. */
bool answer_kept(uint32_t token, struct answer *ret);
void answer_about(uint32_t token, uint32_t unit);

/* Revival. */
struct vault_writer;
void client_save(struct vault_writer *w);
#define CLIENT_WORDS 6
struct client *client_restore(char *const *args, void (*ready)(struct watch *, uint32_t),
			      bool stream); /* NULL: it could not be taken in */
#define DEFERRED_WORDS 5
int client_restore_deferred(char *const *args, struct fail *f);
int client_restore_token(char *const *args, struct fail *f);
struct client *client_by_fd(int fd); /* NULL: none */

/* Sends a line to every client that follows events. */
void client_broadcast(const struct buf *json);
bool client_has_followers(void);
