"""Damage to a checkpoint folder: each is noticed, or does no harm."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path
from random import Random

from swiftwater.errors import SparkException
from tests.durability import mutation_job as job

PACKAGE = Path(__file__).resolve().parents[2]
# A process that says nothing for so long hangs.
SECONDS = 30

# What the files of logs begin with.
LOGS = ("batches-", "blocks-")
# Thousands of folders are written, and none has to stay.
MEMORY = "/dev/shm"

HEAD = struct.Struct("<8sII")
SECTION = struct.Struct("<4sQI")
MAGICS = (b"SWCHKPT\n", b"SWDATA\r\n")


# --- what is done to a folder -------------------------------------------------------------------


def sections_of(content):
    """Return head and sections of a file as whole pieces; nothing where it has none."""
    if content[:8] not in MAGICS:
        return []
    pieces, place = [content[: HEAD.size]], HEAD.size
    while place + SECTION.size <= len(content):
        _, length, _ = SECTION.unpack_from(content, place)
        end = place + SECTION.size + length
        pieces.append(content[place:end])
        place = end
    return pieces


def pieces_of(content, chance):
    """Return a file in pieces that could stand elsewhere: its sections, or equal parts of it."""
    if pieces := sections_of(content):
        return pieces[0], pieces[1:]
    size = chance.choice([8, 16, 64, 512])
    return b"", [content[at : at + size] for at in range(0, len(content), size)]


def place_in(content, chance):
    # Where a file says what it is there is little to hit, and much to harm.
    most = len(content) if chance.random() < 0.7 else min(len(content), 64)
    return chance.randrange(most) if most else 0


def flipped(content, chance):
    for _ in range(chance.randint(1, 3)):
        if content:
            content[place_in(content, chance)] ^= 1 << chance.randrange(8)


def overwritten(content, chance):
    at = place_in(content, chance)
    length = chance.randint(1, 64)
    new = bytes(length) if chance.random() < 0.3 else chance.randbytes(length)
    content[at : at + length] = new[: len(content) - at]


def cut(content, chance):
    del content[place_in(content, chance) :]


def emptied(content, _):
    content.clear()


def cut_out(content, chance):
    at = place_in(content, chance)
    del content[at : at + chance.randint(1, 64)]


def put_in(content, chance):
    at = place_in(content, chance)
    content[at:at] = chance.randbytes(chance.randint(1, 64))


def appended(content, chance):
    length = chance.randint(1, 200)
    choices = [chance.randbytes(length), bytes(length), bytes(content[-length:]), bytes(content)]
    content += chance.choice(choices)


def sections_exchanged(content, chance):
    head, pieces = pieces_of(bytes(content), chance)
    if len(pieces) > 1:
        one, other = chance.sample(range(len(pieces)), 2)
        pieces[one], pieces[other] = pieces[other], pieces[one]
    content[:] = head + b"".join(pieces)


def section_doubled(content, chance):
    head, pieces = pieces_of(bytes(content), chance)
    if pieces:
        at = chance.randrange(len(pieces))
        pieces[chance.randrange(len(pieces))] = pieces[at]
    content[:] = head + b"".join(pieces)


IN_A_FILE = [
    flipped, flipped, overwritten, cut, emptied, cut_out, put_in, appended, sections_exchanged,
    section_doubled,
]  # fmt: skip


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def kind_of(path):
    return path.name.partition("-")[0]


def files_exchanged(folder, chance):
    one, other = chance.sample(files_of(folder), 2)
    if chance.random() < 0.7:
        alike = [path for path in files_of(folder) if kind_of(path) == kind_of(one)]
        other = chance.choice(alike)
    contents = one.read_bytes(), other.read_bytes()
    one.write_bytes(contents[1])
    other.write_bytes(contents[0])
    return f"{one.name} and {other.name} exchanged"


def file_doubled(folder, chance):
    one = chance.choice(files_of(folder))
    if chance.random() < 0.5:
        # In the place of another one.
        other = chance.choice(files_of(folder))
    else:
        digits = "".join(filter(str.isdigit, one.name)) or "0"
        later = int(digits) + chance.choice([1000, 3000, 1])
        other = one.with_name(one.name.replace(digits, str(later)))
    other.write_bytes(one.read_bytes())
    os.chmod(other, 0o600)
    return f"{one.name} also as {other.name}"


def section_of_another(folder, chance):
    one, other = (chance.choice(files_of(folder)) for _ in range(2))
    head, pieces = pieces_of(one.read_bytes(), chance)
    _, others = pieces_of(other.read_bytes(), chance)
    if pieces and others:
        pieces[chance.randrange(len(pieces))] = chance.choice(others)
        one.write_bytes(head + b"".join(pieces))
    return f"a piece of {other.name} in {one.name}"


def file_removed(folder, chance):
    path = chance.choice(files_of(folder))
    path.unlink()
    return f"{path.name} removed"


IN_A_FOLDER = [files_exchanged, file_doubled, section_of_another, file_removed]


def newest_first(paths, chance):
    # What is read first matters most: half of the damage is done to it.
    if chance.random() < 0.5:
        return max(paths, key=lambda path: path.stat().st_mtime_ns)
    return chance.choice(paths)


def damage(folder, seed):
    """Do damage to a folder; return what was done, in words."""
    chance = Random(seed)
    done = []
    for _ in range(1 if chance.random() < 0.8 else chance.randint(2, 4)):
        if chance.random() < 0.25:
            done.append(chance.choice(IN_A_FOLDER)(folder, chance))
            continue
        kinds = sorted({kind_of(path) for path in files_of(folder)})
        kind = chance.choice(kinds)
        path = newest_first([path for path in files_of(folder) if kind_of(path) == kind], chance)
        content = bytearray(path.read_bytes())
        change = chance.choice(IN_A_FILE)
        change(content, chance)
        path.write_bytes(content)
        done.append(f"{path.name}: {change.__name__.replace('_', ' ')}")
    return "; ".join(done)


# --- what comes of it ---------------------------------------------------------------------------

# What a refusal may be; it speaks of the checkpoint. Anything else is nothing that a user can
# understand.
REFUSALS = (SparkException, FileNotFoundError, PermissionError)
# The levels of log lines with which damage is told.
TOLD = re.compile(r"^\S+ \S+ (WARNING|ERROR) ", re.MULTILINE)


@contextmanager
def standard_error(path):
    """Have what the engine logs in a file."""
    sys.stderr.flush()
    before = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)


class Bench:
    """The folders that are damaged, and what a job without damage gives."""

    def __init__(self, place: Path):
        self.place = place
        inbox = place / "in"
        job.files_into(inbox)
        self.wanted = job.undisturbed(inbox)
        self.log = place / "log"
        with standard_error(self.log):
            self.folders = job.stopped(inbox, place / "checkpoint")
        # Without damage, all of it must come back.
        for folder in self.folders:
            problem = self.problem(self.copied(folder), "")
            if problem is not None or self.is_told():
                log = self.log.read_text(errors="replace")
                raise AssertionError(f"{folder.name} without damage: {problem}\n{log}")

    def copied(self, folder):
        copy = self.place / "damaged"
        if copy.exists():
            for path in files_of(copy):
                path.unlink()
        copy.mkdir(mode=0o700, exist_ok=True)
        for path in folder.iterdir():
            if path.is_file():
                target = copy / path.name
                target.write_bytes(path.read_bytes())
                times = path.stat()
                os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
                os.chmod(target, 0o600)
        return copy

    def is_told(self):
        """Return whether the log of the job that went on last has a warning or an error."""
        return TOLD.search(self.log.read_text(errors="replace")) is not None

    def tried(self, seed):
        """Do damage and go on; return what was done, and what is wrong with what came of it."""
        source = self.folders[seed % 2]
        folder = self.copied(source)
        done = damage(folder, seed)
        return f"{source.name}: {done}", self.problem(folder, done)

    def problem(self, folder, done):
        """Return what is wrong with what comes of a folder, or ``None``."""
        try:
            with standard_error(self.log):
                found = job.went_on(folder)
        except REFUSALS as error:
            if "checkpoint" in str(error):
                return None
            return f"an error that does not say where it comes from:\n{traceback.format_exc()}"
        except BaseException:  # noqa: BLE001 - whatever a user would see
            return f"an error that says nothing of the folder:\n{traceback.format_exc()}"
        # What was pushed does not come again: it is there as long as the log is.
        is_log_damaged = any(prefix in done for prefix in LOGS)
        return self._difference(found, is_log_damaged and (self.is_told() or "removed" in done))

    def _difference(self, found, may_miss_input):
        for (name, number), records in sorted(self.wanted.items()):
            if name.startswith("pushed") and may_miss_input:
                continue
            is_again = (name, number) == ("pushed state", job.FAILING_BATCH)
            have = found.get((name, number))
            is_needed = number > job.LAST_BATCH or is_again
            if have is None and is_needed:
                return f"{name} of batch {number} is missing"
            if have is not None and have != records:
                return f"{name} of batch {number} is {have}, not {records}"
        return None


# --- many ---------------------------------------------------------------------------------------


def tried(seeds, place):
    """Try damage after damage in this process; print what is wrong with it."""
    bench = Bench(place)
    for seed in seeds:
        print(f"begun {seed}", flush=True)
        done, problem = bench.tried(seed)
        if problem is not None:
            print(f"wrong {seed} {json.dumps([done, problem])}", flush=True)


def mutations(first, count):
    """Try damage in processes of their own; yield what is wrong: the seed, and two texts.

    A process that ends itself, or hangs, is wrong too; the next one goes on behind it.
    """
    end = first + count
    while first < end:
        with tempfile.TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None) as place:
            begun, ending = first - 1, None
            for word, number, *rest in told_by(place, first, end):
                if word == "begun":
                    begun = number
                elif word == "wrong":
                    yield number, *rest
                else:
                    ending = number, *rest
        if ending is None:
            return
        if begun < first:
            raise RuntimeError(f"the job without damage does not run: {ending}")
        yield begun, "its process", f"ended with {ending[0]}: {ending[1]}"
        first = begun + 1


def told_by(place, first, end):
    """Yield what a process tells that tries damage, and last how it ended, if not as it should."""
    command = [sys.executable, "-m", "tests.durability.mutations", str(first), str(end), place]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=PACKAGE,
        text=True,
    )
    other = []
    with process:
        watch = threading.Timer(SECONDS, process.kill)
        watch.start()
        for line in process.stdout:
            watch.cancel()
            watch = threading.Timer(SECONDS, process.kill)
            watch.start()
            word, *rest = line.split(maxsplit=2)
            if word == "begun":
                yield word, int(rest[0])
            elif word == "wrong":
                yield word, int(rest[0]), *json.loads(rest[1])
            else:
                other.append(line)
        watch.cancel()
    if process.returncode != 0:
        log = Path(place, "log")
        text = log.read_text(errors="replace") if log.exists() else ""
        yield "ended", process.returncode, f"{text}{''.join(other[-30:])}"


if __name__ == "__main__":
    tried(range(int(sys.argv[1]), int(sys.argv[2])), Path(sys.argv[3]))
