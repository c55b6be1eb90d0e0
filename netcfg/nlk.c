/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/nlk.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* Dumps come in pieces of at most 32 KiB (NLMSG_GOODSIZE grows to that for big readers). */
#define RECV_MAX 65536

struct nl_sock *nlk_open(int protocol, struct fail *f)
{
	struct timeval timeout = {.tv_sec = NLK_TIMEOUT_SEC};
	struct nl_sock *sk = nl_socket_alloc();
	int r, fd, on = 1;

	if (!sk) {
		fail_set(f, ENOMEM, "netlink socket");
		return NULL;
	}
	nl_socket_disable_seq_check(sk);
	nl_socket_disable_auto_ack(sk);
	r = nl_connect(sk, protocol);
	if (r < 0) {
		fail_set(f, EPROTO, "netlink socket (%s)", nl_geterror(r));
		nl_socket_free(sk);
		return NULL;
	}
	fd = nl_socket_get_fd(sk);
	/* explanations are a courtesy: without them errors are just shorter */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return sk;
}

void nlk_close(struct nl_sock **sk)
{
	int saved = errno;

	if (*sk)
		nl_socket_free(*sk);
	*sk = NULL;
	errno = saved;
}

/* The text that the kernel gave with an error, or "". */
static const char *explanation(const struct nlmsghdr *nh)
{
	const struct nlmsgerr *e = nlmsg_data(nh);
	size_t used = sizeof(*e);
	struct nlattr *a;

	if (!(nh->nlmsg_flags & NLM_F_ACK_TLVS))
		return "";
	if (!(nh->nlmsg_flags & NLM_F_CAPPED))
		used += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	if (used >= (size_t)nlmsg_datalen(nh))
		return "";
	a = nla_find((struct nlattr *)((char *)nlmsg_data(nh) + used),
		     nlmsg_datalen(nh) - (int)used, NLMSGERR_ATTR_MSG);
	return a && nla_len(a) > 0 && !((char *)nla_data(a))[nla_len(a) - 1] ? nla_get_string(a)
									     : "";
}

/* 0 for an ack, else -errno with f set. */
static int read_error(const struct nlmsghdr *nh, struct fail *f)
{
	const struct nlmsgerr *e = nlmsg_data(nh);
	const char *why;

	if (nlmsg_datalen(nh) < (int)sizeof(*e))
		return fail_set(f, EBADMSG, "netlink answer");
	if (!e->error)
		return 0;
	why = explanation(nh);
	return *why ? fail_set(f, -e->error, "kernel says \"%s\"", why)
		    : fail_set(f, -e->error, "netlink");
}

/* What one answer means to whoever waits for it. */
enum verdict { MORE, DONE };
typedef enum verdict judge_fn(struct nlmsghdr *nh, void *arg, int *r, struct fail *f);

static int receive(struct nl_sock *sk, judge_fn *judge, void *arg, struct fail *f)
{
	static char data[RECV_MAX] __attribute__((aligned(8)));
	int r = 0;

	for (;;) {
		ssize_t n = recv(nl_socket_get_fd(sk), data, sizeof(data), 0);
		struct nlmsghdr *nh = (struct nlmsghdr *)data;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_set(f, errno, "waiting for the kernel's answer");
		for (; nlmsg_ok(nh, left); nh = nlmsg_next(nh, &left))
			if (judge(nh, arg, &r, f) == DONE)
				return r;
	}
}

