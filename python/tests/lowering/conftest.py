import pytest

from swiftwater import SparkConf, SparkContext
from swiftwater._native import engine
from tests.lowering.lowering_jobs import ANY, NATIVE, SOME, collected, forms, outcome


@pytest.fixture
def both(tmp_path):
    """Run a job lowered and plain and return what it gives, which must be the same.

    ``records`` that are lines make a text file of about ``partitions`` partitions; with
    ``as_text=False``, and all other records, a list that is spread over as many.
    """

    def run(lowering, records, job, action, partitions, as_text, native, settings):
        conf = SparkConf().set("swiftwater.lowering", lowering).setAll(settings.items())
        with SparkContext("local[2]", "test", conf=conf) as sc:
            if as_text:
                data = sc.textFile(str(tmp_path / "lines.txt"), partitions)
            else:
                data = sc.parallelize(records, partitions)
            rdd = job(data)
            if lowering == "true":
                told = forms(engine.explain(rdd._handle))
                assert native in (ANY, SOME) or ("Python" in told) is not native
                assert native in (ANY, False) or told & NATIVE
            return outcome(lambda: action(rdd))

    def compared(
        records,
        job,
        action=collected,
        *,
        partitions=2,
        as_text=None,
        native=True,
        settings=None,
    ):
        if as_text is None:
            as_text = all(type(record) is str for record in records)
        if as_text:
            text = "".join(f"{line}\n" for line in records)
            (tmp_path / "lines.txt").write_text(text, encoding="utf-8", newline="")
        given = (records, job, action, partitions, as_text, native, settings or {})
        lowered, plain = (run(lowering, *given) for lowering in ("true", "false"))
        assert lowered == plain
        return plain

    return compared
