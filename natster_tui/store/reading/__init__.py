"""Reading streams: in order, each message once, and nothing left out."""
