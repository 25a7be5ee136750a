"""Live projecting: the projector, its writer and its status."""
