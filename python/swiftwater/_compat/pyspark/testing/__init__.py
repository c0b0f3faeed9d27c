"""PySpark's base classes for tests of jobs: ``pyspark.testing.utils`` and ``.streamingutils``."""
