"""Publishing messages for streams to store, alone or in atomic batches."""
