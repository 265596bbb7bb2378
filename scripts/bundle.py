"""Lists what a server needs of the lock, and gathers it into a folder that installs offline."""

import argparse
import hashlib
import importlib.metadata
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

from scripts import terminal

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
# Debian 12 has 3.11, Ubuntu 24.04 has 3.12, Debian 13 has 3.13.
PYTHONS = ("3.11", "3.12", "3.13")
# The oldest C library among them is Debian 12's, 2.36.
PLATFORMS = ("manylinux2014", *(f"manylinux_2_{minor}" for minor in range(17, 37)))
# Published as source only; built here, so that no server needs what builds it.
SOURCE_ONLY = ("sdnotify",)
# What install.sh lays out beside the wheels.
PARTS = ("install.sh", "etc", "systemd")


def lock_entries() -> dict[str, str]:
    """Return each package's entry of the lock, hashes and all, by its name."""
    entries = re.split(r"\n(?=\S)", LOCK.read_text(encoding="utf-8"))
    return {each.partition("==")[0]: each.rstrip() for each in entries if not each.startswith("#")}


def needed(extra: str = "embedded") -> set[str]:
    """Return the names of all that `couachgpt[embedded]` takes on Linux with any of PYTHONS."""
    found: set[str] = set()
    waiting = [("couachgpt", extra)]
    while waiting:
        name, its_extra = waiting.pop()
        for text in importlib.metadata.requires(name) or ():
            requirement = Requirement(text)
            if not _wanted(requirement, its_extra):
                continue
            below = requirement.name.lower().replace("_", "-").replace(".", "-")
            if below not in found:
                found.add(below)
                waiting += [(below, each) for each in {"", *requirement.extras}]
    return found


def _wanted(requirement: Requirement, extra: str) -> bool:
    if requirement.marker is None:
        return True
    environments: list[dict[str, str]] = [
        {"extra": extra, "python_version": each, "python_full_version": f"{each}.0"}
        for each in PYTHONS
    ]
    return any(requirement.marker.evaluate(dict(each)) for each in environments)


def requirements() -> dict[str, str]:
    """Return the entries of the lock that a server needs, by name. Raises KeyError."""
    entries = lock_entries()
    return {name: entries[name] for name in sorted(needed())}


def gather(wheels: Path, pythons: tuple[str, ...]) -> None:
    """Fill the folder anew with all that a server needs, but ours; pip itself is one of them."""
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.mkdir(parents=True)
    wanted = {**requirements(), "pip": lock_entries()["pip"]}
    listed = wheels / "requirements.txt"
    listed.write_text("\n".join(wanted[name] for name in SOURCE_ONLY))
    _pip("wheel", listed, wheels)
    listed.write_text("\n".join(wanted[name] for name in wanted if name not in SOURCE_ONLY))
    systems = [f"--platform={each}_{platform.machine()}" for each in PLATFORMS]
    for python in pythons:
        only = ("--only-binary=:all:", f"--python-version={python}")
        _pip("download", listed, wheels, *only, *systems)
    listed.unlink()


def complete(target: Path, wheel: Path) -> None:
    """Put beside the gathered wheels ours, what install.sh lays out, and SHA256SUMS of it all."""
    for old in (target / "wheels").glob("couachgpt-*.whl"):
        old.unlink()
    shutil.copy2(wheel, target / "wheels")
    pinned = [entry.split(" \\\n")[0] for entry in requirements().values()]
    (target / "requirements.txt").write_text("".join(f"{each}\n" for each in pinned))
    for part in PARTS:
        whole = ROOT / part
        if whole.is_dir():
            shutil.rmtree(target / part, ignore_errors=True)
            shutil.copytree(whole, target / part)
        else:
            shutil.copy2(whole, target / part)
    terminal.write(target / "share")
    write_sums(target)


def _pip(verb: str, listed: Path, wheels: Path, *more: str) -> None:
    where = "--wheel-dir" if verb == "wheel" else "--dest"
    common = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
    subprocess.run(  # noqa: S603 -- pip, with what the lock says
        [sys.executable, "-m", "pip", verb, *common, "-r", listed, where, wheels, *more], check=True
    )


def write_sums(target: Path) -> None:
    """List every file with its hash, in the form of sha256sum, in an order that never changes."""
    (target / "SHA256SUMS").unlink(missing_ok=True)
    files = sorted(path.relative_to(target) for path in target.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256((target / each).read_bytes()).hexdigest()}  {each}\n" for each in files
    ]
    (target / "SHA256SUMS").write_text("".join(lines))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("requirements", help="print what a server needs of the lock, with hashes")
    whole = verbs.add_parser("bundle", help="make the folder that install.sh --offline takes")
    whole.add_argument("target", type=Path)
    whole.add_argument("wheel", type=Path)
    whole.add_argument("--python", action="append", choices=PYTHONS, help="default: all of them")
    arguments = parser.parse_args()
    if arguments.verb == "requirements":
        print("\n".join(requirements().values()))
        return 0
    gather(arguments.target / "wheels", tuple(arguments.python or PYTHONS))
    complete(arguments.target, arguments.wheel)
    size = sum(each.stat().st_size for each in arguments.target.rglob("*")) / 1e6
    print(f"{arguments.target}: {size:.0f} MB; on the server: sh install.sh")
    return 0


if __name__ == "__main__":
    sys.exit(main())
