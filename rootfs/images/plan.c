/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/images/plans.h"

int plan_add_name(struct image_plan *p, const char *name, struct fail *f)
{
	char **grown;

	for (size_t i = 0; i < p->n_names; i++)
		if (!strcmp(p->names[i], name))
			return 0;
	grown = reallocarray(p->names, p->n_names + 1, sizeof(*grown));
	if (!grown)
		return fail_set(f, ENOMEM, "no memory");
	p->names = grown;
	p->names[p->n_names] = strdup(name);
	if (!p->names[p->n_names])
		return fail_set(f, ENOMEM, "no memory");
	p->n_names++;
	return 0;
}

int plan_add_said(struct archive_file *a, struct image_plan *p, const char *said, struct fail *f)
{
	char ref[STORE_REF_MAX + 1];
	const char *brief;
	int r;

	if (oci_reference(said, a->path, ref, NULL) < 0)
		return 0;
	r = plan_add_name(p, ref, f);
	brief = oci_short_name(ref);
	return r == 0 && brief ? plan_add_name(p, brief, f) : r;
}

struct image_plan *plan_find(struct archive_file *a, const char *id)
{
	for (size_t i = 0; i < a->n_plans; i++)
		if (!strcmp(a->plans[i].id, id))
			return &a->plans[i];
	return NULL;
}

int plan_new(struct archive_file *a, struct image_plan **ret, struct fail *f)
{
	struct image_plan *grown;

	if (a->n_plans == LIMIT_IMAGE_COUNT)
		return fail_set(f, EFBIG, "more than %u images in the archive", LIMIT_IMAGE_COUNT);
	grown = reallocarray(a->plans, a->n_plans + 1, sizeof(*grown));
	if (!grown)
		return fail_set(f, ENOMEM, "no memory");
	a->plans = grown;
	*ret = &grown[a->n_plans++];
	**ret = (struct image_plan){0};
	return 0;
}

int plan_set_layers(struct image_plan *p, size_t n, struct fail *f)
{
	struct config config;
	int r = oci_config(p->config.data, p->config.len, n, ARCH, &config, f);

	if (r < 0)
		return r;
	p->layers = calloc(n + 1, sizeof(*p->layers));
	if (!p->layers)
		return fail_set(f, ENOMEM, "no memory");
	for (size_t i = 0; i < n; i++) {
		r = digest_check(config.diffs[i], f);
		if (r < 0)
			return fail_wrap(f, "the config's diff ids");
		strcpy(p->layers[i].diff, config.diffs[i]);
	}
	p->n_layers = n;
	return 0;
}

static int plan(struct archive_file *a, struct fail *f)
{
	const struct member *index = members_find(&a->members, "index.json");
	const struct member *save = members_find(&a->members, "manifest.json");

	if (index && members_find(&a->members, "oci-layout"))
		return plan_oci(a, index, f);
	if (save)
		return plan_docker(a, save, f);
	return fail_set(
		f, EINVAL,
		"no image archive: it has neither oci-layout and index.json nor manifest.json"
		" (make one with skopeo copy ... oci-archive:FILE, or docker save)");
}

int archive_plan(struct archive_file *a, const char *name, struct fail *f)
{
	int r = plan(a, f);

	if (r == 0 && a->n_plans == 0)
		r = fail_set(f, ENOENT, "there is no image in it");
	if (r == 0 && name && a->n_plans > 1)
		r = fail_set(f, 0, "it holds %zu images, --name is for one", a->n_plans);
	if (r == 0 && name) {
		while (a->plans->n_names > 0)
			free(a->plans->names[--a->plans->n_names]);
		r = plan_add_name(a->plans, name, f);
	}
	if (r == 0 && a->n_plans == 1 && a->plans->n_names == 0)
		r = plan_add_said(a, a->plans, "", f);
	return r < 0 ? fail_wrap(f, "\"%s\"", a->path) : 0;
}
