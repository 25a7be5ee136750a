"""Records, events and their kinds, filters, times, and reasons for parking. Pure."""
