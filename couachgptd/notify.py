"""Tells systemd how we are; does nothing where systemd did not start us."""

import os


def notify(*lines: str) -> None:
    if "NOTIFY_SOCKET" not in os.environ:
        return
    from sdnotify import SystemdNotifier

    # The library sends latin-1; characters beyond ASCII would reach systemd as broken UTF-8.
    for line in lines:
        SystemdNotifier().notify(line.encode().decode("latin-1"))


def watchdog_seconds() -> float | None:
    """Return after which silence systemd ends us; None where it does not watch this process."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() else None


def more_time(seconds: float) -> str:
    """Return the line that gives us so many seconds from now, whatever the unit's time-out says."""
    return f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}"
