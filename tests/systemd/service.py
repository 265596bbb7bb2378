"""CouachGPT as a service in the sandbox: its units, users, rules, and the fake Ollama as a unit."""

from pathlib import Path

from tests.conftest import ROOT
from tests.systemd.sandboxed import Sandbox

UNIT = "couachgptd.service"
SOCKET = "couachgptd.socket"
CONFIG = Path("/etc/couachgpt.toml")
DATA = Path("/var/lib/couachgpt")
CONTROL_SOCKET = Path("/run/couachgpt/control.sock")
ADDRESS = "http://127.0.0.1:8294"

# What install.sh puts where.
FILES = {
    "couachgptd.service": "/etc/systemd/system/couachgptd.service",
    "couachgptd.socket": "/etc/systemd/system/couachgptd.socket",
    "sysusers.conf": "/etc/sysusers.d/couachgpt.conf",
    "tmpfiles.conf": "/etc/tmpfiles.d/couachgpt.conf",
    "couachgpt.rules": "/etc/polkit-1/rules.d/couachgpt.rules",
    "ollama.service.d/couachgpt.conf": "/etc/systemd/system/ollama.service.d/couachgpt.conf",
}


def install(sandbox: Sandbox) -> None:
    """Lay the units as install.sh does, and make users and folders; nothing is started."""
    for source, target in FILES.items():
        sandbox.write(Path(target), (ROOT / "systemd" / source).read_text(encoding="utf-8"))
    sandbox.run("systemd-sysusers")
    sandbox.run("systemd-tmpfiles", "--create", "couachgpt.conf")
    sandbox.run("systemctl", "daemon-reload")
