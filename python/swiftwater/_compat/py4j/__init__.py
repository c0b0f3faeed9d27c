"""Py4J's names, for programs that catch its errors. There is no JVM behind them."""
