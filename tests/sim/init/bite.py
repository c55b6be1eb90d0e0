#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bite.py [SEEDS [WORD]]: does the simulator notice a broken rule? (WORD: only those whose title has it)

Breaks one rule of the core after the other in a copy of the tree, runs SEEDS (10000) random worlds on
it and prints how many of them found it. A rule that nobody misses is a hole in the invariants: exit 1.
Run from the top of the tree; not part of `make test`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

# what is broken: file, text, what stands there instead (where a rule is held in two places, both)
BREAKS = {
    "stops do not wait for who comes after": (
        "init/jobs.c", "return d->in & DEP(DEP_AFTER) && going_down(", "return false && going_down("),
    "the cgroup need not be empty": (
        "init/jobs.c", "return u->has & ~(uint32_t)HAS_PROBE ? CUE_NONE : CUE_GONE",
        "return u->has & ~(uint32_t)(HAS_PROBE | HAS_CGROUP) ? CUE_NONE : CUE_GONE"),
    "a stop does not end the backoff": (
        "init/jobs.c", "case SUP_BACKOFF: return u->want == SUP_WANT_UP ? CUE_NONE : CUE_GO_DOWN",
        "case SUP_BACKOFF: return CUE_NONE"),
    "a restart beats a stop": (
        "init/jobs.c", "if (u->want != SUP_WANT_UP || u->leaving)", "if (u->leaving)"),
    "a requirement need not be up": (
        "init/jobs.c", "if (wanted(v)) {\n\t\tif (!after)", "if (wanted(v)) {\n\t\tif (1)"),
    "a failed requirement does not matter": (
        "init/jobs.c", "? EDGE_FREE : EDGE_FAILS;", "? EDGE_FREE : EDGE_FREE;"),
    "who is bound is not stopped": (
        "init/jobs.c", "if (d->in & DEP(DEP_BINDS_TO) && v->want == SUP_WANT_UP &&",
        "if (0 && d->in & DEP(DEP_BINDS_TO) && v->want == SUP_WANT_UP &&"),
    "a stop does not take dependents along": (
        "init/jobs.c", "if (!(d->in & DEP_DRAGGED) || !wanted(v))", "if (1)"),
    "what was stopped by hand is pulled in again": (
        "init/jobs.c", "if (how != START_BY_HAND && v->by_hand)", "if (0)"),
    "conflicts start side by side": (
        "init/jobs.c", "return wanted(v) ? EDGE_FAILS : EDGE_WAIT;", "return EDGE_FREE;"),
    "starts during shutdown are taken": (
        "init/sup_events.c", "if (sup->shutdown) {", "if (0) {",
        "init/jobs.c", "if (!startable(root) || sup->shutdown)", "if (!startable(root))"),
    "ending has no deadline": (
        "init/sup.c", "case SUP_ENDING: return sup->now + sup->limits.kill_nsec;",
        "case SUP_ENDING: return SUP_NEVER;"),
    "a lost empty cgroup is not looked for": (
        "init/effects.c", "sup_act(sup, ACTION_CG_CHECK, u);", ";"),
    "the end of shutdown is not forced": (
        "init/sup_shutdown.c", "if (sup->n_busy && sup->now < sup->shutdown_end)", "if (sup->n_busy)"),
    "a start that is stopped is not cancelled": (
        "init/effects.c", "if (u->has & HAS_STARTER)\n\t\tsup_act(sup, ACTION_CANCEL_START, u);", ""),
    "leftovers of a helper are forgotten": (
        "init/sup_events.c", "if (populated)\n\t\tu->has |= HAS_CGROUP;", "if (0)\n\t\t;"),
    "two probes at once": (
        "init/health.c", "if (u->has & HAS_PROBE) {\n\t\t/*", "if (0) {\n\t\t/*"),
    "a network of earlier files is kept for the next run": (
        "init/jobs.c", "(!u->outdated && (", "(1 && ("),
    "what waits keeps a network of earlier files": (
        "init/sup_load.c", "else if (u->outdated)\n\t\t\tjob_renew(sup, u);", ""),
    "the start limit is not counted": (
        "init/effects.c", "start_limit_count(&u->policy, &u->limit, sup->now);", ";"),
    "a waiter is answered twice": (
        "init/answers.c", "\t\tw->token = 0;", "\t\t;"),
    "revival forgets the stop by hand": (
        "init/sup_state.c", "\tNUMBER(sup_unit, by_hand, 2),\n", ""),
    "revival forgets that a helper runs": (
        "init/sup_state.c", "\tNUMBER(sup_unit, has, 32),\n", ""),
    "nobody looks at a unit after an event": (
        "init/sup_events.c", "sup_queue(sup, &sup->units[e->unit]);", ";"),
    "an intent is answered before it is saved": (
        "init/answers.c", "if (u->saving)\n\t\treturn false;", ""),
    "an intent is saved twice at once": (
        "init/sup_events.c", "if (!u->saving)\n\t\tsave_intent(sup, u);", "save_intent(sup, u);"),
    "who changes their mind is not heard": (
        "init/sup_events.c", "if (u->disabled != u->saved_disabled)", "if (0)"),
    "shutdown does not wait for an intent": (
        "init/sup_shutdown.c", "sup->n_busy || saves(sup)", "sup->n_busy"),
    "an order that is a cycle is kept": (
        "init/sup_order.c", "clear_inside(&w, DEP_AFTER_IMPLICIT);", ";"),
}


