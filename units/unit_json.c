/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/unit_json.h"

#include <stdio.h>
#include <string.h>

#include "units/conv.h"
#include "units/names.h"
#include "units/value.h"

/* --- fields by the key table ------------------------------------------------------------------ */

static void put_text(struct json_out *j, const char *key, struct text text)
{
	if (!text.raw) {
		json_str(j, key, text.value);
		return;
	}
	json_object(j, key);
	json_str(j, "raw", text.raw);
	json_str(j, "value", text.value);
	json_end(j);
}

static void put_texts(struct json_out *j, const char *key, const struct text_list *list)
{
	json_array(j, key);
	for (size_t i = 0; i < list->n; i++)
		put_text(j, NULL, list->items[i]);
	json_end(j);
}

static void put_pairs(struct json_out *j, const char *key, const struct pair_list *list)
{
	json_object(j, key);
	for (size_t i = 0; i < list->n; i++)
		put_text(j, list->items[i].name,
			 (struct text){list->items[i].value, list->items[i].raw});
	json_end(j);
}

static void put_tri(struct json_out *j, const char *key, enum tri tri, const char *preset)
{
	if (tri == TRI_UNSET && (!preset || !*preset))
		json_null(j, key);
	else
		json_bool(j, key, tri == TRI_UNSET ? strcmp(preset, "true") == 0 : tri == TRI_YES);
}

static void put_number(struct json_out *j, const char *key, struct number n)
{
	if (n.set)
		json_int(j, key, n.value);
	else
		json_null(j, key);
}

static void put_commands(struct json_out *j, const char *key, const struct command_list *list)
{
	json_array(j, key);
	for (size_t i = 0; i < list->n; i++) {
		json_object(j, NULL);
		json_array(j, "argv");
		for (size_t a = 0; a < list->items[i].argc; a++)
			json_str(j, NULL, list->items[i].argv[a]);
		json_end(j);
		json_bool(j, "may_fail", list->items[i].may_fail);
		json_end(j);
	}
	json_end(j);
}

static void put_field(struct json_out *j, const struct key *key, const void *field)
{
	switch (key_types[key->type].store) {
	case STORE_NONE: break;
	case STORE_TEXT: put_text(j, key->json, *(const struct text *)field); break;
	case STORE_TEXTS: put_texts(j, key->json, field); break;
	case STORE_PAIRS: put_pairs(j, key->json, field); break;
	case STORE_TRI: put_tri(j, key->json, *(const enum tri *)field, key->preset); break;
	case STORE_NUMBER: put_number(j, key->json, *(const struct number *)field); break;
	case STORE_COMMANDS: put_commands(j, key->json, field); break;
	}
}

/* All fields of a section that the table prints. */
static void put_section(struct json_out *j, enum key_section section, enum key_kinds kinds,
			const void *object)
{
	for_each_key(key) if (key->section == section && key->json && key->kinds & kinds)
		put_field(j, key, (const char *)object + key->offset);
}

/* --- structures ------------------------------------------------------------------------------- */

static void put_words(struct json_out *j, const char *key, const char *list)
{
	char word[256];

	json_array(j, key);
	while (list && *list) {
		size_t len = strcspn(list, ",");

		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		json_str(j, NULL, word);
		list += len + (list[len] == ',');
	}
	json_end(j);
}

static void put_mounts(struct json_out *j, const struct unit_mount *mounts, size_t n)
{
	json_array(j, "mounts");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "type", mounts[i].type);
		put_text(j, "source", mounts[i].source);
		put_text(j, "target", mounts[i].target);
		put_words(j, "options", mounts[i].options);
		json_str(j, "unit", mounts[i].unit ? mounts[i].unit->name : NULL);
		json_end(j);
	}
	json_end(j);
}

static void put_ports(struct json_out *j, const struct unit_port *ports, size_t n)
{
	json_array(j, "ports");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "ip", ports[i].ip);
		put_number(j, "host", (struct number){ports[i].host, ports[i].host});
		json_int(j, "container", ports[i].container);
		json_str(j, "protocol", ports[i].protocol);
		json_end(j);
	}
	json_end(j);
}

