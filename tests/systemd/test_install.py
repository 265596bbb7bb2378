"""install.sh in a booted system, from a bundle, without a network: each way in, up, back and out.

The tests share one sandbox and follow one server's life; each first makes sure of where it begins.
"""

import re
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Certificate, fingerprint, shown_certificate
from tests.systemd import bundles
from tests.systemd.installing import PREFIX, Server, booted
from tests.systemd.sandboxed import eventually
from tests.systemd.service import CONFIG, DATA, SOCKET, UNIT

MANUALS = Path("/usr/local/share/man")

# A migration of a later version.
MIGRATION = 'def up(migrator, db):\n    db.execute_sql("CREATE TABLE later (id INTEGER)")\n'


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with booted("install") as running:
        yield running


@pytest.fixture
def bare(server: Server, bundle: Path) -> Server:
    if server.is_installed:
        done = server.install(bundle, "--uninstall", "--purge")
        assert done.returncode == 0, done.stderr
    return server


@pytest.fixture
def installed(server: Server, bundle: Path) -> Server:
    """Return the server with the checkout's version in service, and claire on it."""
    if not server.is_installed or server.release() != "0.1.0-1":
        if server.is_installed:
            server.install(bundle, "--uninstall", "--purge")
        done = server.install(bundle)
        assert done.returncode == 0, done.stdout + done.stderr
    if "claire" not in server.people():
        server.add_user("claire")
    return server


# --- before it is installed -----------------------------------------------------------------------


