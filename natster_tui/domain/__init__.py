"""Events, folds and decisions: pure values and functions, no I/O, no clock."""
