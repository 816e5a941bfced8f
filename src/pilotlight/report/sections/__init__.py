"""The parts of a pilot's page, one per file; their order is their own ``slot`` and ``order``."""
