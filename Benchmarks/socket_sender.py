"""A process that sends lines to the first that connects to a port of the loopback interface.

Prints the port, then `first TIME` (monotonic clock) when it sends the first byte, and keeps the
connection open until it is ended.

    socket_sender.py file FILE                    the whole file, as fast as it is taken
    socket_sender.py flow FILE RATE TIMES         the file so often, at RATE MB/s (`inf`: as taken)
    socket_sender.py pace LINES SECONDS TOTAL     LINES every SECONDS, TOTAL in all
    socket_sender.py stamp LINES SECONDS TOTAL    the same, the time of sending in each line
"""

from __future__ import annotations

import itertools
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import text

ACCEPT_SECONDS = 120
SEND_SECONDS = 300
CHUNK = 1 << 20


def main(mode: str, *arguments: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(ACCEPT_SECONDS)
        if mode == "file":
            (path,) = arguments
            data = Path(path).read_bytes()
        elif mode == "flow":
            data = Path(arguments[0]).read_bytes()
        else:
            each, total = int(arguments[0]), int(arguments[2])
            pause = float(arguments[1])
            source = itertools.cycle(text.lines(1000))
        print(server.getsockname()[1], flush=True)
        connection, _ = server.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(SEND_SECONDS)
            print(f"first {time.monotonic()!r}", flush=True)
            if mode == "file":
                for at in range(0, len(data), CHUNK):
                    connection.sendall(memoryview(data)[at : at + CHUNK])
            elif mode == "flow":
                flow(connection, data, float(arguments[1]) * 1e6, int(arguments[2]))
            else:
                pace(connection, source, each, pause, total, stamp=mode == "stamp")
            connection.recv(1)  # until the other side goes


def flow(connection: socket.socket, data: bytes, rate: float, times: int) -> None:
    """Sends at a steady rate, in bytes a second; who reads late is sent what is due at once."""
    began = time.monotonic()
    sent = 0
    for _ in range(times):
        for at in range(0, len(data), CHUNK):
            if (early := began + sent / rate - time.monotonic()) > 0:
                time.sleep(early)
            piece = memoryview(data)[at : at + CHUNK]
            connection.sendall(piece)
            sent += len(piece)


def pace(
    connection: socket.socket,
    source: Iterator[str],
    each: int,
    pause: float,
    total: int,
    *,
    stamp: bool,
) -> None:
    """Sends at fixed times: one late group does not delay those after it."""
    began = time.monotonic()
    for group in range(-(-total // each)):
        if (early := began + group * pause - time.monotonic()) > 0:
            time.sleep(early)
        lines = list(itertools.islice(source, min(each, total - group * each)))
        if stamp:
            # Nine words and the time: a line has ten words, as everywhere.
            lines = [f"{line[: line.rindex(' ')]} @{time.monotonic_ns()}" for line in lines]
        connection.sendall("".join([f"{line}\n" for line in lines]).encode())


if __name__ == "__main__":
    if len(sys.argv) not in (3, 5):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (ConnectionError, TimeoutError) as error:
        sys.exit(f"sender: {error}")