static int __attribute__((format(printf, 2, 0))) wrap(struct fail *f, const char *fmt, va_list ap)
{
	char text[FAIL_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	return fail_wrap(f, "%s", text);
}

static enum verdict judge_ack(struct nlmsghdr *nh, void *arg, int *r, struct fail *f)
{
	if (nh->nlmsg_type != NLMSG_ERROR || nh->nlmsg_seq != *(uint32_t *)arg)
		return MORE;
	*r = read_error(nh, f);
	return DONE;
}

static int send_msg(struct nl_sock *sk, struct nl_msg *msg, int flags, uint32_t *ret_seq,
		    struct fail *f)
{
	int r = -NLE_NOMEM;

	if (msg) {
		nlmsg_hdr(msg)->nlmsg_flags |= (uint16_t)flags;
		r = nl_send_auto(sk, msg);
		*ret_seq = nlmsg_hdr(msg)->nlmsg_seq;
		nlmsg_free(msg);
	}
	return r < 0 ? fail_set(f, r == -NLE_NOMEM ? ENOMEM : EPROTO, "netlink (%s)",
				nl_geterror(r))
		     : 0;
}

int nlk_talk(struct nl_sock *sk, struct nl_msg *msg, struct fail *f, const char *fmt, ...)
{
	struct fail own = {0};
	uint32_t seq;
	va_list ap;
	int r;

	f = f ? f : &own;
	r = send_msg(sk, msg, NLM_F_ACK, &seq, f);
	if (r == 0)
		r = receive(sk, judge_ack, &seq, f);
	if (r < 0) {
		va_start(ap, fmt);
		wrap(f, fmt, ap);
		va_end(ap);
	}
	return r;
}

struct walk {
	uint32_t seq;
	nlk_each *each;
	void *arg;
};

static enum verdict judge_dump(struct nlmsghdr *nh, void *arg, int *r, struct fail *f)
{
	const struct walk *w = arg;

	if (nh->nlmsg_seq != w->seq)
		return MORE;
	if (nh->nlmsg_type == NLMSG_DONE)
		return DONE;
	if (nh->nlmsg_type == NLMSG_ERROR) {
		if (*r == 0)
			*r = read_error(nh, f);
		return DONE;
	}
	if (*r == 0)
		*r = w->each(nh, w->arg);
	/* the rest of a dump is read to its end, so that the socket can be used again */
	return MORE;
}

int nlk_dump(struct nl_sock *sk, struct nl_msg *msg, nlk_each *each, void *arg, struct fail *f,
	     const char *fmt, ...)
{
	struct walk w = {.each = each, .arg = arg};
	struct fail own = {0};
	va_list ap;
	int r, dump;

	f = f ? f : &own;
	f->code = 0;
	/* a single object is answered with itself, and the ack marks the end */
	dump = msg && (nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	r = send_msg(sk, msg, dump ? 0 : NLM_F_ACK, &w.seq, f);
	if (r == 0)
		r = receive(sk, judge_dump, &w, f);
	if (r < 0) {
		if (!f->code)
			fail_set(f, -r, "netlink");
		va_start(ap, fmt);
		wrap(f, fmt, ap);
		va_end(ap);
	}
	return r;
}

struct nl_msg *nlk_dump_request(int type, const void *head, size_t len, uint32_t mask)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_DUMP);

	if (msg && (nlmsg_append(msg, (void *)head, len, NLMSG_ALIGNTO) < 0 ||
		    (mask && nla_put_u32(msg, IFLA_EXT_MASK, mask) < 0))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

struct transaction {
	uint32_t first, last;
	uint32_t at;
};

static enum verdict judge_transaction(struct nlmsghdr *nh, void *arg, int *r, struct fail *f)
{
	struct transaction *t = arg;
	struct fail why;
	int e;

	if (nh->nlmsg_type != NLMSG_ERROR || nh->nlmsg_seq < t->first - 1 ||
	    nh->nlmsg_seq > t->last)
		return MORE;
	e = read_error(nh, &why);
	if (e < 0 && *r == 0) { /* the first refusal is the cause; later ones may follow from it */
		*r = e;
		t->at = nh->nlmsg_seq;
		if (f)
			*f = why;
	}
	/* a refused opening (no nf_tables) is the only answer there is */
	return nh->nlmsg_seq == t->last || nh->nlmsg_seq == t->first - 1 ? DONE : MORE;
}

int nlk_transact(struct nl_sock *sk, const struct buf *data, uint32_t first, uint32_t last,
		 uint32_t *ret_at, struct fail *f)
{
	struct transaction t = {.first = first, .last = last};
	int r;

	if (data->bad)
		return fail_set(f, ENOMEM, "netlink transaction");
	if (send(nl_socket_get_fd(sk), data->data, data->len, 0) < 0)
		return fail_set(f, errno, "sending a netlink transaction");
	r = receive(sk, judge_transaction, &t, f);
	if (r < 0)
		*ret_at = t.at;
	return r;
}
