"""couachgptctl: run one verb, turn what goes wrong into one line and an exit code."""

import os
import sys

from couachgptd.ctl import exits, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    as_json = "--json" in words  # before they are understood: also of what cannot be
    try:
        from couachgptd.ctl.arguments import parse

        arguments = parse(words)
        as_json = arguments.json
        if arguments.config is not None:
            from couachgptd.ctl.connection import settings

            settings(arguments)  # one that was named must be good, also where nothing of it is used
        code: int = arguments.run(arguments)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the edge: whatever it is becomes one line
        return _report(error, words, as_json=as_json)
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

    sys.stdout.flush()  # what was said before it stands before it, in a pipe or a file, too

    if as_json:
        error = {"code": failure.code, "fields": failure.fields, "message": failure.text}
        print(render.as_json({"error": error}, indent=None), file=sys.stderr)
        return
    print(f"{render.red('couachgptctl:', sys.stderr)} {render.safe(failure.text)}", file=sys.stderr)
    for line in failure.hint.splitlines():
        print(f"  {line}", file=sys.stderr)


def _forget_output() -> None:
    """Keep the interpreter from writing once more, and complaining, when it closes."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
