"""couachgptctl ask: one question, its answer written out as it grows."""

import fcntl
import os
import stat
import sys
from contextlib import closing

from couachgptd.ctl import exits, render
from couachgptd.ctl.connection import connected
from couachgptd.ctl.failures import CommandFailed, refused, usage
from couachgptd.ctl.stages import stage
from couachgptd.ctl.texts import _, decimal, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable
    from typing import Any

    from couachgptd.control.shapes import Event


def ask(arguments: "Namespace") -> int:
    question = _question(arguments.text)
    with (
        connected(arguments) as client,
        # Closed also by Ctrl-C and by a reader that leaves: the daemon then stops the turn.
        closing(
            client.ask(question, model=arguments.model, silence_seconds=arguments.timeout)
        ) as events,
    ):
        return _json(events) if arguments.json else _Screen().follow(events)


def _question(words: list[str]) -> str:
    text = " ".join(words)
    if text in ("", "-"):
        if sys.stdin.isatty():
            print(_("Type your question, then Ctrl-D on a line of its own."), file=sys.stderr)
        try:
            text = sys.stdin.buffer.read().decode()
        except UnicodeDecodeError:
            raise usage(_("Standard input is not UTF-8.")) from None
    if not text.strip():
        raise usage(_("The question is empty."))
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of the command line that are no text
        raise usage(_("The question is not UTF-8.")) from None
    return text


def _json(events: "Iterable[Event]") -> int:
    code = exits.OK
    for event in events:
        print(render.as_json(event, indent=None), flush=True)
        if event["type"] == "turn":
            code = exits.FAILED if event["turn"]["state"] in _UNFINISHED else exits.OK
    return code


_UNFINISHED = ("stopped", "interrupted", "failed")


class _Screen:
    """The answer on standard output; what a person wants to know meanwhile on standard error."""

    def __init__(self) -> None:
        self.talks = render.is_terminal(sys.stderr)
        self._stage = ""
        self._last = ""  # the last piece of the answer
        self._thinks = False
        self._is_healing = False
        self._has_answer = False  # something of it is on standard output
        self._file_start = _start_in_file()

    def follow(self, events: "Iterable[Event]") -> int:
        turn: dict[str, Any] = {}
        try:
            for event in events:
                match event["type"]:
                    case "turn":
                        turn = event["turn"]
                        self._show_healing(turn)
                        self._show_stage(turn)
                    case "text":
                        self._show_piece(event.get("kind", "text"), event.get("d", ""))
                    case "rewrite":
                        self._start_anew(event)
        except BaseException:
            self._end_line()
            raise
        self._end_line()
        return self._show_end(turn)

    def _show_stage(self, turn: "dict[str, Any]") -> None:
        text = stage(turn)
        if not self.talks or self._last or self._thinks or not text:
            return
        self._clear()
        self._stage = render.safe(f"{text}…")
        print(f"\r{render.dim(self._stage, sys.stderr)}", end="", file=sys.stderr, flush=True)

    def _show_healing(self, turn: "dict[str, Any]") -> None:
        """Say once that the engine is being restarted; what is written stays until `rewrite`."""
        if not turn.get("is_healing"):
            self._is_healing = False
        elif not self._is_healing:
            self._is_healing = True
            self._leave_line()
            if self.talks:
                text = _(
                    "The engine no longer answers, it is being restarted: the question is kept."
                )
                print(render.dim(text, sys.stderr), file=sys.stderr, flush=True)

    def _start_anew(self, event: "Event") -> None:
        """Let another attempt write: after what was left behind or, in a file, in its place."""
        self._leave_line()
        if self._has_answer and not self._empty_file():
            print(_("(The answer starts anew.)"), file=sys.stderr, flush=True)
        self._has_answer = False
        for kind, text in (("thinking", event.get("thinking")), ("text", event.get("text"))):
            if text:
                self._show_piece(kind, text)

    def _empty_file(self) -> bool:
        """Take the answer out of the file that standard output is; say whether it is one."""
        if self._file_start is None:
            return False
        number = sys.stdout.fileno()
        os.ftruncate(number, self._file_start)
        os.lseek(number, self._file_start, os.SEEK_SET)
        return True

    def _leave_line(self) -> None:
        self._end_line()
        self._last, self._thinks = "", False

    def _show_piece(self, kind: str, piece: str) -> None:
        if kind == "thinking":
            if self.talks:
                self._clear()
                self._thinks = True
                text = render.dim(render.safe(piece), sys.stderr)
                print(text, end="", file=sys.stderr, flush=True)
            return
        if not piece:
            return
        self._clear()
        if self._thinks:
            self._thinks = False
            print("\n", file=sys.stderr, flush=True)
        # A program gets the answer as it is; a terminal only what it cannot obey.
        print(render.safe(piece) if sys.stdout.isatty() else piece, end="", flush=True)
        self._last = piece
        self._has_answer = True

    def _clear(self) -> None:
        if self._stage:
            self._stage = ""
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _end_line(self) -> None:
        self._clear()
        if self._thinks:
            print(file=sys.stderr)
        if self._last and not self._last.endswith("\n"):
            print(flush=True)

    def _show_end(self, turn: "dict[str, Any]") -> int:
        if self.talks and (figures := _figures(turn.get("timings") or {})):
            print(render.dim(figures, sys.stderr), file=sys.stderr)
        match turn.get("state"):
            case "done":
                if turn.get("finish_reason") == "length":
                    print(_("(The answer reached its greatest length.)"), file=sys.stderr)
                return exits.OK
            case "stopped":
                raise CommandFailed(_("The answer was stopped."), code="stopped")
            case _:
                error = turn.get("error") or {}
                raise refused(error.get("code", "answer_interrupted"), error.get("fields") or {})


def _start_in_file() -> int | None:
    """Return where the answer begins in the file that standard output is, None where it is none.

    A file that is only added to is somebody's log: of others' lines nothing may be cut off.
    """
    try:
        number = sys.stdout.fileno()
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return None
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_APPEND:
            return None
        sys.stdout.flush()
        return os.lseek(number, 0, os.SEEK_CUR)
    except (OSError, ValueError):  # it was closed, or is a memory of a test's
        return None


def _figures(timings: "dict[str, Any]") -> str:
    shown = []
    if (tokens := timings.get("answer_tokens")) is not None:
        shown.append(ngettext("{n} token", "{n} tokens", tokens).format(n=tokens))
    if timings.get("tokens_per_second"):
        rate = decimal(timings["tokens_per_second"])
        shown.append(_("{rate} tokens/s").format(rate=rate))
    if timings.get("total_seconds") is not None:
        shown.append(_("{n} s").format(n=decimal(timings["total_seconds"])))
    return ", ".join(shown)
