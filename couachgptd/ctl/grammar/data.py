"""The verbs of what is kept: conversations, sessions, the database and its backups."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import add_no_wait, example, group, verb, verbs_below
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_to(verbs: Any) -> None:
    _add_sessions(verbs)
    _add_conversations(verbs)
    _add_backups(_add_database(verbs))


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add what agrees beforehand to what cannot be undone."""
    parser.add_argument("--yes", action="store_true", help=_("do it without asking"))


def _add_sessions(verbs: Any) -> None:
    sessions = group(verbs, "sessions", _("who is logged in"))
    verb(
        sessions, "ls", "couachgptd.ctl.leaving:sessions",
        _("list who is logged in, from where and since when"),
    )  # fmt: skip
    help_text = _("log somebody out; their pages close at once")
    kick = verb(sessions, "kick", "couachgptd.ctl.leaving:kick", help_text)
    which = kick.add_mutually_exclusive_group(required=True)
    which.add_argument("session", metavar="SESSION", nargs="?", help=_("one session, by its id"))
    which.add_argument("--user", metavar="LOGIN", help=_("every session of a person"))


def _add_conversations(verbs: Any) -> None:
    conversations = group(verbs, "conversation", _("delete conversations for good"))
    purge = verb(
        conversations, "purge", "couachgptd.ctl.leaving:purge",
        _("delete one conversation for good, or all of a person"),
        _("Its id is the end of its address, after /c/. It says first how much goes, and asks."),
    )  # fmt: skip
    which = purge.add_mutually_exclusive_group(required=True)
    which.add_argument("conversation", metavar="ID", nargs="?", help=_("one, by its id"))
    which.add_argument("--user", metavar="LOGIN", help=_("all of a person, who stays"))
    add_yes(purge)


def _add_database(verbs: Any) -> Any:
    database = group(verbs, "db", _("back up, restore, check and clean the database"))
    verb(
        database, "show", "couachgptd.ctl.data:show_data",
        _("how large everything is, how long it is kept, when the night's work was done"),
    )  # fmt: skip
    check = verb(
        database, "check", "couachgptd.ctl.data:check",
        _("check the whole database; the chat goes on"),
        _("The exit code is 1 where something is wrong."),
    )  # fmt: skip
    check.add_argument("--quick", action="store_true", help=_("leave out the indexes"))
    verb(
        database, "vacuum", "couachgptd.ctl.data:vacuum",
        _("give the disk back what the database does not use"),
        _(
            "It needs twice the room of the database meanwhile. Answers go on, and are kept once"
            " it is done."
        ),
    )  # fmt: skip
    clean = verb(
        database, "clean", "couachgptd.ctl.data:clean",
        _("delete what is old: run-out sessions and links, and what retention says"),
        _(
            "What retention says is in the configuration. It says first how much of each goes, and"
            " asks. The same is done each night, after the backup."
        ),
    )  # fmt: skip
    clean.add_argument("--dry-run", action="store_true", help=_("only say how much that is"))
    add_yes(clean)
    return database


def _add_backups(database: Any) -> None:
    backup = verb(
        database, "backup", "couachgptd.ctl.data:back_up",
        _("make a backup now and check it; the chat goes on"),
        _(
            "One is made each night as well: of those, 7 daily and 4 weekly ones are kept, of"
            " yours every one."
        ),
    )  # fmt: skip
    below = verbs_below(backup)
    download = verb(
        below, "download", "couachgptd.ctl.data:download",
        _("copy a backup to where you are, for you alone to read"),
        _("Whoever has it has everything that people wrote. What is cut leaves no file.")
        + "\n\n"
        + example("db backup download NAME --output /mnt/usb/"),
    )  # fmt: skip
    download.add_argument("backup", metavar="NAME", help=_("which: `db backups` lists them"))
    download.add_argument(
        "--output", metavar="FILE", help=_("the file or folder (default: its name, here)")
    )
    download.add_argument("--force", action="store_true", help=_("write over a file that is there"))
    remove = verb(
        below, "rm", "couachgptd.ctl.data:delete",
        _("delete a backup for good"),
        example("db backup rm NAME"),
    )  # fmt: skip
    remove.add_argument("backup", metavar="NAME", help=_("which: `db backups` lists them"))
    add_yes(remove)
    verb(database, "backups", "couachgptd.ctl.data:backups", _("list the backups"))
    restore = verb(
        database, "restore", "couachgptd.ctl.data:restore",
        _("put a backup in place of the database, which is kept as a backup itself"),
        _(
            "It is checked first, and refused where it is damaged or of a newer version. The"
            " running daemon restarts with it; where none runs, any file will do. Everybody has to"
            " log in again, and links given out before work no more: what was revoked since the"
            " backup must not come back."
        ),
    )  # fmt: skip
    restore.add_argument(
        "backup", metavar="BACKUP",
        help=_("its name; without a running daemon, any file"),
    )  # fmt: skip
    add_no_wait(restore)
    add_yes(restore)
