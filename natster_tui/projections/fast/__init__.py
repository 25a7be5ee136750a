"""What makes folding a log and encoding documents quick, without a rule of its own."""
