# SPDX-License-Identifier: Apache-2.0
import os
import sys

import pytest

sys.path[:0] = [os.path.dirname(__file__), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
from host import Host, cgroup2  # noqa: E402
from usual import as_usual  # noqa: E402

as_usual()


@pytest.fixture
def host(request):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if not cgroup2():
        pytest.skip("this machine has no cgroup2")
    h = Host()
    yield h
    if request.node.stash.get("failed", False):
        print(h.log())
    h.close()
