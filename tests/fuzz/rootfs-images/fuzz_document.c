/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of an archive to rows, and rows to plans and image.ini. The first byte says which document. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/images/doc.h"
#include "rootfs/images/image_ini.h"
#include "rootfs/images/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An ini that was written can be read, to its end. */
static void read_back(char *text)
{
	char *key, *value;
	size_t at = 0;
	int r;

	while ((r = image_ini_next(text, &at, &key, &value)) == 1)
		;
	if (r != 0)
		abort();
}

/* Rows may also come from a JSON reader that has been taken over: any words will do. */
static void use_rows(const struct buf *rows)
{
	static struct picks picks;
	static struct manifest manifest;
	static struct config config;
	struct buf ini = {0};

	(void)oci_pick(rows->data, rows->len, "amd64", true, &picks, NULL);
	(void)oci_pick(rows->data, rows->len, "amd64", false, &picks, NULL);
	(void)oci_manifest(rows->data, rows->len, &manifest, NULL);
	(void)oci_config(rows->data, rows->len, 1, "amd64", &config, NULL);
	if (image_ini_write(&ini, "00", NULL, 0, rows->data, rows->len, NULL, NULL, NULL) == 0)
		read_back(ini.data);
	buf_done(&ini);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf rows = {0};
	unsigned kind;

	if (size == 0)
		return 0;
	kind = data[0] % (DOC__N + 1);
	if (kind == DOC__N)
		buf_add(&rows, data + 1, size - 1);
	else if (doc_read((enum doc_kind)kind, (const char *)data + 1, size - 1, &rows, NULL) < 0)
		buf_reset(&rows);
	if (rows.len)
		use_rows(&rows);
	buf_done(&rows);
	return 0;
}
