# SPDX-License-Identifier: Apache-2.0
"""orlop-log serve with real pipes: what units write is in their files, bounded, whatever happens."""

import concurrent.futures
import fcntl
import os
import threading
import time

import pytest
from host import settled
from logserver import RING, STORE, LogServer
from private import retry


@pytest.fixture
def logs(request):
    args, setup = getattr(request, "param", ((), ""))
    server = LogServer(*args, setup=setup)
    yield server
    server.close()


def served(*args, setup=""):
    """Starts the test's server with these arguments, after these shell commands."""
    return pytest.mark.parametrize("logs", [(args, setup)], indirect=True, ids=[""])


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def test_lines_arrive_whole_and_in_order(logs):
    pipe = logs.unit("web.container")
    write_all(pipe, b"".join(b"line %d\n" % i for i in range(1000)))
    retry(lambda: len(logs.records("web.container")) == 1000)
    records = logs.records("web.container")
    assert [t for _, _, t in records] == [b"line %d" % i for i in range(1000)]
    assert {f for _, f, _ in records} == {b"F"}
    times = [t for t, _, _ in records]
    assert times == sorted(set(times)), "times rise strictly"


def test_runs_without_privileges(logs):
    logs.unit("web.container")
    retry(lambda: os.path.exists(logs.ns.path(STORE)))

    def status():
        with open(f"/proc/{logs.process.pid}/status", encoding="ascii") as f:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        return fields if fields["Seccomp"] == "2" else None

    fields = retry(status)
    assert fields["Uid"].split() == ["472"] * 4
    assert fields["Gid"].split() == ["472"] * 4
    assert fields["Groups"].split() == []
    assert fields["NoNewPrivs"] == "1"
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[name], 16) == 0, name
    assert os.stat(logs.ns.path(STORE)).st_uid == 472
    assert os.stat(logs.ns.path(STORE)).st_mode & 0o777 == 0o750


def test_no_prefix_can_be_forged(logs):
    forged = b"2026-01-01T00:00:00.000000000Z F forged"
    pipe = logs.unit("evil.container")
    write_all(pipe, b"a\n" + forged + b"\n\x1b]0;title\x07\0\xff\r\n" + forged)
    retry(lambda: len(logs.records("evil.container")) == 4)
    records = logs.records("evil.container")
    assert [t for _, _, t in records] == [b"a", forged, b"\x1b]0;title\x07\0\xff\r", forged]
    assert [f for _, f, _ in records] == [b"F", b"F", b"F", b"P"]
    assert not any(t.startswith(b"2026-01-01T00:00:00") for t, _, _ in records)


def test_long_lines_come_in_pieces(logs):
    pipe = logs.unit("long.container")
    line = bytes(33 + i % 90 for i in range(100000))
    write_all(pipe, line + b"\nend\n")
    retry(lambda: logs.texts("long.container")[-1:] == [b"end"])
    records = logs.records("long.container")
    assert b"".join(t for _, _, t in records[:-1]) == line
    assert [f for _, f, _ in records[:-2]] == [b"P"] * (len(records) - 2)
    assert max(len(t) for _, _, t in records) <= 16384


def test_a_prompt_without_newline_shows_within_two_seconds(logs):
    pipe = logs.unit("prompt.container")
    took, wanted = [], []
    while not took or min(took) >= 2:  # a machine that is busy adds to it, once and again
        assert len(took) < 5, took
        write_all(pipe, b"ok\n")
        wanted += [(b"F", b"ok"), (b"P", b"password: ")]
        retry(lambda: len(logs.records("prompt.container")) == len(wanted) - 1)
        start = time.monotonic()
        write_all(pipe, b"password: ")
        retry(lambda: len(logs.records("prompt.container")) == len(wanted))
        took.append(time.monotonic() - start)
    assert min(took) > 0.9
    write_all(pipe, b"ok\n")
    retry(lambda: len(logs.records("prompt.container")) == len(wanted) + 1)
    assert [(f, t) for _, f, t in logs.records("prompt.container")] == [*wanted, (b"F", b"ok")]


def test_end_of_the_pipe_closes_the_line(logs):
    retry(lambda: os.path.exists(logs.ns.path(STORE)))
    took = []
    while not took or min(took) >= 0.9:  # a prompt's second would have to pass; a machine that is busy adds to it
        assert len(took) < 10, took
        name = f"gone{len(took)}.container"
        logs.unit(name)
        pipe = logs.pipes.pop(name)
        start = time.monotonic()
        write_all(pipe.write, b"last words")
        os.close(pipe.read)
        os.close(pipe.write)
        retry(lambda n=name: logs.texts(n) == [b"last words"])
        took.append(time.monotonic() - start)


