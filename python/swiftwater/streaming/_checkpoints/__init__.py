"""What a job goes on from: checkpoints, how they are written, and how they are read."""
