# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the QEMU tests. Each guest's files lie below build/tests/qemu/run/ and stay after the run."""

import re
import shutil
import sys

import pytest

from guest import TOP, Guest, build_image

sys.path.insert(0, str(TOP / "tests"))
from usual import as_usual  # noqa: E402

as_usual()
RUN = TOP / "build/tests/qemu/run"
HELLO_UNITS = TOP / "examples/hello"
HELLO_IMAGE = TOP / "build/images/hello.tar"

report_lines = []  # printed after the last test


def fresh_folder(name):
    # A unix socket's path has 107 bytes at most: short names.
    folder = RUN / re.sub(r"\W+", "-", name)[:40]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def hello_image():
    """The host of `make run`."""
    return build_image(fresh_folder("image-hello"), HELLO_UNITS, [HELLO_IMAGE])


@pytest.fixture
def folder(request):
    return fresh_folder(request.node.name)


@pytest.fixture(scope="module")
def module_folder(request):
    return fresh_folder(request.module.__name__)


@pytest.fixture
def make_guest(request, folder):
    """Makes guests that are gone when the test is over."""
    guests = []

    def make(image, **kwargs):
        own = folder / f"g{len(guests)}"
        own.mkdir()
        guests.append(Guest(own, image, **kwargs))
        request.node.guests = guests
        return guests[-1]

    yield make
    for guest in guests:
        guest.done()


@pytest.fixture
def report():
    """Lines for the end of the run: figures that should be read even when all is well."""
    return report_lines.append


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    result = outcome.get_result()
    if result.when != "call" or not result.failed:
        return
    guests = getattr(item, "guests", []) + [g for g in item.funcargs.values() if isinstance(g, Guest)]
    for guest in guests:
        result.sections.append((f"console of {guest.folder.name}, end", guest.log_tail()))


def pytest_terminal_summary(terminalreporter):
    if report_lines:
        terminalreporter.section("figures")
        for line in report_lines:
            terminalreporter.line(line)
