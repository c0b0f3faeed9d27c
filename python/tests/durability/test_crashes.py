"""A job that is killed fifty times, and the judge of what it has written."""

import json
import sqlite3

import pytest

from tests.durability import crash_job, crash_power
from tests.durability.crash_judge import GUARANTEED, Given, judged
from tests.durability.crash_model import expected
from tests.durability.crash_run import HOST, Scenario, points, ran

KILLS = 10
NAMES = points()


@pytest.mark.skipif(not HOST.exists(), reason="the host is not built")
@pytest.mark.parametrize("seed", range(1, 6))
def test_nothing_is_lost_and_nothing_comes_twice(seed):
    _, problems = ran(Scenario.drawn(seed, KILLS, NAMES))
    broken = [(name, text) for name, text in problems if GUARANTEED[name] is True]
    again = f"python -m tests.durability crashes --kills {KILLS} --seed {seed}"
    assert not broken, f"{broken}\nagain, in the folder python: {again}"


@pytest.mark.skipif(not HOST.exists(), reason="the host is not built")
def test_without_kills_all_of_it_holds():
    _, problems = ran(Scenario.drawn(1, 0, NAMES))
    assert problems == []


def test_the_points_of_the_sources_are_known():
    assert {
        "batch.planned",
        "checkpoint file.renamed",
        "data file.written",
        "job.committed",
        "output.committed",
    } <= set(NAMES)
    # Scenarios that follow each other go through them in turn.
    kills = [kill for seed in range(1, 6) for kill in Scenario.drawn(seed, KILLS, NAMES).kills]
    met = {kill.point.rpartition(":")[0] for kill in kills if kill.point} - {"*"}
    assert len(met) == min(len(NAMES), 20)


def frame(kind, length=5):
    content = bytes([kind]) + bytes(length)
    return crash_power.FRAME.pack(b"SFRM", len(content), 0) + content


@pytest.mark.parametrize(
    ("kinds", "kept", "noted"),
    [
        # Planned, committed twice, forgotten: only the first is forced to the disk.
        ([1, 3, 5, 5, 7], 2, 2),
        ([1, 3, 5, 3], 4, 0),
        ([1, 3, 5, 3, 5], 4, 1),
        ([2], 1, 0),
        ([], 0, 0),
    ],
)
def test_a_loss_of_power_takes_what_was_not_forced_to_the_disk(tmp_path, kinds, kept, noted):
    begin = crash_power.MAGIC + frame(ord("b"))
    frames = [frame(kind, kind) for kind in kinds]
    path = tmp_path / "batches-1"
    # The last frame is not whole.
    path.write_bytes(begin + b"".join(frames) + frame(5)[:9])
    for number in (9, 10):
        (tmp_path / f"checkpoint-{number}").touch()
    assert crash_power.lose_power(tmp_path) == noted
    assert path.read_bytes() == begin + b"".join(frames[:kept])
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-9"]


# --- the judge ----------------------------------------------------------------------------------

INTERVAL, WINDOW, SLIDE = 100, 4, 2
FIRST = 1_000_000
FILES = [["f0 a 1", "f1 b 2"], [], ["f2 a 3"], ["f3 c 4"], [], ["f4 a 5"]]
SOCKET = [["s0.0 a 1"], ["s0.1 a 2"], [], ["s1.0 b 3", "s1.1 b 4"], [], ["s1.2 a 5"]]


@pytest.fixture
def given(tmp_path):
    """What a job without any fault has left behind."""
    database = crash_job.opened(tmp_path / "out.db")
    (tmp_path / "text").mkdir()
    (tmp_path / "checkpoint").mkdir()
    tables = sqlite3.connect(tmp_path / "rows.db")
    for source, lines in (("files", FILES), ("socket", SOCKET)):
        tables.execute(f"CREATE TABLE {source} (line, batch_ms)")
        for number, batch in enumerate(lines):
            rows = [(line, FIRST + number * INTERVAL) for line in batch]
            tables.executemany(f"INSERT INTO {source} VALUES (?, ?)", rows)
        batches = {FIRST + number * INTERVAL: batch for number, batch in enumerate(lines)}
        outputs = expected(batches, INTERVAL, WINDOW, SLIDE)
        outputs["lines"] = outputs["failing"] = {
            time: [json.dumps(line) for line in batch] for time, batch in batches.items()
        }
        sums = {}
        for time, batch in batches.items():
            mapped = outputs["mapped"].setdefault(time, [])
            for line in batch:
                _, key, value = line.split()
                sums[key] = sums.get(key, 0) + int(value)
                mapped.append(json.dumps([key, int(value), sums[key]]))
            folder = tmp_path / "text" / f"{source}-{time}"
            folder.mkdir()
            (folder / "part-00000").write_text("".join(f"{line}\n" for line in batch))
            (folder / "_SUCCESS").touch()
        for output, found in outputs.items():
            for time, records in found.items():
                name = f"{source} {output}"
                database.execute("INSERT INTO batches VALUES (?, ?)", (name, time))
                database.executemany(
                    "INSERT INTO records VALUES (?, ?, ?)",
                    [(name, time, record) for record in records],
                )
    database.close()
    tables.commit()
    tables.close()
    files = [line for batch in FILES for line in batch]
    sent = [["s0.0 a 1", "s0.1 a 2", "s0.2 a 9"], ["s1.0 b 3", "s1.1 b 4", "s1.2 a 5"]]
    taken = {"s0.1 a 2", "s1.1 b 4"}
    return Given(
        tmp_path, INTERVAL, WINDOW, SLIDE, 1, fails=True, files=files, socket=sent, taken=taken
    )