static void put_networks(struct json_out *j, const struct unit_join *joins, size_t n)
{
	json_array(j, "networks");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		put_text(j, "name", joins[i].name);
		if (joins[i].container)
			json_bool(j, "container", true);
		json_str(j, "ip", joins[i].ip);
		json_str(j, "ip6", joins[i].ip6);
		json_str(j, "mac", joins[i].mac);
		put_texts(j, "aliases", &joins[i].aliases);
		json_str(j, "unit", joins[i].unit ? joins[i].unit->name : NULL);
		json_end(j);
	}
	json_end(j);
}

static void put_secrets(struct json_out *j, const struct unit_secret *secrets, size_t n)
{
	char mode[8];

	json_array(j, "secrets");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "name", secrets[i].name);
		json_str(j, "type", secrets[i].env ? "env" : "mount");
		json_str(j, "target", secrets[i].target);
		json_int(j, "uid", secrets[i].uid);
		json_int(j, "gid", secrets[i].gid);
		snprintf(mode, sizeof(mode), "%04o", (unsigned)secrets[i].mode & 07777);
		json_str(j, "mode", mode);
		json_end(j);
	}
	json_end(j);
}

static void put_devices(struct json_out *j, const struct unit_device *devices, size_t n)
{
	json_array(j, "devices");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "host", devices[i].host);
		json_str(j, "container", devices[i].container);
		json_str(j, "access", devices[i].access);
		json_bool(j, "optional", devices[i].optional);
		json_end(j);
	}
	json_end(j);
}

static void put_probe(struct json_out *j, const struct policy_probe *p)
{
	if (p->interval_usec == POLICY_INFINITY)
		json_null(j, "interval_usec");
	else
		json_int(j, "interval_usec", (int64_t)p->interval_usec);
	json_int(j, "timeout_usec", (int64_t)p->timeout_usec);
	json_int(j, "retries", p->retries);
}

static void put_health(struct json_out *j, const struct unit *u)
{
	const struct unit_container *c = u->container;

	if (!c->health_cmd.n && !c->health_none) {
		json_null(j, "health");
		return;
	}
	json_object(j, "health");
	put_texts(j, "cmd", &c->health_cmd);
	put_probe(j, &u->policy.health);
	json_int(j, "start_period_usec", (int64_t)u->policy.health.start_period_usec);
	json_str(j, "on_failure", policy_health_names[u->policy.on_unhealthy]);
	if (c->health_startup_cmd.n) {
		json_object(j, "startup");
		put_texts(j, "cmd", &c->health_startup_cmd);
		put_probe(j, &u->policy.startup);
		json_int(j, "success", u->policy.startup.successes);
		json_end(j);
	} else {
		json_null(j, "startup");
	}
	json_end(j);
}

static void put_container(struct json_out *j, const struct unit *u)
{
	const struct unit_container *c = u->container;

	json_object(j, "container");
	put_section(j, SECTION_CONTAINER, FOR_QUADLET, c);
	json_str(j, "image_unit", c->image_unit ? c->image_unit->name : NULL);
	json_null(j, "rootfs");
	if (c->entrypoint_set)
		put_texts(j, "entrypoint", &c->entrypoint);
	else
		json_null(j, "entrypoint");
	put_mounts(j, c->mounts, c->n_mounts);
	put_ports(j, c->ports, c->n_ports);
	put_networks(j, c->networks, c->n_networks);
	put_devices(j, c->devices, c->n_devices);
	put_secrets(j, c->secrets, c->n_secrets);
	put_health(j, u);
	json_end(j);
}

static void put_volume(struct json_out *j, const struct unit *u)
{
	json_object(j, "volume");
	put_text(j, "name", u->volume->name);
	put_section(j, SECTION_VOLUME, FOR_QUADLET, u->volume);
	json_end(j);
}

