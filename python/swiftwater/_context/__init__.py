"""What a SparkContext is made of: a core, and a part for each subject of its methods."""
