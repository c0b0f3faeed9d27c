"""Where PySpark 4 keeps the modules of SparkContext and RDD."""
