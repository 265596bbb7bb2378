"""Untrusted work behind a wall: the worker that does it, and the two ways to start one."""
