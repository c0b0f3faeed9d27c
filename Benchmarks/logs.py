"""The log that log-analysis reads: like that of a web server, seeded, the same on every machine.

A line has the fields host, time, method, path, status, bytes, seconds and the browser, which has
spaces of its own. Three requests in five are for one of 200 paths below /api/.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from text import kept

LINES_PER_CHUNK = 20_000
LINES_PER_SECOND = 50
SEED = 20_122
# Part of the file's name. A change of the generator changes it, so that no old file is reused.
VERSION = 1

NOUNS = (
    "users",
    "orders",
    "items",
    "carts",
    "payments",
    "sessions",
    "reviews",
    "shops",
    "stocks",
    "prices",
)
VERBS = ("list", "search", "get", "add", "change", "remove", "export", "import")
PAGES = (
    "index.html",
    "about.html",
    "app.js",
    "vendor.js",
    "style.css",
    "logo.svg",
    "favicon.ico",
    "robots.txt",
)
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD")
STATUSES = ("200", "201", "204", "301", "304", "400", "401", "404", "500", "503")
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 Safari/604.1",
    "curl/8.8.0",
    "monitor/2.1 (+https://monitor.example/about)",
)


@lru_cache(maxsize=1)
def paths() -> tuple[list[str], list[float]]:
    """The paths and their cumulative weights; some are asked for far more often than others."""
    versions = ("v1", "v2", "internal")
    names = [f"/api/{'/'.join(name)}" for name in itertools.product(versions, NOUNS, VERBS)]
    random.Random(SEED).shuffle(names)
    api = names[:200]
    other = [f"/{folder}/{page}" for folder in ("static", "docs", "files") for page in PAGES]
    weights: list[float] = []
    for share, group in ((0.6, api), (0.4, other)):
        ranks = [1.0 / rank for rank in range(1, len(group) + 1)]
        weights += [share * each / sum(ranks) for each in ranks]
    return api + other, list(itertools.accumulate(weights))


def chunk(index: int) -> bytes:
    """The lines of one chunk of the log; each chunk has a seed of its own."""
    draw = random.Random(SEED * 1_000_003 + index)
    count = LINES_PER_CHUNK
    names, weights = paths()
    fields = zip(
        draw.choices(range(1 << 16), k=count),
        draw.choices(METHODS, (80, 12, 4, 2, 2), k=count),
        draw.choices(names, cum_weights=weights, k=count),
        draw.choices(STATUSES, (76, 4, 4, 3, 5, 2, 1, 3, 1, 1), k=count),
        draw.choices(AGENTS, (40, 30, 20, 7, 3), k=count),
        strict=True,
    )
    lines = []
    for number, (host, method, path, status, agent) in enumerate(fields, index * count):
        second, part = divmod(number, LINES_PER_SECOND)
        time = (
            f"2026-03-{second // 86_400 % 28 + 1:02d}"
            f"T{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            f".{part * 1000 // LINES_PER_SECOND:03d}"
        )
        length = int(draw.lognormvariate(8, 1.5))
        lines.append(
            f"10.20.{host >> 8}.{host & 255} {time} {method} {path} {status} {length}"
            f" {length / 2e6:.3f} {agent}\n"
        )
    return "".join(lines).encode()


def log_file(megabytes: float, folder: Path, say: Callable[[str], object]) -> Path:
    """A file with that many million bytes of log."""
    size = int(megabytes * 1_000_000)
    return kept(folder / f"log-{VERSION}-{size}.txt", size, chunk, say)
