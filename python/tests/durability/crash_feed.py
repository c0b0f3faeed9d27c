"""What the job that is killed is given: files that appear in a folder, and lines of a server."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from random import Random

KEYS = "abcde"


def line_of(name, chance):
    """Return a line with a name of its own, a key and a number above zero."""
    return f"{name} {chance.choice(KEYS)} {chance.randint(1, 9)}"


class Feed:
    """Gives lines from a thread of its own until it is told to give the last one."""

    def __init__(self, seed):
        self.chance = Random(seed)
        self.is_finishing = threading.Event()
        self.is_closed = threading.Event()
        self.last: str | None = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        raise NotImplementedError

    def pause(self):
        self.is_closed.wait(self.chance.uniform(0.005, 0.06))

    def some(self):
        """Return how many lines come together: mostly few."""
        return 200 if self.chance.random() < 0.03 else self.chance.randint(1, 4)

    def finish(self):
        """Have one last line given, which will be in ``last``."""
        self.is_finishing.set()

    def close(self):
        self.is_closed.set()
        self.thread.join()


class FileFeed(Feed):
    """Puts files into a folder, as programs do that write them elsewhere and rename them."""

    def __init__(self, folder: Path, seed):
        self.folder = folder
        self.lines: list[str] = []
        self.files = 0
        super().__init__(seed)

    def put(self, count):
        first = len(self.lines)
        lines = [line_of(f"f{first + n}", self.chance) for n in range(count)]
        self.files += 1
        # The name says nothing about the order, as those of users.
        name = f"{self.chance.randrange(1 << 30):08x}-{self.files}"
        (self.folder / f".{name}").write_text("".join(f"{line}\n" for line in lines))
        self.lines += lines
        self.hidden.append(name)

    def show(self):
        for name in self.hidden:
            os.rename(self.folder / f".{name}", self.folder / name)
        self.hidden.clear()

    def run(self):
        self.hidden: list[str] = []
        # Those that are there before a job has started for the first time are none of its.
        while not any(self.folder.parent.glob("started-*")):
            if self.is_closed.wait(0.002):
                return
        while not self.is_closed.is_set():
            is_last = self.is_finishing.is_set()
            self.put(1 if is_last else self.some())
            # Some are older by batches when they appear: it took a while to write them.
            if is_last or self.chance.random() < 0.6:
                self.show()
            if is_last:
                self.last = self.lines[-1]
                return
            self.pause()


class SocketFeed(Feed):
    """A server that gives each connection lines of its own; what is cut off does not come again.

    What the kernel has and the process never read is lost by the nature of sockets. So a line that
    was sent says nothing, but one that the job had says that it had all those before it.
    """

    def __init__(self, seed):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(0.05)
        self.port = self.server.getsockname()[1]
        # Of each connection, the lines in their order.
        self.sent: list[list[str]] = []
        super().__init__(seed)

    def run(self):
        with self.server:
            while not self.is_closed.is_set():
                try:
                    connection, _ = self.server.accept()
                except TimeoutError:
                    continue
                with connection:
                    # Nothing hangs behind a process that does not read.
                    connection.settimeout(20)
                    self.sent.append([])
                    self.serve(connection)

    def serve(self, connection):
        while not self.is_closed.is_set():
            if self.last is not None:
                self.is_closed.wait()
            elif not self.send(connection, 1 if self.is_finishing.is_set() else self.some()):
                return
            elif self.is_finishing.is_set():
                self.last = self.sent[-1][-1]
            else:
                self.pause()

    def send(self, connection, count):
        lines, number = self.sent[-1], len(self.sent) - 1
        new = [line_of(f"s{number}.{len(lines) + n}", self.chance) for n in range(count)]
        # Before they are sent: the job may have them before this goes on.
        lines += new
        try:
            connection.sendall("".join(f"{line}\n" for line in new).encode())
        except OSError:
            return False
        return True
