/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking netlink: a message out, its answer in, and the kernel's own explanation ("extended ack") in
 * the error text. libnl makes sockets, messages and attributes; answers are read here, because libnl
 * keeps the explanation to itself.
 *
 * No socket waits longer than NLK_TIMEOUT_SEC for the kernel, which answers at once or never.
 */
#pragma once

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "base/buf.h"
#include "base/fail.h"

#define NLK_TIMEOUT_SEC 10

/* A socket in the calling thread's network namespace; NULL on failure. */
struct nl_sock *nlk_open(int protocol, struct fail *f);

/* Closes and frees; for the cleanup attribute. */
void nlk_close(struct nl_sock **sk);
#define _nlk_ __attribute__((cleanup(nlk_close)))

/* Sends msg (NULL counts as out of memory; freed in any case) and waits for its ack. The text that
 * follows f says what was being done. */
int nlk_talk(struct nl_sock *sk, struct nl_msg *msg, struct fail *f, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Like nlk_talk for requests that are answered with messages: each is called for every one of them,
 * and may end the walk with a negative value, which is returned. */
typedef int nlk_each(struct nlmsghdr *msg, void *arg);
int nlk_dump(struct nl_sock *sk, struct nl_msg *msg, nlk_each *each, void *arg, struct fail *f,
	     const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* A request for everything of a sort: a type with its head, and of links (mask not 0) what comes with them. NULL: no
 * memory. */
struct nl_msg *nlk_dump_request(int type, const void *head, size_t len, uint32_t mask);

/* Sends several messages as one, as nftables wants its transactions: data holds messages numbered from
 * first to last; the one numbered last asks for an ack. On failure *ret_at is the number of the
 * message that was refused. */
int nlk_transact(struct nl_sock *sk, const struct buf *data, uint32_t first, uint32_t last,
		 uint32_t *ret_at, struct fail *f);