static void put_network(struct json_out *j, const struct unit *u)
{
	json_object(j, "network");
	put_text(j, "name", u->network->name);
	put_section(j, SECTION_NETWORK, FOR_QUADLET, u->network);
	json_str(j, "bridge", u->network->bridge);
	json_end(j);
}

static void put_pod(struct json_out *j, const struct unit *u)
{
	json_object(j, "pod");
	put_text(j, "name", u->pod->name);
	put_section(j, SECTION_POD, FOR_QUADLET, u->pod);
	put_ports(j, u->pod->ports, u->pod->n_ports);
	put_networks(j, u->pod->networks, u->pod->n_networks);
	put_mounts(j, u->pod->mounts, u->pod->n_mounts);
	json_end(j);
}

static void put_image(struct json_out *j, const struct unit *u)
{
	json_object(j, "image");
	put_section(j, SECTION_IMAGE, FOR_QUADLET, u->image);
	json_end(j);
}

static void put_part(struct json_out *j, const struct unit *u)
{
	static void (*const put[UNIT_KIND__N])(struct json_out *, const struct unit *) = {
		[UNIT_CONTAINER] = put_container, [UNIT_VOLUME] = put_volume,
		[UNIT_NETWORK] = put_network,     [UNIT_POD] = put_pod,
		[UNIT_IMAGE] = put_image,
	};

	if (!put[u->kind])
		return;
	if (u->state == UNIT_OK)
		put[u->kind](j, u);
	else
		json_null(j, unit_kind_names[u->kind]);
}

/* --- policy ----------------------------------------------------------------------------------- */

static void put_usec(struct json_out *j, const char *key, uint64_t usec)
{
	if (usec == POLICY_INFINITY)
		json_str(j, key, "infinity");
	else
		json_int(j, key, (int64_t)usec);
}

static void put_signal(struct json_out *j, const char *key, int signal)
{
	const char *name = value_signal_name(signal);

	if (name)
		json_str(j, key, name);
	else if (signal)
		json_int(j, key, signal);
	else
		json_null(j, key);
}

