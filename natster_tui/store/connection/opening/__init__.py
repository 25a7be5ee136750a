"""Opening a connection: choosing a server, reaching it, TLS, and login."""
