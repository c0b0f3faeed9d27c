"""The notebook of the examples, in a real kernel."""

import asyncio
import sys
import time
from pathlib import Path

import pytest
from jobs import environment

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOK = Path(__file__).resolve().parents[3] / "examples" / "notebook.ipynb"
# What nbclient and its own packages warn about is not ours.
pytestmark = pytest.mark.filterwarnings("default")


def printed(cell):
    return "".join(out.text for out in cell.outputs if out.output_type == "stream")


def results(cell):
    return [out.data["text/plain"] for out in cell.outputs if out.output_type == "execute_result"]


def raised(cell):
    return [out for out in cell.get("outputs", ()) if out.output_type == "error"]


def errors(cell):
    return [out.ename for out in raised(cell)]


class Kernel:
    """A kernel that runs cells one after the other, and can be interrupted meanwhile."""

    def __init__(self, notebook, folder):
        self.notebook = notebook
        self.client = nbclient.NotebookClient(
            notebook, timeout=30, allow_errors=True, resources={"metadata": {"path": str(folder)}}
        )
        # The test's own interpreter, whatever kernels are installed.
        self.client.create_kernel_manager()
        self.client.km.kernel_spec.argv[0] = sys.executable

    async def run(self, index):
        cell = self.notebook.cells[index]
        if cell.cell_type == "code":
            await self.client.async_execute_cell(cell, index)
        return cell

    async def interrupted(self, index, true):
        """Run a cell until ``true(cell)``, interrupt it, and return how long it ran on."""
        cell = self.notebook.cells[index]
        running = asyncio.ensure_future(self.run(index))
        end = time.monotonic() + 20
        while not true(cell):
            assert not running.done(), cell.outputs
            assert time.monotonic() < end, cell.outputs
            await asyncio.sleep(0.01)
        begin = time.monotonic()
        await self.client.km.interrupt_kernel()
        await running
        return time.monotonic() - begin


def in_a_kernel(notebook, folder, steps):
    """Run ``steps(kernel)`` with a kernel of its own."""

    async def whole():
        kernel = Kernel(notebook, folder)
        async with kernel.client.async_setup_kernel(env=environment(), cwd=str(folder)):
            await steps(kernel)

    asyncio.run(whole())


def notebook_of(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


def test_the_example(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    waiting = next(
        index
        for index, cell in enumerate(notebook.cells)
        if "awaitTerm" in cell.source and cell.cell_type == "code"
    )

    async def steps(kernel):
        for index, cell in enumerate(notebook.cells):
            if index == waiting:
                took = await kernel.interrupted(index, lambda cell: "('on', 2)" in printed(cell))
                assert took < 1
                assert errors(cell) == ["KeyboardInterrupt"]
            else:
                begin = time.monotonic()
                await kernel.run(index)
                if cell.source == "ssc.start()":
                    assert time.monotonic() - begin < 1
                assert errors(cell) == []

    in_a_kernel(notebook, tmp_path, steps)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [results(cell) for cell in code][4:] == [["(2, 1)"], [], ["True"], ["True"]]
    assert "('to', 2)" in "".join(map(printed, code))


def test_it_is_kept_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


OPEN = """
from swiftwater import SparkContext
from swiftwater.streaming import StreamingContext
sc = SparkContext("local[2]", "Notebook")
ssc = StreamingContext(sc, 0.1)
"""


def test_a_notebook_that_begins_with_findspark(tmp_path):
    notebook = notebook_of(
        "import swiftwater.findspark",
        "import findspark\nfindspark.init('/opt/spark')",
        "from pyspark import SparkContext\nsc = SparkContext('local[2]', 'Notebook')",
        "sc.parallelize(['a b']).flatMap(str.split).collect()",
        "sc.stop()",
    )

    async def steps(kernel):
        for index in range(len(notebook.cells)):
            assert errors(await kernel.run(index)) == []

    in_a_kernel(notebook, tmp_path, steps)
    assert results(notebook.cells[3]) == ["['a', 'b']"]


def test_a_second_context_in_the_same_kernel(tmp_path):
    once = f"{OPEN}ssc.queueStream([[1]], default=[2]).pprint()\nssc.start()"
    notebook = notebook_of(once, "ssc.awaitTermination()", "ssc.stop()")
    notebook.cells += notebook_of(once, "ssc.awaitTermination()", "ssc.stop()").cells

    async def steps(kernel):
        for begin in (0, 3):
            assert errors(await kernel.run(begin)) == []
            took = await kernel.interrupted(begin + 1, lambda cell: "2\n" in printed(cell))
            assert took < 1
            assert errors(notebook.cells[begin + 1]) == ["KeyboardInterrupt"]
            assert errors(await kernel.run(begin + 2)) == []

    in_a_kernel(notebook, tmp_path, steps)


def test_an_action_is_interrupted(tmp_path):
    notebook = notebook_of(
        OPEN,
        "import time\ndef slow(n):\n    print('slow', flush=True)\n    time.sleep(30)\n"
        "sc.parallelize([1, 2]).map(slow).collect()",
        "sc.parallelize([1, 2]).map(str).collect()",
        "ssc.stop()",
    )

    async def steps(kernel):
        assert errors(await kernel.run(0)) == []
        assert await kernel.interrupted(1, lambda cell: "slow" in printed(cell)) < 1
        assert errors(notebook.cells[1]) == ["KeyboardInterrupt"]
        assert results(await kernel.run(2)) == ["['1', '2']"]
        assert errors(await kernel.run(3)) == []

    in_a_kernel(notebook, tmp_path, steps)


def test_the_error_of_a_batch_is_shown_where_it_is_waited_for(tmp_path):
    notebook = notebook_of(
        f"{OPEN}ssc.queueStream([['7', 'pear']]).map(int).pprint()\nssc.start()",
        "ssc.awaitTermination()",
        "ssc.stop()",
    )

    async def steps(kernel):
        for index in range(3):
            await kernel.run(index)

    in_a_kernel(notebook, tmp_path, steps)
    assert [errors(cell) for cell in notebook.cells] == [[], ["ValueError"], []]
    shown = "\n".join(raised(notebook.cells[1])[0].traceback)
    assert "record: 'pear'" in shown
