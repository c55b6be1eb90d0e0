# SPDX-License-Identifier: Apache-2.0
"""main_pid.py leave|stay: a service that names its child the main process, and then leaves or stays."""

import os
import signal
import socket
import sys

child = os.fork()
if child:
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.sendto(f"MAINPID={child}\nREADY=1".encode(), os.environ["NOTIFY_SOCKET"])
    if sys.argv[1] == "leave":
        # heard first: who has ended and been reaped has no cgroup any more
        while not os.path.exists("/tmp/heard"):
            signal.sigtimedwait([signal.SIGUSR1], 0.02)
        os._exit(7)
signal.pause()
