"""Where PySpark keeps its errors by origin."""
