"""couachgptctl: run one verb, turn what goes wrong into one line and an exit code."""

import os
import sys

from couachgptd.ctl import exits, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from couachgptd.ctl.failures import CommandFailed


def main(words: list[str] | None = None) -> int:
    """Return the exit code. Nothing that a person can do ends in a traceback."""
    words = sys.argv[1:] if words is None else words
    try:
        try:
            code = _run(words)
            sys.stdout.flush()
        except SystemExit as leaving:  # argparse, after its help or its error
            sys.stdout.flush()
            code = leaving.code if isinstance(leaving.code, int) else exits.OK
    except BrokenPipeError:  # the reader of our pipe has seen enough
        _forget_output()
        code = exits.OK
    except KeyboardInterrupt:
        code = exits.INTERRUPTED
    return code


def _run(words: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if words == ["--version"]:  # needs none of what follows
        from couachgptd import __version__

        print(f"couachgptctl {__version__}")
        return exits.OK
    texts.use_locale()
    arguments: Namespace | None = None
    try:
        from couachgptd.ctl.arguments import parse

        arguments = parse(words)
        code: int = arguments.run(arguments)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the edge: whatever it is becomes one line
        return _report(error, words, as_json=arguments is not None and arguments.json)
    return code


def _report(error: Exception, words: list[str], *, as_json: bool) -> int:
    from couachgptd.ctl import failures

    failure = failures.explain(error)
    if "--debug" in words:
        import traceback

        traceback.print_exception(error)
    if failure is None:
        kind = type(error).__name__
        failure = failures.CommandFailed(
            texts._("Unexpected error: {reason}").format(reason=f"{kind}: {error}"),
            hint=texts._("--debug shows where it comes from."),
            code="unexpected",
        )
    _show(failure, as_json=as_json)
    return failure.exit_code


def _show(failure: "CommandFailed", *, as_json: bool) -> None:
    """Say it on standard error, which keeps standard output for results alone."""
    from couachgptd.ctl import render

    if as_json:
        error = {"code": failure.code, "fields": failure.fields, "message": failure.text}
        print(render.as_json({"error": error}, indent=None), file=sys.stderr)
        return
    print(f"{render.red('couachgptctl:', sys.stderr)} {render.safe(failure.text)}", file=sys.stderr)
    if failure.hint:
        print(f"  {failure.hint}", file=sys.stderr)


def _forget_output() -> None:
    """Keep the interpreter from writing once more, and complaining, when it closes."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
