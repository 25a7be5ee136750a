"""How a connection is opened: the server to try, the way there, TLS, and login."""
