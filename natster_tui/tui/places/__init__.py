"""Going to what is named: places, the box that finds them, and the way back."""