def copy_tree(to):
    for folder in ("init", "units", "base", "tests/sim/init"):
        shutil.copytree(folder, os.path.join(to, folder))


def edit(top, title, path, old, new):
    with open(os.path.join(top, path), encoding="utf-8") as text:
        source = text.read()
    if old not in source:
        sys.exit(f"{path}: nothing to break for \"{title}\": bring bite.py up to date")
    with open(os.path.join(top, path), "w", encoding="utf-8") as text:
        text.write(source.replace(old, new))


def compile_to(top, out, folders, *options):
    """Pure files and the simulator: no shell is needed, and unused functions go with their sections."""
    sources = []
    for folder in folders:
        for name in sorted(os.listdir(os.path.join(top, folder))):
            path = os.path.join(folder, name)
            if not name.endswith(".c") or name in ("main.c", "test_scenarios.c", "scenario.c"):
                continue
            with open(os.path.join(top, path), encoding="utf-8") as text:
                pure = "/* pure */" in text.read(200)
            if folder == "tests/sim/init" or pure:
                sources.append(path)
    subprocess.run(["gcc", "-std=gnu17", "-O2", "-w", "-I.", "-D_GNU_SOURCE", "-ffunction-sections",
                    "-o", out, *sources, *options], cwd=top, check=True)


def broken_seeds(program, seeds):
    env = dict(os.environ, SIM_SEEDS=str(seeds), SIM_ALL="1")
    out = subprocess.run([program], env=env, capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+) broken", out)
    first = re.search(r"seed (\d+): (.*)", out)
    return int(found.group(1)) if found else -1, first.group(2) if first else ""


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    missed = 0
    floors = tempfile.NamedTemporaryFile(suffix=".o")  # below init/ nothing is broken: compiled once
    compile_to(".", floors.name, ("base", "units"), "-r", "-nostdlib")
    for title, edits in BREAKS.items():
        if word not in title:
            continue
        with tempfile.TemporaryDirectory() as top:
            copy_tree(top)
            for i in range(0, len(edits), 3):
                edit(top, title, *edits[i:i + 3])
            program = os.path.join(top, "sim")
            compile_to(top, program, ("init", "tests/sim/init"), floors.name, "-Wl,--gc-sections",
                       "-Wl,--unresolved-symbols=ignore-all", "-lcmocka")  # fmt: skip
            n, first = broken_seeds(program, seeds)
        missed += n == 0
        count = "crashed" if n < 0 else str(n)
        print(f"{count:>8} of {seeds}  {title}: {first}", flush=True)
    return missed > 0


if __name__ == "__main__":
    sys.exit(main())
