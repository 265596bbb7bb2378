"""Where things are when nobody says: the packaged files, the data and the control socket."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
SYSTEM_CONFIG = Path("/etc/couachgpt.toml")
SYSTEM_DATA = Path("/var/lib/couachgpt")
SYSTEM_SOCKET = Path("/run/couachgpt/control.sock")
SANDBOX_SOCKET = Path("/run/couachgpt-sandbox.sock")
SOCKET_NAME = "control.sock"


def web_dir() -> Path:
    """Return the folder of templates, locales and the built front end.

    The wheel carries it inside the package; a checkout has it beside the package.
    """
    packed = PACKAGE / "web"
    return packed if packed.is_dir() else PACKAGE.parent / "web"


def default_data_dir() -> Path:
    """Return systemd's state directory, the system's, or, for a plain user, their own."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    if os.geteuid() == 0:
        return SYSTEM_DATA
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "couachgpt"


def default_socket(data_dir: Path) -> Path:
    """Return the control socket: the system's with the system's data, else beside the data."""
    return SYSTEM_SOCKET if data_dir == SYSTEM_DATA else data_dir / SOCKET_NAME
