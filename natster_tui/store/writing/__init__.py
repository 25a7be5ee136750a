"""Publishing what streams store: where it goes, and several messages as one."""