static void put_policy(struct json_out *j, const struct unit *u)
{
	const struct unit_policy *p = &u->policy;
	enum key_kinds kinds = u->kind == UNIT_SERVICE ? FOR_SERVICE : FOR_QUADLET;

	json_object(j, "policy");
	json_str(j, "type", policy_type_names[p->type]);
	json_str(j, "ready", policy_ready_names[p->ready]);
	json_str(j, "restart", policy_restart_names[p->restart]);
	if (p->restart_direct)
		json_bool(j, "restart_direct", true);
	put_usec(j, "restart_usec", p->restart_usec);
	json_bool(j, "restart_doubles", p->restart_doubles);
	json_int(j, "restart_steps", p->restart_steps);
	put_usec(j, "restart_max_delay_usec", p->restart_max_delay_usec);
	json_int(j, "start_limit_burst", p->start_limit_burst);
	put_usec(j, "start_limit_interval_usec", p->start_limit_interval_usec);
	json_str(j, "start_limit_action", policy_action_names[p->start_limit_action]);
	if (p->failure_action)
		json_str(j, "failure_action", policy_action_names[p->failure_action]);
	if (p->success_action)
		json_str(j, "success_action", policy_action_names[p->success_action]);
	put_usec(j, "timeout_start_usec", p->start_timeout_usec);
	put_usec(j, "timeout_stop_usec", p->stop_timeout_usec);
	if (p->abort_timeout_usec)
		put_usec(j, "timeout_abort_usec", p->abort_timeout_usec);
	put_usec(j, "watchdog_usec", p->watchdog_usec);
	if (p->runtime_max_usec)
		put_usec(j, "runtime_max_usec", p->runtime_max_usec);
	put_signal(j, "stop_signal", p->stop_signal);
	put_signal(j, "reload_signal", p->reload_signal);
	put_section(j, SECTION_SERVICE, kinds, u->exec);
	put_pairs(j, "limits", &u->exec->rlimits);
	json_end(j);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void put_deps(struct json_out *j, const struct unit *u)
{
	size_t i = 0;

	for (int kind = 0; kind < DEP__N; kind++) {
		json_array(j, dep_names[kind]);
		for (; i < u->n_deps && (int)u->deps[i].kind == kind; i++)
			json_str(j, NULL, u->deps[i].name);
		json_end(j);
	}
}

static void put_install(struct json_out *j, const char *key, const struct unit_install_list *list)
{
	json_array(j, key);
	for (size_t i = 0; i < list->n; i++)
		json_str(j, NULL, list->items[i].name);
	json_end(j);
}

void diag_json(struct json_out *j, const char *key, const struct diag *d)
{
	json_object(j, key);
	json_str(j, "severity", d->severity == DIAG_ERROR ? "error" : "warning");
	json_str(j, "code", d->code);
	json_str(j, "file", d->at.file);
	json_int(j, "line", d->at.line);
	json_int(j, "column", d->at.column);
	json_str(j, "message", d->message);
	json_str(j, "hint", d->hint);
	json_end(j);
}

static void put_conditions(struct json_out *j, const struct unit *u)
{
	json_array(j, "conditions");
	for (size_t i = 0; i < u->n_conditions; i++) {
		json_object(j, NULL);
		json_str(j, "check", u->conditions[i].check);
		json_str(j, "path", u->conditions[i].arg);
		json_bool(j, "negate", u->conditions[i].negate);
		json_bool(j, "or", u->conditions[i].or_group);
		json_end(j);
	}
	json_end(j);
}

static void put_state(struct json_out *j, const struct unit *u)
{
	static const char *const states[] = {
		[UNIT_OK] = "ok", [UNIT_REJECTED] = "rejected", [UNIT_MASKED] = "masked"};
	char service[300];

	snprintf(service, sizeof(service), "%s%s", u->service,
		 u->kind == UNIT_TARGET ? "" : ".service");
	json_str(j, "unit", u->name);
	json_str(j, "service", service);
	json_str(j, "state", states[u->state]);
	json_bool(j, "template", strstr(u->name, "@."));
}

/* All that the files mean, wherever it is written. */
static void put_meaning(struct json_out *j, const struct unit *u)
{
	put_text(j, "description", u->description);
	put_texts(j, "documentation", &u->documentation);
	put_part(j, u);
	put_conditions(j, u);
	put_texts(j, "requires_mounts_for", &u->mounts_for);
	put_deps(j, u);
	put_install(j, "wanted_by", &u->wanted_by);
	put_install(j, "required_by", &u->required_by);
	put_install(j, "upheld_by", &u->upheld_by);
	put_texts(j, "alias", &u->alias);
	put_text(j, "default_instance", u->default_instance);
	json_bool(j, "boot", u->boot);
	put_policy(j, u);
}

void unit_json_part(struct json_out *j, const struct unit *u)
{
	json_object(j, NULL);
	put_part(j, u);
	if (u->kind == UNIT_SERVICE) {
		put_section(j, SECTION_SERVICE, FOR_SERVICE, u->exec);
		put_pairs(j, "limits", &u->exec->rlimits);
	}
	json_end(j);
}

void unit_json_meaning(struct json_out *j, const struct unit *u)
{
	json_object(j, NULL);
	put_state(j, u);
	put_meaning(j, u);
	json_end(j);
}

void unit_json(struct json_out *j, const struct unit *u)
{
	json_object(j, NULL);
	put_state(j, u);
	json_array(j, "source");
	for (size_t i = 0; i < u->n_sources; i++)
		json_str(j, NULL, u->sources[i]);
	json_end(j);
	put_meaning(j, u);
	json_array(j, "diagnostics");
	for (size_t i = 0; i < u->n_diags; i++)
		diag_json(j, NULL, u->diags[i]);
	json_end(j);
	json_end(j);
}