def test_a_dry_run_says_what_it_would_do_and_does_nothing(bare: Server, bundle: Path) -> None:
    before = bare.files()

    done = bare.install(bundle, "--dry-run", "--tls")

    assert (done.returncode, done.stderr) == (0, "")
    assert f"writes {CONFIG}" in done.stdout
    assert f"writes /etc/systemd/system/{UNIT}" in done.stdout
    assert bare.files() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--sideways"], "unknown option: --sideways"),
        (["--engine", "vllm"], "--engine: ollama or embedded"),
        (["--engine", "ollama"], "Ollama is not installed"),
        (["--offline", "/nowhere"], "/nowhere: no such folder"),
        (["--tls", "/nowhere.crt", "/nowhere.key"], "two readable files"),
        (["--purge"], "--purge goes with --uninstall"),
        (["--rollback"], "there is no version before"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_changed(
    bare: Server, bundle: Path, options: list[str], words: str
) -> None:
    before = bare.files()

    done = bare.install(bundle, *options)

    assert done.returncode == 1
    assert words in done.stderr
    assert bare.files() == before


def test_a_system_that_is_not_supported_is_named(bare: Server, bundle: Path) -> None:
    bare.run("cp", "/etc/os-release", "/tmp/os-release")  # noqa: S108 -- the sandbox's own
    bare.run("sh", "-c", "echo 'ID=fedora VERSION_ID=44' >/usr/lib/os-release")
    try:
        done = bare.install(bundle, language="fr_FR.UTF-8")
        out = bare.install(bundle, "--uninstall")
        back = bare.install(bundle, "--rollback")
    finally:
        bare.run("cp", "/tmp/os-release", "/usr/lib/os-release")  # noqa: S108 -- the same

    assert done.returncode == 1
    assert "ce système (fedora 44) n'est pas pris en charge : Debian 12 ou 13" in done.stderr
    # What was installed before the system became one of those has a way out all the same.
    assert out.returncode == 0, out.stderr
    assert "there is no version before" in back.stderr


def test_a_library_that_the_engine_lacks_is_named(bare: Server, bundle: Path) -> None:
    find = "ldconfig -p | sed -n 's/.*libgomp[.]so[.]1 .*=> //p' | head -n 1"
    library = bare.run("sh", "-c", find).strip()
    bare.run("mv", library, f"{library}.away")
    try:
        done = bare.install(bundle)
    finally:
        bare.run("mv", f"{library}.away", library)

    assert done.returncode == 1
    assert "lacks a library of the system: apt-get install libgomp1" in done.stderr
    assert not bare.is_installed


def test_a_damaged_bundle_is_refused(bare: Server, bundle: Path) -> None:
    damaged = bundles.variant(bundle, "0.1.9", {})
    (damaged / "requirements.txt").unlink()
    (damaged / "requirements.txt").write_text("evil==1.0\n")

    done = bare.install(damaged)

    assert done.returncode == 1
    assert "is damaged: copy it again" in done.stderr
    assert not bare.is_installed


# --- installing -----------------------------------------------------------------------------------


def test_a_fresh_install_serves_https_and_says_what_to_do_next(bare: Server, bundle: Path) -> None:
    done = bare.install(bundle, "--tls")

    assert done.returncode == 0, done.stdout + done.stderr
    said = re.search(r"SHA-256 of cert\.  ([0-9A-F:]+)", done.stdout)
    certificate = bare.root / "etc/couachgpt/tls/server.crt"
    assert said
    assert said[1].replace(":", "").lower() == fingerprint(certificate).hex()
    link = re.search(r"https://(\S+):8294(/setup/\S+)", done.stdout)
    assert link
    assert "To be opened      TCP 8294" in done.stdout
    assert link[1] == bare.run("hostname").strip()
    trusted = ssl.create_default_context(cafile=str(certificate))
    with bare.network():
        page = urllib.request.urlopen(f"https://127.0.0.1:8294{link[2]}", context=trusted)
        with page:
            assert b"<form" in page.read()
    for unit in (UNIT, SOCKET):
        assert bare.show(unit, "ActiveState") == "active"
        assert bare.show(unit, "UnitFileState") == "enabled"
    key = bare.run("stat", "-c", "%a %U:%G", "/etc/couachgpt/tls/server.key").strip()
    assert key == "640 root:couachgpt"
    assert bare.run("stat", "-c", "%a %U:%G", CONFIG).strip() == "640 root:couachgpt"
    assert 'kind = "embedded"' in bare.read(CONFIG)
    assert f'public_url = "https://{link[1]}:8294"' in bare.read(CONFIG)
    assert "rollback" in bare.run("cat", MANUALS / "man1/couachgptctl.1")
    assert "public_url" in bare.run("cat", MANUALS / "man5/couachgpt.toml.5")
    for group in ("couachgpt", "couachgpt-admin", "couachgpt-monitor"):
        bare.run("getent", "group", group)
    bare.install(bundle, "--uninstall", "--purge")


@pytest.mark.soak
def test_a_certificate_of_ones_own_is_renewed_without_a_restart(
    bare: Server, bundle: Path, tmp_path: Path
) -> None:
    def brought() -> Certificate:
        made = Certificate(tmp_path)
        bare.write(Path("/root/chat.crt"), made.certificate.read_text())
        bare.write(Path("/root/chat.key"), made.key.read_text(), 0o600)
        return made

    first = brought()
    done = bare.install(bundle, "--tls", "/root/chat.crt", "/root/chat.key")
    assert done.returncode == 0, done.stdout + done.stderr
    pid = bare.show(UNIT, "MainPID")
    with bare.network():
        assert shown_certificate(8294) == first.fingerprint

    second = brought()
    again = bare.install(bundle, "--tls", "/root/chat.crt", "/root/chat.key")

    assert again.returncode == 0, again.stderr
    with bare.network():
        eventually(lambda: shown_certificate(8294) == second.fingerprint)
    assert bare.show(UNIT, "MainPID") == pid
    bare.install(bundle, "--uninstall", "--purge")


@pytest.mark.soak
def test_a_key_gets_the_certificate_it_lacks_and_both_are_renewed_when_deleted(
    bare: Server, bundle: Path, tmp_path: Path
) -> None:
    key = Certificate(tmp_path).key.read_text()
    folder = Path("/etc/couachgpt/tls")
    bare.write(folder / "server.key", key, 0o600)

    done = bare.install(bundle, "--tls")

    assert done.returncode == 0, done.stdout + done.stderr
    assert bare.read(folder / "server.key") == key
    with bare.network():
        first = shown_certificate(8294)
    assert first == fingerprint(bare.root / "etc/couachgpt/tls/server.crt")
    pid = bare.show(UNIT, "MainPID")

    bare.run("rm", folder / "server.crt", folder / "server.key")
    bare.run("sh", PREFIX / "current/share/couachgpt/install.sh", "--tls")

    with bare.network():
        eventually(lambda: shown_certificate(8294) != first)
    assert bare.show(UNIT, "MainPID") == pid
    bare.install(bundle, "--uninstall", "--purge")


def test_a_second_run_changes_nothing_and_disturbs_nobody(installed: Server, bundle: Path) -> None:
    before = installed.files("/etc", "/opt", "/usr/local"), installed.show(UNIT, "MainPID")

    done = installed.install(bundle)

    assert done.returncode == 0, done.stderr
    assert (
        installed.files("/etc", "/opt", "/usr/local"),
        installed.show(UNIT, "MainPID"),
    ) == before


def test_an_operator_needs_only_the_group(installed: Server) -> None:
    installed.run("useradd", "--groups", "couachgpt-admin", "olivier")
    try:
        done = installed.run_as("olivier", "couachgptctl", "user", "ls")
    finally:
        installed.run("userdel", "olivier")

    assert done.returncode == 0, done.stderr
    assert "claire" in done.stdout


@pytest.mark.soak
def test_settings_are_never_overwritten_and_what_is_to_be_written_is_said(
    installed: Server, bundle: Path
) -> None:
    before = installed.read(CONFIG)

    done = installed.install(bundle, "--tls", language="fr_FR.UTF-8")

    assert done.returncode == 0, done.stderr
    assert 'Écrivez-y, sous [server] :\n    tls_certificate = "/etc/couachgpt/tls/server.crt"' in (
        done.stderr
    )
    assert installed.read(CONFIG) == before
    installed.run("rm", "-r", "/etc/couachgpt")


@pytest.mark.soak
def test_ollama_is_used_where_it_is_and_polkit_missed_where_it_is_not(
    bare: Server, bundle: Path
) -> None:
    unit = Path("/etc/systemd/system/ollama.service")
    bare.write(unit, "[Service]\nExecStart=/bin/sleep infinity\n")
    bare.run("mv", "/etc/polkit-1", "/etc/polkit-1.away")
    try:
        without = bare.install(bundle)
        assert without.returncode == 0, without.stderr
        assert 'kind = "ollama"' in bare.read(CONFIG)
        assert "polkit is not installed: CouachGPT will not be able to restart Ollama" in (
            without.stderr
        )
        bare.run("mv", "/etc/polkit-1.away", "/etc/polkit-1")
        # As told, once polkit is there; the bundle may be gone by then.
        again = bare.run("sh", PREFIX / "current/share/couachgpt/install.sh")
        assert "writes /etc/polkit-1/rules.d/couachgpt.rules" in again
        bare.run("test", "-f", f"{unit}.d/couachgpt.conf")
    finally:
        bare.attempt("mv", "-T", "/etc/polkit-1.away", "/etc/polkit-1")
        bare.install(bundle, "--uninstall", "--purge")
        bare.run("rm", unit)
    assert bare.attempt("test", "-e", f"{unit}.d").returncode == 1


# --- upgrading, and back --------------------------------------------------------------------------


def test_an_upgrade_keeps_data_and_settings_and_goes_back_when_asked(
    installed: Server, bundle: Path
) -> None:
    later = bundles.variant(
        bundle, "0.2.0", {"storage/migrations/0900_later.py": MIGRATION}, "# What is new.\n"
    )
    before = installed.read(CONFIG)

    up = installed.install(later)

    assert up.returncode == 0, up.stdout + up.stderr
    assert (installed.version(), installed.release()) == ("0.2.0", "0.2.0-1")
    assert "claire" in installed.people()
    assert installed.read(CONFIG) == before
    assert installed.read(CONFIG.with_name("couachgpt.toml.new")).endswith("# What is new.\n")

    installed.add_user("zoe")
    pid = installed.show(UNIT, "MainPID")
    refused = installed.rollback()
    assert installed.show(UNIT, "MainPID") == pid
    assert refused.returncode == 1
    assert "--yes agrees to take the database from before the upgrade" in refused.stderr
    assert (installed.version(), installed.people()) == ("0.2.0", {"claire", "zoe"})

    back = installed.rollback("--yes")

    assert back.returncode == 0, back.stdout + back.stderr
    assert (installed.version(), installed.people()) == ("0.1.0", {"claire"})
    assert installed.release("previous") == "0.2.0-1"
    (kept,) = re.findall(rf"today's database is kept in ({DATA}/set-aside/\S+);", back.stdout)

    again = installed.install(later)

    assert again.returncode == 0, again.stdout + again.stderr
    installed.run("test", "-s", f"{kept}/couachgpt.db")


@pytest.mark.soak
@pytest.mark.parametrize(
    "files", [{}, {"storage/migrations/0900_later.py": MIGRATION}], ids=["same", "older"]
)
def test_the_way_back_takes_no_room(installed: Server, bundle: Path, files: dict[str, str]) -> None:
    later = bundles.variant(bundle, "0.2.3", files)
    with installed.small_disk("90m"):
        installed.add_user("bruno")
        up = installed.install(later)
        assert up.returncode == 0, up.stdout + up.stderr
        installed.fill_disk(DATA / "full", but="512K")

        back = installed.rollback("--yes")

        assert back.returncode == 0, back.stdout + back.stderr
        assert (installed.version(), installed.people()) == ("0.1.0", {"bruno"})
        assert installed.release() == "0.1.0-1"


@pytest.mark.soak
def test_a_way_back_that_fails_undoes_itself(installed: Server, bundle: Path) -> None:
    later = bundles.variant(bundle, "0.2.2", {"storage/migrations/0900_later.py": MIGRATION})
    up = installed.install(later)
    assert up.returncode == 0, up.stdout + up.stderr
    installed.add_user("zoe")
    pages = f"{PREFIX}/previous/lib/python3*/site-packages/couachgptd/http/pages.py"
    broken = "def render(*_, **__): raise OSError"
    installed.run("sh", "-c", f"echo '{broken}' | tee -a {pages}")

    back = installed.rollback("--yes")

    assert back.returncode == 1
    assert "the version before does not answer" in back.stderr
    assert "The version before is in service again, with its data." in back.stderr
    assert (installed.version(), installed.people()) == ("0.2.2", {"claire", "zoe"})
    assert installed.release() == "0.2.2-1"
    assert installed.release("previous") == "0.1.0-1"


@pytest.mark.parametrize(
    ("version", "files", "words"),
    [
        (
            "0.3.0",
            {"storage/migrations/0900_later.py": "def up(migrator, db):\n    raise OSError\n"},
            "the new version cannot take this database",
        ),
        (
            "0.3.1",
            {
                "storage/migrations/0900_later.py": MIGRATION,
                "daemon.py": "\nasync def run(config, *_):\n"
                "    async with opened_store(config.storage.directory):\n"
                "        raise OSError('it does not start')\n",
            },
            "the new version does not answer",
        ),
        (
            "0.3.2",
            {
                "storage/migrations/0900_later.py": MIGRATION,
                "http/pages.py": "\ndef render(*_, **__):\n    raise OSError('no page')\n",
            },
            "the new version does not answer",
        ),
    ],
    ids=["migration", "start", "page"],
)
def test_an_upgrade_that_fails_undoes_itself(
    installed: Server, bundle: Path, version: str, files: dict[str, str], words: str
) -> None:
    before = installed.files("/etc", "/usr/local"), installed.release()
    releases = installed.run("ls", PREFIX / "releases")

    done = installed.install(bundles.variant(bundle, version, files))

    assert done.returncode == 1
    assert words in done.stderr
    assert "The version before is in service again, with its data." in done.stderr
    assert (installed.files("/etc", "/usr/local"), installed.release()) == before
    assert installed.run("ls", PREFIX / "releases") == releases
    assert installed.version() == "0.1.0"
    assert "claire" in installed.people()
    assert installed.show(UNIT, "ActiveState") == "active"


@pytest.mark.soak
def test_an_upgrade_that_is_interrupted_undoes_itself(installed: Server, bundle: Path) -> None:
    endless = bundles.variant(
        bundle,
        "0.4.0",
        {"daemon.py": "\nasync def run(config, *_):\n    await asyncio.sleep(3600)\n"},
    )
    program = bundles.inside(endless) / "install.sh"
    installed.run("systemd-run", "--unit=upgrading", "--property=KillMode=process", "sh", program)
    eventually(lambda: installed.release() == "0.4.0-1")

    installed.run("systemctl", "kill", "--kill-whom=main", "--signal=TERM", "upgrading")
    installed.run("sh", "-c", "systemctl kill --signal=KILL couachgptd; true")
    eventually(lambda: installed.show("upgrading.service", "ActiveState") != "active")

    assert installed.release() == "0.1.0-1"
    assert installed.version() == "0.1.0"
    assert "claire" in installed.people()


@pytest.mark.soak
def test_a_failed_upgrade_on_a_full_disk_loses_nothing(installed: Server, bundle: Path) -> None:
    full = bundles.variant(
        bundle,
        "0.4.1",
        {
            "daemon.py": "\nasync def run(config, *_):\n"
            "    folder = config.storage.directory\n"
            "    (folder / 'couachgpt.db').write_bytes(b'')\n"
            "    with (folder / 'full').open('wb') as file:\n"
            "        while True:\n"
            "            file.write(bytes(65536))\n"
        },
    )
    with installed.small_disk("90m"):
        installed.add_user("bruno")

        done = installed.install(full)

        assert "the new version does not answer" in done.stderr
        installed.run("rm", DATA / "full")
        installed.run("systemctl", "reset-failed", SOCKET, UNIT)
        installed.run("systemctl", "start", SOCKET, UNIT)

        assert installed.release() == "0.1.0-1"
        assert installed.people() == {"bruno"}


def test_root_follows_no_link_of_the_daemons_user(installed: Server, bundle: Path) -> None:
    installed.run("systemctl", "stop", "couachgptd.socket", UNIT)
    secret = Path("/root/secret")
    installed.write(secret, "root's own", 0o600)
    installed.run("mkdir", "/root/folder")
    installed.write(Path("/root/folder/couachgpt.db"), "root's, too")
    owner = installed.run("stat", "-c", "%U", secret, "/root/folder")
    laid = f"""
        ln -sf {secret} {DATA}/couachgpt.db-wal
        rm -rf {DATA}/upgrade/trial
        mkdir -p {DATA}/upgrade
        ln -sfn /root/folder {DATA}/upgrade/trial
    """
    done = installed.run_as("couachgpt", "sh", "-ec", laid)
    assert done.returncode == 0, done.stderr

    refused = installed.install(bundles.variant(bundle, "0.4.2", {}))
    installed.run("rm", "-f", DATA / "couachgpt.db-wal")
    done = installed.install(bundles.variant(bundle, "0.4.3", {}))

    assert refused.returncode == 1
    assert done.returncode == 0, done.stderr
    copies = installed.attempt("grep", "-r", "-l", "root's own", DATA)
    assert copies.stdout == ""
    assert installed.run("stat", "-c", "%U", secret, "/root/folder") == owner
    assert installed.read(Path("/root/folder/couachgpt.db")) == "root's, too"
    installed.run("rm", "-r", secret, "/root/folder")


def test_no_module_of_the_current_folder_is_run(installed: Server, bundle: Path) -> None:
    trap = "import pathlib\npathlib.Path('/root/trapped').touch()\nraise SystemExit('trapped')\n"
    for name in ("ssl", "http", "venv", "couachgptd", "ensurepip"):
        installed.write(Path("/home/trap") / f"{name}.py", trap)
    program = bundles.inside(bundles.variant(bundle, "0.4.4", {})) / "install.sh"
    script = f"cd /home/trap; sh {program}"

    done = installed.attempt("env", "PYTHONPATH=/home/trap", "sh", "-c", script)

    assert done.returncode == 0, done.stdout + done.stderr
    assert installed.attempt("test", "-e", "/root/trapped").returncode == 1
    installed.run("rm", "-r", "/home/trap")


# --- mending --------------------------------------------------------------------------------------


@pytest.mark.soak
def test_a_first_install_that_died_is_done_by_running_it_again(bare: Server, bundle: Path) -> None:
    bare.run("mkdir", "-p", PREFIX / "releases/0.1.0-1/share/couachgpt")

    done = bare.install(bundle)

    assert done.returncode == 0, done.stdout + done.stderr
    assert bare.version() == "0.1.0"
    bare.install(bundle, "--uninstall", "--purge")


@pytest.mark.soak
def test_a_release_whose_python_is_gone_is_mended_by_running_it_again(
    installed: Server, bundle: Path
) -> None:
    there = "for each in lib/python3*; do mv $each lib/python3.0; done"
    installed.run("sh", "-c", f"cd {PREFIX}/current/ && {there}")

    done = installed.install(bundle)

    assert done.returncode == 0, done.stdout + done.stderr
    assert installed.release() == "0.1.0-2"
    assert "claire" in installed.people()
    assert installed.show(UNIT, "ActiveState") == "active"


# --- out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["/srv", "/home/claire", "/srv/other", "/var/lib"])
def test_a_purge_takes_no_folder_that_is_not_ours(
    installed: Server, bundle: Path, folder: str
) -> None:
    before = installed.read(CONFIG)
    installed.run("sed", "-i", f's|^data_dir = .*|data_dir = "{folder}"|', CONFIG)
    installed.run("mkdir", "-p", folder)
    try:
        done = installed.install(bundle, "--uninstall", "--purge")
    finally:
        installed.run("sh", "-c", f"cat >{CONFIG} <<'END'\n{before}END\n")

    assert done.returncode == 1
    assert f"names {folder} as the data's folder" in done.stderr
    installed.run("test", "-d", folder)
    assert "claire" in installed.people()


def test_uninstalling_leaves_the_data_alone_and_a_purge_nothing_at_all(
    bare: Server, bundle: Path
) -> None:
    before = bare.names()
    accounts = bare.run("getent", "passwd"), bare.run("getent", "group")
    bare.install(bundle, "--tls")
    bare.add_user("claire")

    out = bare.install(bundle, "--uninstall")

    assert out.returncode == 0, out.stderr
    left = {each for each in bare.names() - before if not each.startswith(f"{DATA}/")}
    kept = {str(DATA), str(CONFIG), "/etc/couachgpt", "/etc/couachgpt/tls"}
    kept |= {f"/etc/couachgpt/tls/server.{end}" for end in ("crt", "key")}
    assert left - BOOKKEEPING == kept
    again = bare.install(bundle)
    assert again.returncode == 0, again.stderr
    assert bare.people() == {"claire"}

    purged = bare.install(bundle, "--uninstall", "--purge")

    assert purged.returncode == 0, purged.stderr
    assert bare.names() - before - BOOKKEEPING == set()
    assert (bare.run("getent", "passwd"), bare.run("getent", "group")) == accounts
    assert bare.show(UNIT, "LoadState") == "not-found"


# What the system keeps of its own: copies of its lists of accounts, who was enabled when, and
# folders that others put their files into as well.
BOOKKEEPING = {
    *(f"/etc/{name}-" for name in ("passwd", "shadow", "group", "gshadow")),
    "/etc/systemd/system/sockets.target.wants",
    "/etc/sysusers.d",
    "/usr/local/share/bash-completion",
    "/usr/local/share/bash-completion/completions",
    "/usr/local/share/man/man1",
    "/usr/local/share/man/man5",
}
