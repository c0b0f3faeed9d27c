"""What an RDD is made of: a core, and a part for each subject of its methods."""
