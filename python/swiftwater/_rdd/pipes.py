"""Records through a program: what ``RDD.pipe`` does with one partition."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from threading import Thread

from swiftwater._typing import Any

__all__ = ["through"]

# Seconds that the end waits for the reading thread.
_PATIENCE = 1.0


def through(
    command: str, env: Mapping[str, str] | None, check_code: bool
) -> Callable[[Iterator[Any]], Iterator[str]]:
    """Return what gives each record to ``command`` as a line and gives back the lines it prints."""
    variables = tuple((env or {}).items())

    def piped(records: Iterator[Any]) -> Iterator[str]:
        import shlex

        program = _Program(shlex.split(command), dict(variables))
        try:
            # Records are computed on this thread, which must not wait for the program to be read.
            for record in records:
                if not program.write(str(record).rstrip("\n").encode() + b"\n"):
                    break
                yield from program.printed()
            program.finish()
            yield from program.printed()
        finally:
            program.end()
        if program.status and check_code:
            raise _exited(command, program.status)

    return piped


class _Program:
    """A program that runs, and a thread that reads what it prints."""

    def __init__(self, words: list[str], variables: dict[str, str]) -> None:
        """Start it."""
        import subprocess

        pipe = subprocess.PIPE
        self._process = subprocess.Popen(words, env=variables, stdin=pipe, stdout=pipe)
        self._lines: deque[bytes] = deque()
        self._reader = Thread(target=self._read, name="sw-pipe", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        if self._process.stdout is not None:
            self._lines.extend(self._process.stdout)

    @property
    def status(self) -> int | None:
        return self._process.returncode

    def write(self, line: bytes) -> bool:
        """Write a line; ``False`` where the program wants no more."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(line)
        except BrokenPipeError:
            return False
        return True

    def printed(self) -> Iterator[str]:
        """Give the lines that it has printed and nobody has taken."""
        while self._lines:
            yield self._lines.popleft().rstrip(b"\n").decode()

    def finish(self) -> None:
        """Wait until it has read and printed everything."""
        self._close_input()
        self._reader.join()
        self._process.wait()

    def end(self) -> None:
        """Give everything back; a program that still runs is killed: nobody wants the rest."""
        if self._process.returncode is None:
            self._process.kill()
        self._close_input()
        # What it has started itself may hold its output open, and is not waited for.
        self._reader.join(_PATIENCE)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()
        self._process.wait()

    def _close_input(self) -> None:
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()


def _exited(command: str, status: int) -> BaseException:
    from swiftwater.errors import PySparkRuntimeError

    return PySparkRuntimeError(
        f"[PIPE_FUNCTION_EXITED] Pipe function `{command}` exited with error code {status}."
    )
