/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "rootfs/images/record.h"

#include <stdbool.h>
#include <string.h>

#define MAGIC 0x6372726fu /* "orrc" */

struct head {
	uint32_t magic;
	uint32_t kind;
	uint32_t len; /* of the payload */
};

/* Then, without gaps: path and its NUL, link and its NUL, attributes (struct xattr_head, name and its
 * NUL, value). */
struct entry_head {
	uint32_t kind, mode;
	uint64_t uid, gid;
	int64_t mtime;
	uint64_t size, offset;
	uint32_t mtime_ns, path_len, link_len, n_xattrs;
};

struct xattr_head {
	uint32_t name_len, value_len;
};

static void add_head(struct buf *b, enum record_kind kind, size_t len)
{
	struct head h = {.magic = MAGIC, .kind = kind, .len = (uint32_t)len};

	buf_add(b, &h, sizeof(h));
}

void record_add_entry(struct buf *b, const struct entry *e)
{
	struct entry_head h = {
		.kind = e->kind,
		.mode = e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.mtime = e->mtime,
		.mtime_ns = e->mtime_ns,
		.size = e->size,
		.offset = e->offset,
		.path_len = (uint32_t)strlen(e->path) + 1,
		.link_len = (uint32_t)strlen(e->link) + 1,
		.n_xattrs = (uint32_t)e->n_xattrs,
	};
	size_t len = sizeof(h) + h.path_len + h.link_len;

	for (size_t i = 0; i < e->n_xattrs; i++)
		len += sizeof(struct xattr_head) + strlen(e->xattrs[i].name) + 1 + e->xattrs[i].len;
	add_head(b, REC_ENTRY, len);
	buf_add(b, &h, sizeof(h));
	buf_add(b, e->path, h.path_len);
	buf_add(b, e->link, h.link_len);
	for (size_t i = 0; i < e->n_xattrs; i++) {
		const struct xattr *x = &e->xattrs[i];
		struct xattr_head xh = {.name_len = (uint32_t)strlen(x->name) + 1,
					.value_len = (uint32_t)x->len};

		buf_add(b, &xh, sizeof(xh));
		buf_add(b, x->name, xh.name_len);
		buf_add(b, x->value, x->len);
	}
}

void record_add_data_head(struct buf *b, uint64_t offset, size_t len)
{
	add_head(b, REC_DATA, sizeof(offset) + len);
	buf_add(b, &offset, sizeof(offset));
}

void record_add_note(struct buf *b, const char *text)
{
	size_t len = strlen(text) + 1;

	add_head(b, REC_NOTE, len);
	buf_add(b, text, len);
}

void record_add_end(struct buf *b)
{
	add_head(b, REC_END, 0);
}

struct cursor {
	const char *at;
	size_t left;
	bool bad;
};

static const void *take(struct cursor *c, size_t len)
{
	const char *p = c->at;

	if (c->bad || len > c->left) {
		c->bad = true;
		return NULL;
	}
	c->at += len;
	c->left -= len;
	return p;
}

/* len counts the NUL, which must be the only one. */
static const char *take_string(struct cursor *c, size_t len)
{
	const char *s = take(c, len);

	if (!s || len == 0 || memchr(s, '\0', len) != s + len - 1) {
		c->bad = true;
		return "";
	}
	return s;
}

static void take_struct(struct cursor *c, void *ret, size_t len)
{
	const void *p = take(c, len);

	if (p)
		memcpy(ret, p, len);
	else
		memset(ret, 0, len);
}

static void parse_entry(struct cursor *c, struct entry *e)
{
	struct entry_head h;

	take_struct(c, &h, sizeof(h));
	*e = (struct entry){
		.mode = h.mode,
		.uid = h.uid,
		.gid = h.gid,
		.mtime = h.mtime,
		.mtime_ns = h.mtime_ns,
		.size = h.size,
		.offset = h.offset,
	};
	if (h.kind >= ENTRY__N || h.mtime_ns >= 1000000000 || h.n_xattrs > ENTRY_XATTRS_MAX ||
	    h.mode > 07777 || h.size > INT64_MAX || h.offset > INT64_MAX)
		c->bad = true;
	e->kind = (enum entry_kind)h.kind;
	e->path = take_string(c, h.path_len);
	e->link = take_string(c, h.link_len);
	for (size_t i = 0; i < h.n_xattrs && !c->bad; i++) {
		struct xattr_head xh;

		take_struct(c, &xh, sizeof(xh));
		e->xattrs[i].name = take_string(c, xh.name_len);
		e->xattrs[i].value = take(c, xh.value_len);
		e->xattrs[i].len = xh.value_len;
		e->n_xattrs++;
	}
}

static void parse_data(struct cursor *c, struct record *r)
{
	take_struct(c, &r->offset, sizeof(r->offset));
	r->len = c->left;
	r->data = take(c, c->left);
	if (r->len > REC_DATA_MAX || r->offset > INT64_MAX - r->len)
		c->bad = true;
}

enum record_result record_parse(const char *data, size_t len, struct record *ret, size_t *ret_used)
{
	struct cursor c;
	struct head h;

	if (len < sizeof(h))
		return RECORD_NONE;
	memcpy(&h, data, sizeof(h));
	if (h.magic != MAGIC || h.len > REC_MAX)
		return RECORD_BAD;
	if (len - sizeof(h) < h.len)
		return RECORD_NONE;
	c = (struct cursor){.at = data + sizeof(h), .left = h.len};
	ret->kind = (enum record_kind)h.kind;
	switch (h.kind) {
	case REC_ENTRY: parse_entry(&c, &ret->entry); break;
	case REC_DATA: parse_data(&c, ret); break;
	case REC_NOTE: ret->text = take_string(&c, c.left); break;
	case REC_END: break;
	default: c.bad = true;
	}
	*ret_used = sizeof(h) + h.len;
	return c.bad || c.left ? RECORD_BAD : RECORD_READY;
}
