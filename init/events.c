/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of state, told to whoever follows them: clients of the verb `events`, and the console. */
#include <stdio.h>
#include <string.h>

#include "init/addresses.h"
#include "init/boot_jobs.h"
#include "init/client.h"
#include "init/console.h"
#include "init/exec.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/stamps.h"
#include "init/transient.h"
#include "init/verbs.h"

static void broadcast(const struct action *a, const struct sup_unit_info *info)
{
	struct line l;

	line_begin(&l);
	json_int(&l.j, "seq", (int64_t)a->seq);
	json_int(&l.j, "usec", wall_usec(loop_now()));
	json_str(&l.j, "unit", info->name);
	json_str(&l.j, "from", sup_state_names[a->from]);
	json_str(&l.j, "to", sup_state_names[a->to]);
	if (a->result != SUP_SUCCESS)
		json_str(&l.j, "result", sup_result_names[a->result]);
	if (a->text[0])
		json_str(&l.j, "text", a->text);
	if (info->pid)
		json_int(&l.j, "pid", info->pid);
	json_end(&l.j);
	if (!l.buf.bad)
		client_broadcast(&l.buf);
	buf_done(&l.buf);
}

/* hello: http://192.0.2.7:8080/ for each TCP port, the first time the unit is up. */
static void tell_ports(const struct unit *u)
{
	char host[64];

	if (!u->container)
		return;
	snprintf(host, sizeof(host), "%s", boot_options()->address);
	if (!host[0])
		addresses_host(host, sizeof(host));
	for (size_t i = 0; i < u->container->n_ports; i++) {
		const struct unit_port *p = &u->container->ports[i];
		const char *at = p->ip && strcmp(p->ip, "0.0.0.0") != 0 ? p->ip
				 : host[0]                              ? host
									: "127.0.0.1";

		if (p->host && !strcmp(p->protocol, "tcp"))
			console_say("%s: http://%s:%u/", u->service, at, p->host);
	}
}

static void tell_console(const struct action *a, const struct sup_unit_info *info)
{
	const struct unit *u = shell_unit(a->unit);
	struct run *r = run_find(a->unit);
	const char *why = info->text[0] ? info->text : a->text;

	if (a->to == SUP_FAILED || a->to == SUP_STUCK)
		console_say("%s: %s (%s)%s%s", info->name, sup_state_names[a->to],
			    sup_result_names[a->result], why[0] ? ": " : "", why);
	if (a->to != SUP_UP || info->kind != UNIT_CONTAINER || !u || !r)
		return;
	stamp(STAMP_FIRST_CONTAINER);
	if (r->told)
		return;
	r->told = true;
	console_say("%s: up", info->name);
	tell_ports(u);
}

void exec_state(const struct action *a)
{
	struct sup_unit_info info;

	if (!sup_unit_info(shell_sup(), a->unit, &info))
		return;
	if (client_has_followers())
		broadcast(a, &info);
	tell_console(a, &info);
	if (a->to == SUP_DOWN || a->to == SUP_FAILED)
		transient_down(info.name);
}
