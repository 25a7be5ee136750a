"""Projections as pure rules: folds, documents, checkpoints, paging and diffs."""