def test_what_is_as_it_must_be_has_no_problem(given):
    assert judged(given) == []


def changed(statements, name="out.db"):
    """Change what the outputs have written."""

    def change(given):
        with sqlite3.connect(given.folder / name) as database:
            for statement in [statements] if isinstance(statements, str) else statements:
                assert database.execute(statement).rowcount > 0, statement
        database.close()

    return change


def written(path, text):
    """Write a file below the folder of the job."""

    def change(given):
        (given.folder / path).write_text(text)

    return change


def removed(path):
    def change(given):
        (given.folder / path).unlink()

    return change


def taken(line):
    def change(given):
        given.taken.add(line)

    return change


LAST = FIRST + 5 * INTERVAL
AGAIN = "INSERT INTO again VALUES"

FAULTS = {
    "a line is lost": (
        changed("DELETE FROM records WHERE record = '\"f2 a 3\"'"),
        {
            "files: nothing is lost",
            "files: windows and states are those of the lines",
            "files: folders hold the lines",
            "files: tables hold the lines",
        },
    ),
    "a line comes again": (
        changed(f"INSERT INTO records VALUES ('files lines', {LAST}, '\"f2 a 3\"')"),
        {
            "files: nothing comes twice",
            "files: windows and states are those of the lines",
            "files: folders hold the lines",
            "files: tables hold the lines",
            "files: what failed runs again",
        },
    ),
    "a line nobody gave": (
        changed(f"INSERT INTO records VALUES ('socket lines', {LAST}, '\"s7.0 a 3\"')"),
        {
            "socket: nothing comes twice",
            "socket: windows and states are those of the lines",
            "socket: folders hold the lines",
            "socket: tables hold the lines",
            "socket: what failed runs again",
        },
    ),
    "a line of a socket that was taken in": (
        taken("s0.2 a 9"),
        {"socket: nothing is lost that was taken in"},
    ),
    "a line of a socket in the middle": (
        changed(
            "UPDATE records SET record = '\"s0.2 a 9\"' WHERE record = '\"s0.1 a 2\"'",
        ),
        {
            "socket: nothing is lost that was taken in",
            "socket: no gap before what came",
            "socket: windows and states are those of the lines",
            "socket: folders hold the lines",
            "socket: tables hold the lines",
        },
    ),
    "a state without a batch": (
        changed(
            f"UPDATE records SET record = '[\"a\", 8]' "
            f"WHERE output = 'files state' AND time = {LAST} AND record LIKE '[\"a\"%'"
        ),
        {"files: windows and states are those of the lines"},
    ),
    "a window with a batch too many": (
        changed(
            f"UPDATE records SET record = '[\"a\", 9]' "
            f"WHERE output = 'files inverse' AND time = {LAST} AND record LIKE '[\"a\"%'"
        ),
        {"files: windows and states are those of the lines"},
    ),
    "a record that has not seen the one before it": (
        changed(
            f"UPDATE records SET record = '[\"a\", 5, 5]' "
            f"WHERE output = 'socket mapped' AND time = {LAST}"
        ),
        {"socket: windows and states are those of the lines"},
    ),
    "a batch of an output is missing": (
        changed(
            [
                f"DELETE FROM {table} WHERE output = 'socket state' AND time = {FIRST + 200}"
                for table in ("records", "batches")
            ]
        ),
        {"no batch time is missing"},
    ),
    "a time beside the others": (
        changed(f"INSERT INTO batches VALUES ('files mapped', {FIRST + 250})"),
        {"no batch time is missing"},
    ),
    "a folder has other lines": (
        written(f"text/files-{FIRST}/part-00000", "f0 a 1\n"),
        {"files: folders hold the lines"},
    ),
    "a folder is not complete": (
        removed(f"text/socket-{LAST}/_SUCCESS"),
        {"socket: folders hold the lines"},
    ),
    "a table has a row twice": (
        changed(f"INSERT INTO files VALUES ('f0 a 1', {FIRST})", "rows.db"),
        {"files: tables hold the lines"},
    ),
    "a table lacks a row": (
        changed("DELETE FROM socket WHERE line = 's1.2 a 5'", "rows.db"),
        {"socket: tables hold the lines"},
    ),
    "what failed did not run again": (
        changed(
            [
                f"DELETE FROM {table} WHERE output = 'files failing' AND time = {FIRST}"
                for table in ("records", "batches")
            ]
        ),
        {"files: what failed runs again", "no batch time is missing"},
    ),
    "a batch ran again with other lines": (
        changed(f"{AGAIN} ('files lines', {FIRST}, '[\"f0 a 1\"]', '[]')"),
        {"files: a batch that runs again has the same lines"},
    ),
    "a batch ran again, as it may once a kill": (
        changed(f"{AGAIN} ('files lines', {FIRST}, '[\"f0 a 1\"]', '[\"f0 a 1\"]')"),
        set(),
    ),
    "more ran again than kills": (
        changed(
            [
                f"{AGAIN} ('{output}', {FIRST}, '[]', '[]')"
                for output in ("files lines", "files state")
            ]
        ),
        {"what had committed does not run again"},
    ),
    "a folder that nobody finished": (
        written("text/.files-1", ""),
        {"nothing unfinished is left"},
    ),
    "a file that nobody finished": (
        written("checkpoint/.writing-checkpoint-1", ""),
        {"nothing unfinished is left"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_judge_sees(given, fault):
    make, wanted = FAULTS[fault]
    make(given)
    assert {name for name, _ in judged(given)} == wanted
    assert wanted <= GUARANTEED.keys()
