"""The parts of ``StreamingContext``."""