def test_sigterm_flushes_and_ends(logs):
    pipe = logs.unit("web.container")
    write_all(pipe, b"one\ntwo\nthree")
    retry(lambda: logs.records("web.container"))
    assert logs.terminate() == 0
    assert [(f, t) for _, f, t in logs.records("web.container")] == [
        (b"F", b"one"),
        (b"F", b"two"),
        (b"P", b"three"),
    ]


def test_ends_when_pid_1_closes_the_socket(logs):
    pipe = logs.unit("web.container")
    write_all(pipe, b"one\n")
    logs.control.close()
    assert logs.process.wait(10) == 0
    assert logs.texts("web.container") == [b"one"]


def test_flood_of_a_gigabyte_stays_bounded(logs):
    """F40."""
    pipe = logs.unit("flood.container")
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)  # else a machine with much to do has to take turns 16,000 times
    quiet = logs.unit("quiet.container")
    line = b"x" * 99 + b"\n"
    flood = line * 10000
    total = 1 << 30
    worst = [0.0]
    done = threading.Event()

    def last(unit):
        """Only that: to read all of it for each line takes longer, the longer the flood takes."""
        return (logs.contents(unit) or [b""])[-1][-100:].rpartition(b" F ")[2].rstrip(b"\n")

    def neighbour():
        seen = 0
        while not done.is_set():
            start = time.monotonic()
            write_all(quiet, b"%d\n" % seen)
            seen += 1
            retry(lambda n=seen: last("quiet.container") == b"%d" % (n - 1))
            worst[0] = max(worst[0], time.monotonic() - start)
            time.sleep(0.02)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        job = pool.submit(neighbour)
        start = time.monotonic()
        sent = 0
        try:
            while sent < total:
                write_all(pipe, flood)
                sent += len(flood)
                if sent % (100 * len(flood)) == 0:
                    assert logs.size("flood.container") <= 5 << 20
        finally:
            done.set()
        seconds = time.monotonic() - start
        job.result()
    retry(lambda: logs.records("flood.container")[-1][1] == b"M")
    records = logs.records("flood.container")
    print(
        f"1 GiB in {seconds:.1f} s; {logs.size('flood.container')} bytes kept;"
        f" a neighbour's line took {worst[0] * 1000:.0f} ms at most"
    )
    assert logs.size("flood.container") <= 5 << 20
    assert len(logs.files("flood.container")) == 5
    assert worst[0] < 1
    markers = [t for _, f, t in records if f == b"M"]
    assert markers and all(m.endswith(b" bytes dropped") for m in markers)
    assert {t for _, f, t in records if f == b"F"} == {line[:-1]}, "no line is torn"


def test_nothing_is_lost_to_kill_9(logs):
    """F41: the pipe is the buffer."""
    pipe = logs.unit("count.container", "rate=0", "size=1G")
    n, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            write_all(pipe, b"".join(b"%d\n" % i for i in range(n[0], n[0] + 50)))
            n[0] += 50

    thread = threading.Thread(target=count)
    thread.start()
    for _ in range(30):
        before = n[0]
        retry(lambda b=before: n[0] > b + 500)
        logs.kill()
        logs.start()
    stop.set()
    thread.join()
    retry(lambda: logs.texts("count.container")[-1:] == [b"%d" % (n[0] - 1)])
    numbers = [int(t) for t in logs.texts("count.container")]
    assert sorted(set(numbers)) == list(range(n[0])), "every line is there"
    print(f"{n[0]} lines, 30 kills, {len(numbers) - n[0]} lines twice")
    assert len(numbers) - n[0] < 30 * 64 << 10


@served(
    setup="mkdir /var/lib/orlop/logs && mount -t tmpfs -o size=512k tmpfs /var/lib/orlop/logs"
)
def test_a_full_disk_drops_and_says_so(logs):
    """A8."""
    pipe = logs.unit("web.container", "rate=0")
    filler = logs.ns.path(f"{STORE}/filler")
    with open(filler, "wb") as f:
        f.write(b"x" * (300 << 10))
    count = 20000
    for i in range(count):
        write_all(pipe, b"line %d %s\n" % (i, b"y" * 50))
    retry(lambda: logs.size("web.container", RING) > 0)
    assert logs.size("web.container", RING) <= 2 * (68 << 10)
    retry(lambda: logs.read("web.container", "-n", "1").stdout.startswith(b"line %d " % (count - 1)))
    os.unlink(filler)
    retry(lambda: logs.size("web.container", RING) == 0, seconds=90)
    write_all(pipe, b"after\n")
    retry(lambda: logs.texts("web.container")[-1] == b"after")
    records = logs.records("web.container")
    markers = [t for _, f, t in records if f == b"M"]
    assert len(markers) == 1 and markers[0].endswith(b" bytes dropped")
    numbers = [int(t.split()[1]) for _, f, t in records if f == b"F" and t.startswith(b"line")]
    assert numbers == sorted(set(numbers)) and numbers[-1] == count - 1
    lost = int(markers[0].split()[0])
    kept = len(numbers)
    assert abs(lost / (count - kept) - 33 - 62) < 3, "the marker counts what is missing"
    times = [t for t, _, _ in records]
    assert times == sorted(times)


