/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "base/wire.h"

#include <string.h>

#include "base/json_out.h"

void frame_add(struct buf *b, uint32_t id, const void *payload, size_t len)
{
	struct frame_head head = {.magic = FRAME_MAGIC, .len = (uint32_t)len, .id = id};

	buf_add(b, &head, sizeof(head));
	buf_add(b, payload, len);
}

void frame_end_line(struct buf *line, int code, const char *error)
{
	struct json_out j;

	json_init(&j, line);
	json_object(&j, NULL);
	json_int(&j, "exit", code);
	if (error)
		json_str(&j, "error", error);
	json_end(&j);
}

/* How many bytes from the start cannot begin a frame. */
static size_t garbage(const char *data, size_t len)
{
	const uint32_t magic = FRAME_MAGIC;
	size_t at = 0;

	while (at < len) {
		size_t n = len - at < sizeof(magic) ? len - at : sizeof(magic);

		if (memcmp(data + at, &magic, n) == 0)
			break;
		at++;
	}
	return at;
}

enum frame_result frame_parse(const char *data, size_t len, struct frame_head *ret_head,
			      const char **ret_payload, size_t *ret_used)
{
	struct frame_head head;
	size_t skip = garbage(data, len);

	*ret_used = skip;
	if (skip)
		return FRAME_SKIP;
	if (len < sizeof(head))
		return FRAME_NONE;
	memcpy(&head, data, sizeof(head));
	if (head.len > LIMIT_FRAME) {
		*ret_used = sizeof(head.magic); /* a magic by chance: look for the next one */
		return FRAME_SKIP;
	}
	if (len - sizeof(head) < head.len)
		return FRAME_NONE;
	*ret_head = head;
	*ret_payload = data + sizeof(head);
	*ret_used = sizeof(head) + head.len;
	return FRAME_READY;
}
