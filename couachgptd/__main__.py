"""couachgptd: parse arguments, load the configuration, set up the logs, run the daemon."""

import argparse
import asyncio
import faulthandler
import gc
import signal
import sys
from pathlib import Path

from couachgptd import __version__, config, logs, settings, tls
from couachgptd.notify import notify

# Exit codes of sysexits.h, so that systemd and people can tell them apart.
EX_NOINPUT = 66  # there is no such backup
EX_UNAVAILABLE = 69  # the port or the control socket is taken
EX_SOFTWARE = 70
EX_IOERR = 74  # the store cannot be used
EX_CONFIG = 78


def main() -> int:
    arguments = _parser().parse_args()
    try:
        loaded = config.load(arguments.config, arguments.set)
        config.require_logo(loaded.brand)
        tls.context(loaded.server)
    except config.ConfigError as error:
        return _fail(EX_CONFIG, str(error))
    if arguments.check:
        print("ok")
        return 0
    if arguments.ollama_environment:
        print(ollama_environment(loaded))
        return 0
    # systemd's watchdog ends a daemon that hangs with SIGABRT: the journal must say where it hung.
    faulthandler.enable()
    # SIGUSR1 only tells, between two steps of the interpreter. What faulthandler registers looks at
    # threads while they run: a daemon whose threads import died of being asked.
    signal.signal(signal.SIGUSR1, lambda *_: faulthandler.dump_traceback(all_threads=True))
    logs.set_up(loaded.log.level)
    return _run(loaded, arguments)


def _run(loaded: settings.Config, arguments: argparse.Namespace) -> int:
    gc.disable()  # nothing that imports make is garbage
    from couachgptd import daemon
    from couachgptd.configuration import Configuration
    from couachgptd.control.peer import SocketUnusable
    from couachgptd.core.errors import NotFound, StoreError
    from couachgptd.http.assets import AssetsMissing
    from couachgptd.listeners import PortTaken

    # What was imported lives as long as we do: collections need not walk it again and again.
    gc.freeze()
    gc.enable()
    try:
        if arguments.restore is not None:
            return asyncio.run(daemon.restore(loaded, arguments.restore.absolute()))
        if arguments.migrate:
            return asyncio.run(daemon.migrate(loaded))
        configuration = Configuration(loaded, arguments.config, arguments.set)
        return asyncio.run(daemon.run(loaded, configuration))
    except Exception as error:
        cause = error
        while isinstance(cause, ExceptionGroup):  # what runs beside the rest fails in a group
            cause = cause.exceptions[0]
        if isinstance(cause, NotFound):
            return _fail(EX_NOINPUT, f"{arguments.restore}: there is no such file")
        if isinstance(cause, StoreError):
            return _fail(EX_IOERR, store_help(cause.code, cause.fields))
        if isinstance(cause, SocketUnusable | PortTaken):
            return _fail(EX_UNAVAILABLE, str(cause))
        if isinstance(cause, AssetsMissing):
            return _fail(EX_SOFTWARE, str(cause))
        raise


def ollama_environment(loaded: settings.Config) -> str:
    """Return what `ollama.service` must be told, so that it serves as much as we give it."""
    return f"OLLAMA_NUM_PARALLEL={loaded.engine.slots}\nOLLAMA_MAX_LOADED_MODELS=1"


_STORE_HELP = {
    "store_missing": "the data directory is not there and cannot be made; create it, or set"
    " storage.data_dir",
    "store_read_only": "the data directory cannot be written; give it to the daemon's user, or"
    " remount the disk read-write",
    "store_corrupt": "the database is damaged; nothing was changed. Move it away and put a backup"
    " in its place (files named couachgpt.before-*.db lie beside it)",
    "store_too_new": "the database was made by a newer version; nothing was changed. Install that"
    " version again, or restore the backup made before the upgrade",
    "store_full": "the disk is full; free some space and start again",
    "store_locked": "another daemon uses this data directory; stop it first, or set another"
    " storage.data_dir",
}


def store_help(code: str, fields: dict[str, object]) -> str:
    detail = fields.get("reason") or fields.get("unknown")
    return f"{fields.get('path')}: {_STORE_HELP.get(code, 'the store cannot be used')} ({detail})"


def _fail(code: int, text: str) -> int:
    priority = "<3>" if logs.is_journal(logs.STANDARD_ERROR) else ""
    print(f"{priority}couachgptd: {text}", file=sys.stderr)
    notify(f"STATUS=failed: {text}")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="couachgptd", description="The private AI chat that needs no GPU and no cloud."
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="default: /etc/couachgpt.toml")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="override one value of the configuration; may be repeated",
    )
    parser.add_argument("--check", action="store_true", help="check the configuration and exit")
    parser.add_argument(
        "--ollama-environment",
        action="store_true",
        help="print the variables that ollama.service needs, for its drop-in, and exit",
    )
    parser.add_argument(
        "--migrate",
        action="store_true",
        help="bring the database up to this version, check it, and exit",
    )
    parser.add_argument(
        "--restore",
        type=Path,
        metavar="BACKUP",
        help="put a backup in place of the database, keep that as a backup, and exit",
    )
    parser.add_argument("--version", action="version", version=f"couachgptd {__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
