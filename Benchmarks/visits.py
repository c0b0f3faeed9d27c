"""The visits that the workloads after HiBench read: seeded, the same on every machine.

A line has the fields of HiBench's user visits behind a time in milliseconds: address, page, day,
revenue, browser, country, language, word and duration. The addresses are drawn from a set of a
given size, each as likely as any other.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path

SEED = 20_123
# Part of the files' names. A change of the generator changes it, so that no old file is reused.
VERSION = 1
FILES = 4  # batches have them in turn

FIRST_MS = 1_893_456_000_000
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) Safari/604.1",
    "Opera/9.80",
    "curl/8.8.0",
)
COUNTRIES = (("DEU", "de-DE"), ("FRA", "fr-FR"), ("GBR", "en-GB"), ("USA", "en-US"))
WORDS = ("river", "market", "garden", "winter", "bridge", "letter", "forest", "island")


def address(number: int) -> str:
    """Distinct for distinct numbers, and spread over all addresses."""
    bits = number * 2_654_435_761 % (1 << 32)
    return f"{bits >> 24}.{bits >> 16 & 255}.{bits >> 8 & 255}.{bits & 255}"


def lines(numbers: Iterable[int], seed: int) -> Iterable[str]:
    """A visit from each of the addresses, out of order in time as from many machines."""
    draw = random.Random(SEED * 1_000_003 + seed).random
    for position, number in enumerate(numbers):
        chance = int(draw() * (1 << 48))
        country, language = COUNTRIES[chance & 3]
        page = f"http://shop.example/{WORDS[chance >> 12 & 7]}/{chance >> 15 & 4095}"
        yield (
            f"{FIRST_MS + seed * 1_000_000 + position // 100 + (chance >> 4 & 255)},"
            f"{address(number)},{page},2030-01-{(chance >> 27) % 28 + 1:02d},"
            f"0.{chance >> 32 & 1023:04d},"
            f"{AGENTS[chance >> 2 & 3]},{country},{language},{WORDS[chance >> 42 & 7]},"
            f"{chance >> 45 & 7}\n"
        )


def visit_files(
    keys: int, count: int, folder: Path, say: Callable[[str], object]
) -> tuple[Path, list[Path]]:
    """A file with a visit from every address, and some of so many visits each."""
    every = folder / f"visits-{VERSION}-{keys}-every.txt"
    batches = [folder / f"visits-{VERSION}-{keys}-{count}-{n}.txt" for n in range(FILES)]
    if not all(file.exists() for file in (every, *batches)):
        say(f"Making visits from {keys:,} addresses in {folder} ...")
        folder.mkdir(parents=True, exist_ok=True)
        order = list(range(keys))
        random.Random(SEED).shuffle(order)
        _write(every, lines(order, 0))
        for number, file in enumerate(batches, 1):
            draw = random.Random(SEED + number)
            _write(file, lines((draw.randrange(keys) for _ in range(count)), number))
    return every, batches


def _write(file: Path, text: Iterable[str]) -> None:
    """The file is there when it is complete."""
    part = file.with_suffix(f".{os.getpid()}")
    with part.open("w") as out:
        out.writelines(text)
    part.replace(file)
