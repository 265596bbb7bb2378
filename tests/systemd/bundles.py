"""Bundles for install.sh: the checkout's own, and variants of it as later versions would be."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from scripts import bundle
from tests.conftest import ROOT
from tests.systemd.sandboxed import SOURCE

# Below the checkout, which the sandbox shows; what comes from the registry is kept between runs.
FOLDER = ROOT / ".cache" / "bundles"


def inside(path: Path) -> Path:
    """Return where the sandbox sees a file of the checkout."""
    return SOURCE / path.relative_to(ROOT)


def own() -> Path:
    """Return the bundle of the checkout as it is, for the Python of the sandbox's system alone."""
    target = FOLDER / "own"
    system = Path(os.environ.get("SANDBOX_ROOT", "/"))
    version = (system / "usr/bin/python3").resolve().name.removeprefix("python")
    wanted = "\n".join([version, *bundle.requirements().values(), bundle.lock_entries()["pip"]])
    mark = FOLDER / "gathered"
    key = hashlib.sha256(wanted.encode()).hexdigest()
    if not mark.exists() or mark.read_text() != key:
        bundle.gather(target / "wheels", (version,))
        mark.write_text(key)
    built = FOLDER / "built"
    shutil.rmtree(built, ignore_errors=True)
    program = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(built), str(ROOT)]
    subprocess.run([*program, *options], check=True)
    bundle.complete(target, next(built.glob("*.whl")))
    return target


def variant(of: Path, version: str, files: Mapping[str, str], default: str = "") -> Path:
    """Return a bundle like this one, as `version`, with these files of the package added to.

    `files` maps a path below couachgptd to the text that follows what is there; `default` is
    what follows the default configuration.
    """
    target = FOLDER / version
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(of, target, copy_function=os.link)
    (old,) = (target / "wheels").glob("couachgpt-*.whl")
    _rebuilt(old, old.with_name(f"couachgpt-{version}-py3-none-any.whl"), version, files)
    old.unlink()
    shipped = target / "etc" / "couachgpt.toml"
    text = shipped.read_text() + default
    shipped.unlink()  # it is a link to the other bundle's
    shipped.write_text(text)
    bundle.write_sums(target)
    return target


def _rebuilt(old: Path, new: Path, version: str, files: Mapping[str, str]) -> None:
    before = old.name.split("-")[1]
    left = {f"couachgptd/{name}": text for name, text in files.items()}
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, "w") as target:
        contents = {name: source.read(name) for name in source.namelist()}
        info = f"couachgpt-{before}.dist-info"
        contents.pop(f"{info}/RECORD")
        for name, text in left.items():
            contents[name] = contents.get(name, b"") + text.encode()
        for name in ("couachgptd/__init__.py", f"{info}/METADATA"):
            contents[name] = contents[name].replace(before.encode(), version.encode(), 1)
        renamed = {
            name.replace(info, f"couachgpt-{version}.dist-info"): content
            for name, content in contents.items()
        }
        record = f"couachgpt-{version}.dist-info/RECORD"
        renamed[record] = "".join(f"{name},,\n" for name in [*renamed, record]).encode()
        for name, content in renamed.items():
            target.writestr(name, content)
