# SPDX-License-Identifier: Apache-2.0
"""What whoever runs the tests has, and the tests must not depend on: umask, time zone, language, colours, a service
manager's sockets, and signals that nohup, a CI's runner or a shell's `&` ignore, which every child inherits."""

import os
import signal

KEPT = {"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "FULL", "PROTOCOLS", "ROWS"}
SET = {"LC_ALL": "C.UTF-8", "TERM": "xterm"}


def as_usual():
    """For this process and its children, once, before the first test."""
    os.umask(0o022)
    for name in set(os.environ) - KEPT:
        if not name.startswith(("PYTEST", "PYTHON")):
            del os.environ[name]
    os.environ.update(SET)
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:  # Python's own; it gives children back those
        if signal.getsignal(number) == signal.SIG_IGN:
            # ignored here as before; a handler, unlike that, ends with the exec
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
