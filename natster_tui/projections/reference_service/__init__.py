"""Projections that the reference service stored, and its rules, which explain the differences."""
