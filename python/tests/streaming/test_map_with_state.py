"""mapWithState against a plain model, with time-outs, failures, checkpoints and snapshots."""

import random
from datetime import datetime

import pytest

from swiftwater.errors import IllegalArgumentException, SparkNoSuchElementException
from swiftwater.rdd import portable_hash
from swiftwater.streaming import State, StateSpec
from swiftwater.testing import StreamingTest, run_batches
from tests.streaming.checkpoints.checkpointed_jobs import feed, pairs

TIMEOUT = 3


def stepped(key, value, state):
    """Reads, updates, removes, forgets to update, by turns."""
    before = state.getOption()
    if state.isTimingOut():
        return key, "gone", before
    if value % 5 == 0 and state.exists():
        state.remove()
    elif value % 7 != 0:
        state.update((*(before or ()), value)[-4:])
    return key, value, before, state.exists()


class Model:
    """What mapWithState is to do, record by record."""

    def __init__(self, function, initial=(), timeout=None):
        self.function, self.timeout = function, timeout
        self.states = dict(initial)
        self.latest = None

    def batch(self, number, records):
        if self.latest is None:
            self.latest = dict.fromkeys(self.states, number)
        made, touched = [], set()
        for key, value in records:
            state = State(self.states[key]) if key in self.states else State()
            made.append(self.function(key, value, state))
            self.states.pop(key, None)
            if state.exists():
                self.states[key] = state.get()
            touched.add(key)
            self.latest[key] = number
        for key in [*self.states] if self.timeout else ():
            if key not in touched and number - self.latest[key] > self.timeout:
                state = State(self.states.pop(key))
                state._is_timing_out = True
                made.append(self.function(key, None, state))
        return made


KEYS = {
    "texts": [f"key {number}" for number in range(12)],
    "numbers": list(range(-4, 8)),
    "mixed": ["a", 1, 2.5, None, ("a", 1), (2, (3, None)), -7.25, b"x", 10**30, "ß", "", (1,)],
}


def by_key(records):
    return sorted(records, key=lambda record: repr(record[0]))


@pytest.fixture(params=["never", "always"])
def test(request):
    with StreamingTest(settings={"swiftwater.workers": request.param}) as test:
        yield test


def by_length(key):
    return -len(repr(key))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("timeout", [None, TIMEOUT])