@served("--early")
def test_before_the_disk_is_mounted_the_last_lines_are_readable(logs):
    """F42."""
    pipe = logs.unit("early.container")
    for i in range(5000):
        write_all(pipe, b"boot %d %s\n" % (i, b"z" * 30))
    retry(lambda: logs.texts("early.container", RING)[-1:] == [b"boot 4999 " + b"z" * 30])
    assert not os.path.exists(logs.ns.path(STORE))
    held = sum(len(t) for t in logs.texts("early.container", RING))
    assert held + 33 * len(logs.records("early.container", RING)) > 64 << 10
    shown = logs.read("early.container").stdout.splitlines()
    assert shown[-1] == b"boot 4999 " + b"z" * 30
    logs.store_ready()
    write_all(pipe, b"mounted\n")
    retry(lambda: logs.texts("early.container")[-1:] == [b"mounted"])
    records = logs.records("early.container")
    assert records[0][1] == b"M" and records[0][2].endswith(b" bytes dropped")
    texts = [t for _, _, t in records[1:]]
    first = int(texts[0].split()[1])
    assert texts == [b"boot %d " % i + b"z" * 30 for i in range(first, 5000)] + [b"mounted"]
    assert logs.files("early.container", RING) == []


@served("--early")
def test_the_ring_outlives_kill_9(logs):
    pipe = logs.unit("early.container")
    write_all(pipe, b"one\n")
    retry(lambda: logs.texts("early.container", RING) == [b"one"])
    logs.kill()
    write_all(pipe, b"two\n")
    logs.start()
    retry(lambda: logs.texts("early.container") == [b"one", b"two"])


def test_a_torn_record_is_cut_off_at_the_next_start(logs):
    pipe = logs.unit("torn.container")
    write_all(pipe, b"whole\n")
    retry(lambda: logs.records("torn.container"))
    logs.kill()
    with open(logs.ns.path(f"{STORE}/torn.container/current"), "ab") as f:
        f.write(b"2026-01-01T00:00:00.0000")
    logs.start()
    write_all(pipe, b"next\n")
    whole = logs.ns.path(f"{STORE}/torn.container/current")
    retry(lambda: open(whole, "rb").read().endswith(b" F next\n"))
    assert logs.texts("torn.container") == [b"whole", b"next"]


def test_names_that_are_none_are_refused(logs):
    for name in ("../../etc", ".", "", "a/b", "@x"):
        logs.unit(name)
    pipe = logs.unit("good.container", "size=nonsense", "files=3")
    write_all(pipe, b"still here\n")
    retry(lambda: logs.texts("good.container") == [b"still here"])
    assert os.listdir(logs.ns.path(STORE)) == ["good.container"]


def test_size_and_files_bound_each_unit(logs):
    pipe = logs.unit("small.container", "size=64K", "files=3", "rate=0")
    for i in range(20000):
        write_all(pipe, b"%d\n" % i)
    retry(lambda: logs.texts("small.container")[-1:] == [b"19999"])
    assert logs.size("small.container") <= 3 * 64 << 10
    assert len(logs.files("small.container")) == 3
    numbers = [int(t) for t in logs.texts("small.container")]
    assert numbers == list(range(numbers[0], 20000))
    full = [len(data) for data in logs.contents("small.container")[:-1]]
    assert min(full) > (64 << 10) - 100, "a file is filled before it is rotated"


@served("--total", "1000000")
def test_all_units_together_are_bounded(logs):
    for i in range(12):
        pipe = logs.unit(f"u{i}.container", "size=64K", "rate=0")
        for k in range(3000):
            write_all(pipe, b"%d %s\n" % (k, b"t" * 60))
        retry(lambda u=f"u{i}.container": logs.texts(u)[-1:] == [b"2999 " + b"t" * 60])
    total = sum(logs.size(f"u{i}.container") for i in range(12))
    assert total <= 1000000 + (64 << 10)
    assert logs.size("u11.container") > 200000, "the oldest files go first"
    assert all(logs.records(f"u{i}.container") for i in range(12)), "never the current one"


def test_idle_it_does_not_wake_up(logs):
    logs.unit("idle.container")
    retry(lambda: os.path.exists(logs.ns.path(STORE)))

    def switches():
        with open(f"/proc/{logs.process.pid}/status", encoding="ascii") as f:
            return [line for line in f if "ctxt_switches" in line]

    settled(switches, quiet=2)
