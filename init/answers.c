/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Who waits for an answer to start, stop or restart, disable or enable. Asked only when all is quiet. */
#include "init/sup_core.h"

bool waiter_add(struct sup *sup, uint32_t token, const struct sup_unit *u, enum sup_goal goal)
{
	if (!token)
		return true;
	for (int i = 0; i < SUP_WAITERS; i++) {
		if (sup->waiters[i].token)
			continue;
		sup->waiters[i] = (struct sup_waiter){token, unit_id(sup, u), goal};
		return true;
	}
	sup_reply(sup, token, 1, "too many requests wait for an answer");
	return false;
}

static void say_failure(struct sup *sup, uint32_t token, const struct sup_unit *u)
{
	if (u->state == SUP_STUCK)
		sup_reply(sup, token, 1, "%s: killed, but it does not die", u->name);
	else if (*u->step)
		sup_reply(sup, token, 1, "%s: %s at %s: %s", u->name, sup_result_names[u->result],
			  u->step, u->text);
	else
		sup_reply(sup, token, 1, "%s: %s%s%s", u->name, sup_result_names[u->result],
			  *u->text ? ": " : "", u->text);
}

static bool serve_up(struct sup *sup, uint32_t token, const struct sup_unit *u)
{
	if (sup->shutdown) {
		sup_reply(sup, token, 5, "refused: shutting down");
		return true;
	}
	if (u->want == SUP_WANT_AGAIN && u->state != SUP_STUCK)
		return false;
	if (unit_is(u, STATE_UP) && u->want == SUP_WANT_UP) {
		sup_reply(sup, token, 0, "%s", sup_state_names[u->state]);
		return true;
	}
	if (u->state == SUP_FAILED || u->state == SUP_BACKOFF || u->state == SUP_STUCK) {
		say_failure(sup, token, u);
		return true;
	}
	if (u->want == SUP_WANT_UP)
		return false;
	if (u->state == SUP_DOWN && (u->finished || u->result == SUP_SKIP))
		sup_reply(sup, token, 0, "%s", u->result == SUP_SKIP ? "skipped" : "done");
	else
		sup_reply(sup, token, 1, "%s: stopped meanwhile", u->name);
	return true;
}

static bool serve_down(struct sup *sup, uint32_t token, const struct sup_unit *u)
{
	if (u->state == SUP_DOWN || u->state == SUP_FAILED) {
		sup_reply(sup, token, 0, "%s", sup_state_names[u->state]);
		return true;
	}
	if (u->state == SUP_STUCK) {
		say_failure(sup, token, u);
		return true;
	}
	if (u->want == SUP_WANT_UP || u->want == SUP_WANT_AGAIN) {
		sup_reply(sup, token, 1, "%s: started meanwhile", u->name);
		return true;
	}
	return false;
}

static bool serve_saved(struct sup *sup, uint32_t token, const struct sup_unit *u, bool disable)
{
	const char *said = u->disabled ? "disabled" : "enabled";

	if (u->saving)
		return false;
	if (u->disabled != disable)
		sup_reply(sup, token, 1, "%s: %s meanwhile", u->name, said);
	else if (u->save_error)
		sup_reply(sup, token, 1, "%s: %s until the next boot only: %s", u->name, said,
			  u->save_text);
	else
		sup_reply(sup, token, 0, "%s", said);
	return true;
}

static bool serve_enabled(struct sup *sup, uint32_t token, const struct sup_unit *u)
{
	return serve_saved(sup, token, u, false);
}

static bool serve_disabled(struct sup *sup, uint32_t token, const struct sup_unit *u)
{
	return serve_saved(sup, token, u, true);
}

void waiters_serve(struct sup *sup)
{
	static bool (*const serve[GOAL__N])(struct sup *, uint32_t, const struct sup_unit *) = {
		[GOAL_UP] = serve_up,
		[GOAL_DOWN] = serve_down,
		[GOAL_ENABLED] = serve_enabled,
		[GOAL_DISABLED] = serve_disabled,
	};

	for (int i = 0; i < SUP_WAITERS; i++) {
		struct sup_waiter *w = &sup->waiters[i];
		const struct sup_unit *u = &sup->units[w->unit];

		if (!w->token || !sup_room(sup))
			continue;
		if (!u->used)
			sup_reply(sup, w->token, 4, "it has no unit file any more");
		else if (!serve[w->goal](sup, w->token, u))
			continue;
		w->token = 0;
	}
}
