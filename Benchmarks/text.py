"""The text that the benchmarks count: seeded, Zipf-distributed, the same on every machine.

100,000 distinct words of lower-case ASCII, ten a line; the word of rank r is drawn with a
probability proportional to 1/r, and the common words are the short ones. A file is made once
and kept; a shorter file is the beginning of a longer one.

In the mixed text one word in twenty, counted as often as it occurs, has a letter that is not ASCII.
"""

from __future__ import annotations

import itertools
import math
import os
import random
import string
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

VOCABULARY = 100_000
WORDS_PER_LINE = 10
LINES_PER_CHUNK = 20_000
SEED = 20_121
# Letters of two, three and four bytes in UTF-8.
FOREIGN = "äéñøßžλж字語한😀"
FOREIGN_SHARE = 0.05
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
def mixed_vocabulary() -> list[str]:
    """The same words, some with another letter: a twentieth of the text, however much of it."""
    words = list(vocabulary())
    taken = set(words)
    draw = random.Random(SEED).random
    weights = foreign = 0.0
    for index, word in enumerate(words):
        weight = 1.0 / (index + 1)
        weights += weight
        if foreign + weight > FOREIGN_SHARE * weights:
            continue
        foreign += weight
        while word in taken:
            at = int(draw() * len(word))
            word = word[:at] + FOREIGN[int(draw() * len(FOREIGN))] + word[at + 1 :]
        words[index] = word
        taken.add(word)
    return words


@lru_cache(maxsize=1)
def _cumulative_weights() -> list[float]:
    return list(itertools.accumulate(1.0 / rank for rank in range(1, VOCABULARY + 1)))


def chunk(index: int, *, mixed: bool = False) -> bytes:
    """The lines of one chunk of the text; each chunk has a seed of its own."""
    choices = random.Random(SEED * 1_000_003 + index).choices
    words = choices(
        mixed_vocabulary() if mixed else vocabulary(),
        cum_weights=_cumulative_weights(),
        k=LINES_PER_CHUNK * WORDS_PER_LINE,
    )
    lines = [
        " ".join(words[at : at + WORDS_PER_LINE]) for at in range(0, len(words), WORDS_PER_LINE)
    ]
    return ("\n".join(lines) + "\n").encode()


def lines(count: int) -> list[str]:
    """The first lines of the text."""
    text = b"".join(chunk(index) for index in range(-(-count // LINES_PER_CHUNK)))
    return text.decode("ascii").splitlines()[:count]


def awkward() -> bytes:
    """Text that a shortcut would count wrongly: for comparing, not for measuring."""
    words = ["", "\0", "a\0", "a", "\t", "\u00a0", "\u2028", *FOREIGN, FOREIGN * 2]
    # All lengths around those of words that are kept whole, and pairs that differ at one end.
    for length in (*range(1, 70), 1000):
        words += ["x" * length, "y" + "x" * (length - 1), "x" * (length - 1) + "y"]
    draw = random.Random(SEED)
    lines = [" ".join(draw.choices(words, k=draw.randrange(1, 12))) for _ in range(2000)]
    # Words that are longer than any block, and no newline at the end.
    lines += ["", "", " ", "x" * 300_000, "y" * 300_000, "x" * 300_000, "x  "]
    return "\n".join(lines).encode()


def text_file(
    megabytes: float, folder: Path, say: Callable[[str], object], *, mixed: bool = False
) -> Path:
    """A file with that many million bytes of text."""
    size = int(megabytes * 1_000_000)
    name = f"zipf-mixed-{VERSION}-{size}.txt" if mixed else f"zipf-{VERSION}-{size}.txt"
    return kept(folder / name, size, partial(chunk, mixed=mixed), say)


def kept(
    path: Path, size: int, chunk: Callable[[int], bytes], say: Callable[[str], object]
) -> Path:
    """A file of whole lines with up to that many bytes, made when it is not there yet."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    say(f"making {size / 1e6:g} MB of text (once): {path}")
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("wb") as out:
            _write(out.write, size, chunk)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _write(write: Callable[[bytes], object], size: int, chunk: Callable[[int], bytes]) -> None:
    left = size
    for index in itertools.count():
        data = chunk(index)
        if len(data) > left:
            data = data[: data.rfind(b"\n", 0, left) + 1]
            write(data)
            return
        write(data)
        left -= len(data)
