"""The text that the benchmarks count: seeded, Zipf-distributed, the same on every machine.

100,000 distinct words of lower-case ASCII, ten a line; the word of rank r is drawn with a
probability proportional to 1/r, and the common words are the short ones. A file is made once
and kept; a shorter file is the beginning of a longer one.
"""

from __future__ import annotations

import itertools
import math
import os
import random
import string
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

VOCABULARY = 100_000
WORDS_PER_LINE = 10
LINES_PER_CHUNK = 20_000
SEED = 20_121
# Part of the file's name. A change of the generator changes it, so that no old file is reused.
VERSION = 1


@lru_cache(maxsize=1)
def vocabulary() -> list[str]:
    """The distinct words, the most common first."""
    draw = random.Random(SEED).random
    words: dict[str, None] = {}
    for rank in range(1, VOCABULARY + 1):
        length = round(2.5 + 0.75 * math.log(rank))
        while True:
            word = "".join([string.ascii_lowercase[int(draw() * 26)] for _ in range(length)])
            if word not in words:
                break
        words[word] = None
    return list(words)


@lru_cache(maxsize=1)
def _cumulative_weights() -> list[float]:
    return list(itertools.accumulate(1.0 / rank for rank in range(1, VOCABULARY + 1)))


def chunk(index: int) -> bytes:
    """The lines of one chunk of the text; each chunk has a seed of its own."""
    choices = random.Random(SEED * 1_000_003 + index).choices
    words = choices(
        vocabulary(), cum_weights=_cumulative_weights(), k=LINES_PER_CHUNK * WORDS_PER_LINE
    )
    lines = [
        " ".join(words[at : at + WORDS_PER_LINE]) for at in range(0, len(words), WORDS_PER_LINE)
    ]
    return ("\n".join(lines) + "\n").encode("ascii")


def lines(count: int) -> list[str]:
    """The first lines of the text."""
    text = b"".join(chunk(index) for index in range(-(-count // LINES_PER_CHUNK)))
    return text.decode("ascii").splitlines()[:count]


def text_file(megabytes: float, folder: Path, say: Callable[[str], object]) -> Path:
    """A file with that many million bytes of text (whole lines), made when it is not there yet."""
    size = int(megabytes * 1_000_000)
    path = folder / f"zipf-{VERSION}-{size}.txt"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    say(f"making {megabytes:g} MB of text (once): {path}")
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("wb") as out:
            _write(out.write, size)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _write(write: Callable[[bytes], object], size: int) -> None:
    left = size
    for index in itertools.count():
        data = chunk(index)
        if len(data) > left:
            data = data[: data.rfind(b"\n", 0, left) + 1]
            write(data)
            return
        write(data)
        left -= len(data)