@pytest.mark.parametrize("keys", KEYS)
def test_streams_are_those_of_the_model(test, keys, timeout, seed, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    chance = random.Random(f"{keys} {timeout} {seed}")
    batches = [
        [
            (chance.choice(KEYS[keys]), chance.randrange(40))
            for _ in range(chance.choice([0, 0, 1, 5, 30]))
        ]
        for _ in range(25)
    ]
    initial = [(key, (1, 2)) for key in chance.sample(KEYS[keys], 4)]
    spec = StateSpec.function(stepped).initialState(initial)
    if timeout:
        spec.timeout(timeout)
    if seed % 2:
        spec.numPartitions(chance.choice([1, 3, 7]))
    elif seed == 0 and keys != "mixed":
        spec.partitioner(chance.choice([1, 3, 7]), by_length)
    source = test.ssc.queueStream(
        [test.sc.parallelize(batch, chance.choice([1, 2, 5])) for batch in batches]
    )
    stream = source.mapWithState(spec)
    outputs = []
    if seed != 2:
        outputs.append(test.collect(stream))
    if seed != 3:
        outputs.append(test.collect(stream.stateSnapshots()))
    test.advance(len(batches))
    model = Model(stepped, initial, timeout)
    for number, batch in enumerate(batches):
        made = model.batch(number, batch)
        if seed != 2:
            # Records of one key stay in order; partitions divide the keys.
            assert by_key(outputs[0].batches[number]) == by_key(made), f"seed {seed}, {number}"
        if seed != 3:
            found = outputs[-1].batches[number]
            assert by_key(found) == by_key(model.states.items()), f"seed {seed}, {number}"


def test_the_order_is_that_of_the_records(test):
    batches = [[(number % 7, number) for number in range(50)]]
    spec = StateSpec.function(lambda key, value, state: value).numPartitions(1)
    out = test.collect(test.ssc.queueStream(batches).mapWithState(spec))
    test.advance()
    assert out.batches == [list(range(50))]


@pytest.mark.parametrize(
    ("divide", "expected"),
    [
        (lambda spec: spec.partitioner(3, len), [["ccc", "ccc"], ["a"], ["bb"]]),
        (lambda spec: spec.partitioner(2, lambda key: -len(key)), [["bb"], ["a", "ccc", "ccc"]]),
        (lambda spec: spec.numPartitions(5).partitioner(1, len), [["a", "ccc", "bb", "ccc"]]),
        (lambda spec: spec.partitioner(3, len).numPartitions(1), [["a", "ccc", "bb", "ccc"]]),
        (lambda spec: spec.partitioner(1), [["a", "ccc", "bb", "ccc"]]),
        (lambda spec: spec.partitioner(1, portable_hash), [["a", "ccc", "bb", "ccc"]]),
    ],
)
def test_keys_are_where_the_partitioner_has_them(test, divide, expected):
    spec = StateSpec.function(lambda key, value, state: state.update(value) or key)
    spec.initialState([("dddd", 0), ("bb", 0), ("dddd", 9)])
    source = test.ssc.queueStream([[("a", 1), ("ccc", 2), ("bb", 3), ("ccc", 4)]])
    stream = source.mapWithState(divide(spec))
    made = test.collect(stream.glom())
    states = test.collect(stream.stateSnapshots().glom())
    test.advance()
    assert made.batches == [expected]
    (parts,) = states.batches
    assert len(parts) == len(expected)
    for part, keys in zip(parts, expected, strict=True):
        assert {key for key, _ in part} - {"dddd"} == set(keys)
    found = dict(pair for part in parts for pair in part)
    assert found == {"a": 1, "bb": 3, "ccc": 4, "dddd": 9}


@pytest.mark.parametrize(("is_same", "placed"), [(True, 3), (False, 6)])
def test_pairs_that_come_divided_so_are_not_moved(test, is_same, placed):
    calls = test.sc.accumulator(0)

    def by_size(key):
        calls.add(1)
        return len(key)

    spec = StateSpec.function(lambda key, value, state: value)
    spec.partitioner(3, by_size if is_same else lambda key: by_size(key) + 0)
    source = test.ssc.queueStream([[("a", 1), ("bb", 2), ("a", 3)]])
    out = test.collect(source.partitionBy(3, by_size).mapWithState(spec).glom())
    test.advance()
    assert (out.batches, calls.value) == ([[[], [1, 3], [2]]], placed)


def test_a_function_of_three_gives_none_and_one_of_four_does_not(test):
    def of_four(time, key, value, state):
        return (time, value) if value else None

    source = test.ssc.queueStream([[("a", 0), ("a", 1)]])
    three = test.collect(source.mapWithState(StateSpec.function(lambda key, value, state: None)))
    four = test.collect(source.mapWithState(StateSpec.function(of_four)))
    test.advance()
    start = datetime.fromtimestamp(1_893_456_001)
    assert (three.batches, four.batches) == ([[None, None]], [[(start, 1)]])


def test_a_state_that_is_changed_in_place_is_not_stored(test):
    def changed(key, value, state):
        if not state.exists():
            state.update([])
        state.get().append(value)
        return list(state.get())

    source = test.ssc.queueStream([[("a", 1)], [("a", 2)], [("a", 3)]])
    out = test.collect(source.mapWithState(StateSpec.function(changed)))
    test.advance(3)
    assert out.batches == [[[1]], [[1, 2]], [[1, 3]]]


def test_none_is_a_state(test):
    def first(key, value, state):
        if not state.exists():
            state.update(None)
        return state.exists(), state.getOption()

    out = test.collect(
        test.ssc.queueStream([[("a", 1)], [("a", 2)]])
        .mapWithState(StateSpec.function(first))
        .stateSnapshots()
    )
    test.advance(2)
    assert out.batches == [[("a", None)]] * 2


def test_what_states_refuse():
    state = State()
    with pytest.raises(SparkNoSuchElementException, match="^State is not set$"):
        state.get()
    state.remove()
    for call, text in [
        (lambda: state.update(1), "Cannot update the state after it has been removed"),
        (state.remove, "Cannot remove the state that has already been removed"),
    ]:
        with pytest.raises(IllegalArgumentException, match=f"^requirement failed: {text}$"):
            call()
    assert not state.exists()
    assert state.getOption() is None
    state = State(5)
    state._is_timing_out = True
    for call, text in [
        (lambda: state.update(1), "Cannot update the state that is timing out"),
        (state.remove, "Cannot remove the state that is timing out"),
    ]:
        with pytest.raises(IllegalArgumentException, match=f"^requirement failed: {text}$"):
            call()
    assert state.get() == 5


def test_what_a_specification_refuses(streaming):
    with pytest.raises(TypeError, match=r"not of 2 arguments"):
        StateSpec.function(lambda key, value: None)
    with pytest.raises(TypeError, match=r"StateSpec.function needs a function"):
        StateSpec.function(5)
    spec = StateSpec.function(stepped)
    with pytest.raises(ValueError, match=r"at least 0.001 seconds, not 0"):
        spec.timeout(0)
    with pytest.raises(TypeError, match=r"the time-out must be a number of seconds"):
        spec.timeout("1")
    with pytest.raises(ValueError, match="numPartitions"):
        spec.numPartitions(0)
    with pytest.raises(ValueError, match="partitioner"):
        spec.partitioner(0, len)
    with pytest.raises(TypeError, match="partitioner needs a function as partitionFunc, not int"):
        spec.partitioner(2, 3)
    stream = streaming.ssc.queueStream([[("a", 1)]])
    with pytest.raises(TypeError, match="mapWithState needs a StateSpec, not function"):
        stream.mapWithState(stepped)
    with pytest.raises(ValueError, match="this stream has no states"):
        stream.stateSnapshots()
    assert stream.mapWithState(spec).named("steps") is not None


def test_an_updated_state_is_its_own_snapshots():
    def states(stream):
        state = stream.updateStateByKey(lambda new, old: sum(new) + (old or 0))
        assert state.stateSnapshots() is state
        return state

    assert run_batches(states, [[("a", 1)], []]) == [[("a", 1)], [("a", 1)]]


def failing(path):
    def call(key, value, state):
        if value == 3 and path.exists():
            raise ConnectionError("away")
        state.update((state.getOption() or 0) + value)
        return key, state.get()

    return call


def test_what_a_failure_has_kept_out_comes_with_the_next_batch(test, tmp_path):
    away = tmp_path / "away"
    batches = [[("a", 1), ("b", 1)], [("a", 2), ("b", 3)], [("a", 4)], [("b", 5), ("a", 6)]]
    stream = test.ssc.queueStream(batches).mapWithState(StateSpec.function(failing(away)))
    made = test.collect(stream)
    states = test.collect(stream.stateSnapshots())
    test.advance()
    away.touch()
    for _ in range(2):
        with pytest.raises(ConnectionError, match="away"):
            test.advance()
    away.unlink()
    test.advance()
    assert by_key(made.batches[-1]) == [
        ("a", 3), ("a", 7), ("a", 13), ("b", 4), ("b", 9),
    ]  # fmt: skip
    assert by_key(states.batches[-1]) == [("a", 13), ("b", 9)]


def test_rdds_that_are_kept_stay_as_they_are(test):
    kept = []

    def keep(rdd):
        kept.append(rdd)

    stream = test.ssc.queueStream([[("a", 1)], [("a", 2), ("b", 1)], [], [("a", -3)]])
    spec = StateSpec.function(stepped).timeout(1)
    mapped = stream.mapWithState(spec)
    mapped.foreachRDD(keep)
    mapped.stateSnapshots().foreachRDD(keep)
    test.advance(4)
    assert [sorted(rdd.collect()) for rdd in kept] == [
        [("a", 1, None, True)],
        [("a", (1,))],
        [("a", 2, (1,), True), ("b", 1, None, True)],
        [("a", (1, 2)), ("b", (1,))],
        [],
        [("a", (1, 2)), ("b", (1,))],
        [("a", -3, (1, 2), True), ("b", "gone", (1,))],
        [("a", (1, 2, -3))],
    ]


def test_mapped_records_have_windows(test):
    stream = test.ssc.queueStream([[("a", 1)], [("a", 2)], [], [("a", 4)]])
    spec = StateSpec.function(lambda key, value, state: value)
    out = test.collect(stream.mapWithState(spec).window(2, 2))
    test.advance(4)
    assert out.batches == [[1, 2], [4]]


def lines_of(chance, batches):
    return [
        [f"{chance.choice('abcde')} {chance.randint(1, 9)}" for _ in range(chance.randint(0, 4))]
        for _ in range(batches)
    ]


def mapped_lines(test, divide):
    spec = divide(StateSpec.function(stepped).initialState([("a", (9,))]))
    mapped = pairs(test.text_source().stream).mapWithState(spec)
    test.collect(mapped)
    test.collect(mapped.stateSnapshots())
    test.collect(mapped.window(3))


def results(test):
    return [list(out.batches) for out in test.outputs]


@pytest.mark.parametrize("divide", [lambda spec: spec, lambda spec: spec.partitioner(3, ord)])
@pytest.mark.parametrize("stop", [1, 6, 11])
def test_a_recovered_job_goes_on_as_if_it_had_never_stopped(stop, divide, tmp_path):
    batches = lines_of(random.Random(stop), 14)
    with StreamingTest() as test:
        mapped_lines(test, divide)
        feed(test, batches)
        expected = results(test)
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        mapped_lines(test, divide)
        feed(test, batches[:stop])
        found = results(test)
    with StreamingTest.recovered(str(tmp_path)) as test:
        feed(test, batches[stop:])
        for before, more in zip(found, results(test), strict=True):
            before.extend(more)
    assert found == expected


def test_after_a_crash_the_states_have_all_that_had_come(tmp_path):
    spec = StateSpec.function(stepped)
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        mapped = pairs(test.text_source().stream).mapWithState(spec).checkpoint(2)
        test.collect(mapped)
        test.collect(mapped.stateSnapshots())
        feed(test, [["a 1"], ["a 2"], ["a 3"]])
        crash = tmp_path / "crash"
        crash.mkdir(mode=0o700)
        for path in tmp_path.iterdir():
            if path.is_file():
                (crash / path.name).write_bytes(path.read_bytes())
    with StreamingTest.recovered(str(crash)) as test:
        test.start()
        feed(test, [["a 4"]])
        # The third batch runs again for the state, and puts nothing out.
        assert test.outputs[0].batches == [[("a", 4, (1, 2, 3), True)]]
        assert test.outputs[1].batches == [[("a", (1, 2, 3, 4))]]


def test_after_a_recovery_the_time_goes_on(tmp_path):
    with StreamingTest() as test:
        test.ssc.checkpoint(str(tmp_path))
        stream = pairs(test.text_source().stream)
        test.collect(stream.mapWithState(StateSpec.function(stepped).timeout(2)))
        feed(test, [["a 1"], [], []])
    with StreamingTest.recovered(str(tmp_path)) as test:
        feed(test, [[], [], [], []])
        assert test.outputs[0].batches == [[("a", "gone", (1,))], [], [], []]


def test_the_plan_says_for_which_keys_it_is_called(streaming, capsys):
    stream = streaming.ssc.queueStream([[("a", 1)]])
    stream.mapWithState(StateSpec.function(stepped)).pprint()
    streaming.ssc.explain()
    line = next(line for line in capsys.readouterr().out.splitlines() if "mapWithState" in line)
    assert "keys with new values" in line
