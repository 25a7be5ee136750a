"""Places that the dashboard can go to, the box that finds them, and the way back."""
