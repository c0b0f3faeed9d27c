"""The parts of ``DStream``, and what its operators do."""
