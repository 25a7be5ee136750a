"""Live projecting: the projector, its writer, its lease and its status."""
