"""The command line of couachgptctl: every verb and option, and where its work is done."""

from __future__ import annotations

import argparse

from couachgptd import __version__
from couachgptd.ctl.grammar import (
    ask,
    data,
    engine,
    models,
    people,
    queue,
    records,
    release,
    server,
    site,
    status,
)
from couachgptd.ctl.grammar.parser import EVERYWHERE, PROGRAM, Parser, add_everywhere, verbs_of
from couachgptd.ctl.texts import _, ngettext

AREAS = (
    status,
    engine,
    queue,
    models,
    people,
    data,
    site,
    records,
    server,
    release,
    ask,
)  # in the order of the help


def parse(words: list[str]) -> argparse.Namespace:
    """Return the options and `run`, the function of the verb. Exits on help and on mistakes."""
    # argparse looks its own gettext up at each use: this is how it learns our language.
    argparse._ = _  # type: ignore[attr-defined]
    argparse.ngettext = ngettext  # type: ignore[attr-defined]
    return build().parse_args(words, argparse.Namespace(**EVERYWHERE))


def build() -> argparse.ArgumentParser:
    parser = Parser(
        prog=PROGRAM,
        description=_("Operate a CouachGPT server from its own terminal."),
        epilog=_("`couachgptctl VERB --help` says more about a verb."),
    )
    parser.add_argument(
        "--version", action="version", version=f"{PROGRAM} {__version__}",
        help=_("say the version"),
    )  # fmt: skip
    verbs = verbs_of(parser)
    add_everywhere(parser)
    for area in AREAS:
        area.add_to(verbs)
    return parser
