"""What functions in worker processes print."""

import re

import pytest

TALK = """
def talk(worker):
    mark(f"talks-{worker}")
    wait_for(f"talks-{1 - worker}")
    for number in range(2000):
        # In pieces, so that no worker's pipe ever ends with a line.
        for piece in (f"out {worker} ", f"{number} ", "x" * (number % 90), " end\\n"):
            os.write(1, piece.encode())
        print("err", worker, number, "x" * (number % 90), "end", file=sys.stderr)
    return worker
"""
LINE = re.compile(r"(out|err) ([01]) (\d+) x* end")


def numbers_of(text):
    """The numbers of each worker's lines in their order; fails where a line is torn."""
    found = {}
    for line in text.splitlines():
        matched = LINE.fullmatch(line)
        assert matched, line
        found.setdefault(matched[2], []).append(int(matched[3]))
    return found


def test_lines_of_two_workers_are_whole_and_come_before_the_action_ends(way, begin):
    job = begin(way, TALK + "print('begin')\nprint(sc.parallelize([0, 1], 2).map(talk).collect())")
    out = job.ends()
    assert out.startswith("begin\n")
    assert out.endswith("end\n[0, 1]\n")
    all_lines = {"0": list(range(2000)), "1": list(range(2000))}
    assert numbers_of(out.removeprefix("begin\n").removesuffix("[0, 1]\n")) == all_lines
    assert numbers_of(job.err) == all_lines


def test_no_line_of_many_short_tasks_is_lost(way, begin):
    job = begin(
        way,
        """
def talk(name):
    for number in range(10):
        print(name, number)

for n in range(300):
    sc.parallelize([f"line {n} {part}" for part in range(6)], 6).foreach(talk)
""",
    )
    expected = [f"line {n} {p} {i}" for n in range(300) for p in range(6) for i in range(10)]
    assert sorted(job.ends().splitlines()) == sorted(expected)


def test_what_a_batch_prints_comes_before_its_end_and_while_the_job_runs(way, begin):
    job = begin(
        way,
        """
def talk(number):
    print("function", number)
    return number

ssc = StreamingContext(sc, 0.05)
ssc.queueStream([[1], [2]]).map(talk).foreachRDD(lambda rdd: print("batch", rdd.collect()))
ssc.start()
ssc.awaitTermination()
""",
    )
    job.until_out("batch [2]\n")
    assert job.out.startswith("function 1\nbatch [1]\nfunction 2\nbatch [2]\n")


def test_what_a_function_flushes_is_seen_while_the_action_runs(way, begin):
    job = begin(
        way,
        """
def talk(_):
    print("seen", flush=True)
    wait_for("seen")

sc.parallelize([0], 1).foreach(talk)
""",
    )
    job.until_out("seen\n")
    (job.folder / "seen").touch()
    job.ends()


def test_bytes_and_what_children_print(way, begin):
    job = begin(
        way,
        r"""
def talk(_):
    sys.stdout.buffer.write("é ß".encode())
    sys.stdout.flush()
    os.write(1, b" \xff\x80 \xe6\x97")
    os.write(1, b"\xa5\n")
    print("\udcff")
    os.write(2, b"error \xff\n")
    subprocess.run(["sh", "-c", "echo child; echo bad >&2"], check=True)
    print("no end", end="")

print(sc.parallelize([0], 1).map(talk).collect())
""",
        PYTHONIOENCODING="utf-8",
    )
    assert job.ends() == "é ß \\xff\\x80 日\n\\udcff\nchild\nno end[None]\n"
    assert job.err == "error \\xff\nbad\n"


@pytest.mark.parametrize("death", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(3)"])
def test_what_a_worker_has_printed_is_not_lost_with_it(way, begin, death):
    job = begin(
        way,
        f"""
def talk(_):
    again = os.path.exists("once")
    mark("once")
    for number in range(3000):
        print("line", again, number)
        os.write(2, b"error %d\\n" % number)
    print("last words", end="", flush=True)
    if not again:
        {death}

print(sc.parallelize([0], 1).map(talk).count())
""",
    )
    once, again = ([f"line {again} {number}" for number in range(3000)] for again in (False, True))
    assert job.ends() == "\n".join([*once, "last words" + again[0], *again[1:], "last words1\n"])
    errors = [f"error {number}" for number in range(3000)]
    assert [line for line in job.err.splitlines() if "error" in line] == errors * 2
    assert job.err.count("its task is tried again") == 1
