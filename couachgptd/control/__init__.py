"""The control adapter: HTTP/JSON over a Unix socket, and its typed client."""
