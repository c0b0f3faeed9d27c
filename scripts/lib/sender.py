"""Sends the lines of a text file, over and over, to who connects to a port of this machine.

    sender.py FILE LINES_PER_SECOND

Prints the port, which is a free one of the loopback interface. Ends with the process that
started it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def main(path: str, lines_per_second: float) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the script that started this
    parent = os.getppid()
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    source = itertools.cycle([line for line in lines if line])
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)
        print(server.getsockname()[1], flush=True)
        while os.getppid() == parent:
            with contextlib.suppress(OSError):  # nobody there yet, or no longer
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(10)
                    send(connection, source, 1 / lines_per_second, parent)


def send(connection: socket.socket, source: Iterator[str], pause: float, parent: int) -> None:
    """Sends a line, waits, and so on until the other side or the parent process has gone."""
    for line in source:
        if os.getppid() != parent:
            return
        connection.sendall(f"{line}\n".encode())
        time.sleep(pause)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], float(sys.argv[2]))
