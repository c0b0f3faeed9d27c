"""Word count of a file in SQL, by DuckDB on all cores.

count_duckdb.py FILE RESULT
"""

import sys
import time
from pathlib import Path

import duckdb

sys.path.append(str(Path(__file__).parents[1]))
import outcome

path, result = sys.argv[1:]
connection = duckdb.connect()
started = time.monotonic()
# The file is a table of one column: no byte of the text is the separator of columns.
counts = dict(
    connection.execute(
        """
        SELECT word, count(*) FROM (
            SELECT unnest(string_split(line, ' ')) AS word FROM read_csv(
                ?, columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', escape = '',
                header = false, auto_detect = false, parallel = true
            )
        ) GROUP BY word
        """,
        [path],
    ).fetchall()
)
ended = time.monotonic()
outcome.write(result, started, ended, counts)
