"""Python's own extension modules under the host, which has Python inside."""

from jobs import require_host

IMPORT_ALL = """
import importlib
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES

(folder,) = (path for path in sys.path if os.path.basename(path) == "lib-dynload")
names = set()
for file in os.listdir(folder):
    for suffix in EXTENSION_SUFFIXES:
        if file.endswith(suffix):
            names.add(file.removesuffix(suffix))
            break
wrong = 0
for name in sorted(names):
    try:
        importlib.import_module(name)
    except ImportError as error:
        # The module's own library belongs to a package that need not be there.
        if "cannot open shared object file" not in str(error):
            wrong += 1
            print(name, error)
print(len(names) > 0, wrong)
"""

USE = """
import asyncio, ctypes, decimal, hashlib, json, lzma, multiprocessing, sqlite3, ssl, zlib
import xml.etree.ElementTree as tree

print(decimal.Decimal(1) / 8, type(decimal.Decimal.sqrt).__name__)
print(asyncio.run(asyncio.sleep(0, 'slept')))
print(ctypes.CDLL(None).abs(-3), ctypes.pythonapi.Py_IsInitialized())
print(sqlite3.connect(':memory:').execute('select 1 + 1').fetchone())
print(ssl.create_default_context().check_hostname)
print(lzma.decompress(lzma.compress(b'text')), zlib.crc32(b'a'))
print(tree.fromstring('<a><b/></a>')[0].tag, json.loads('[1]'), hashlib.sha256(b'').name)
"""


def test_every_extension_module_can_be_imported(run, script):
    job = run([require_host(), "run", script(IMPORT_ALL)])
    assert (job.status, job.out) == (0, "True 0\n"), job.err


def test_they_work(run, script):
    job = run([require_host(), "run", script(USE)])
    assert job.status == 0, job.err
    assert job.out.splitlines() == [
        "0.125 method_descriptor",
        "slept",
        "3 1",
        "(2,)",
        "True",
        "b'text' 3904355907",
        "b [1] sha256",
    ]
