"""What each failure says to the operator, what they can do about it, and its exit code."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from couachgptd.ctl import exits
from couachgptd.ctl.render import size
from couachgptd.ctl.texts import _, decimal, mark


class CommandFailed(Exception):
    """A command cannot go on. The text says what happened, the hint what to do about it."""

    def __init__(
        self,
        text: str,
        *,
        hint: str = "",
        exit_code: int = exits.FAILED,
        code: str = "failed",
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint
        self.exit_code = exit_code
        self.code = code
        self.fields = dict(fields or {})


def usage(text: str, hint: str = "") -> CommandFailed:
    return CommandFailed(text, hint=hint, exit_code=exits.USAGE, code="usage")


_ASK_STATUS = mark("See `couachgptctl status` and the journal of couachgptd.")

# code -> (what happened, what to do). The codes are those of core/errors.py: a test says so.
TEXTS: Mapping[str, tuple[str, str]] = {
    "internal_error": (mark("Something went wrong in the daemon."), _ASK_STATUS),
    "not_found": (mark("There is no such user."), mark("`couachgptctl user ls` lists them.")),
    "turn_not_found": (
        mark("There is no such answer, or it has ended."),
        mark("`couachgptctl queue ls` lists those that are being written and wait."),
    ),
    "not_allowed": (mark("That is not allowed now."), ""),
    "bad_request": (
        mark("The daemon did not understand: {reason}"),
        mark("Are couachgptctl and couachgptd of the same version?"),
    ),
    "option_invalid": (mark("{name} must be between {least} and {most}."), ""),
    "message_empty": (mark("The question is empty."), ""),
    "title_invalid": (mark("A title has 1 to {max_length} characters."), ""),
    "message_too_long": (
        mark("The question is too long: {tokens} tokens, and {limit_tokens} fit."),
        "",
    ),
    "turn_running": (mark("An answer is already being written."), ""),
    "queue_full": (
        mark("Too many questions are waiting ({waiting})."),
        mark("Try again in a few minutes."),
    ),
    "too_many_connections": (
        mark("Too many connections to the control socket."),
        mark("End what watches it needlessly, or try again in a moment."),
    ),
    "login_taken": (mark("This login is taken."), mark("`couachgptctl user ls` lists them.")),
    "login_invalid": (
        mark(
            "A login has {min_length} to {max_length} characters, no spaces,"
            " and none of / ? # % ; = , < > \" '"
        ),
        "",
    ),
    "password_too_short": (
        mark("The password is too short: at least {min_length} characters."),
        "",
    ),
    "password_too_long": (mark("The password is too long: at most {max_length} characters."), ""),
    "passwords_differ": (mark("The two passwords differ."), ""),
    "wrong_password": (mark("Wrong login or password."), ""),
    "password_needed": (mark("The password must be typed again first."), ""),
    "account_pending": (
        mark("This account waits for approval."),
        mark("`couachgptctl user approve LOGIN` approves it."),
    ),
    "account_suspended": (mark("This account is suspended."), ""),
    "registration_closed": (mark("Registration is closed."), ""),
    "too_many_attempts": (mark("Too many attempts: try again in {retry_seconds} s."), ""),
    "setup_link_invalid": (
        mark("This link is used or too old."),
        mark("`couachgptctl setup-link` makes a new one."),
    ),
    "config_invalid": (
        mark("The configuration cannot be used, and nothing was changed: {reason}"),
        mark("`couachgptctl config check` says when it is right."),
    ),
    "log_unavailable": (
        mark("The engine's log is not kept here."),
        mark("It may hold what people wrote; an engine elsewhere has its own."),
    ),
    "restart_unavailable": (
        mark("Nobody would start the daemon again: it is not run by systemd."),
        mark("End it with `couachgptctl drain`, and start it as you did."),
    ),
    "setup_done": (
        mark("There is an administrator already: the set-up is done."),
        mark("`couachgptctl user add LOGIN --admin` makes another one."),
    ),
    "link_invalid": (mark("This link is used or too old."), ""),
    "last_administrator": (
        mark("This is the last active administrator."),
        mark("`couachgptctl user role LOGIN admin` makes another one first."),
    ),
    "form_expired": (mark("The form is too old."), ""),
    "sandbox_missing": (
        mark("The server has nothing to open a file safely with, so it did not open it."),
        mark("Start couachgpt-sandbox.socket, or install bubblewrap."),
    ),
    "sandbox_failed": (
        mark("The file could not be checked."),
        mark("It may be too complicated: try a simpler one."),
    ),
    "file_refused": (
        mark("The file was refused ({reason})."),
        mark("Take a PNG or SVG picture of 256 KiB at most, without scripts or outside links."),
    ),
    "engine_failed": (mark("The engine failed."), _ASK_STATUS),
    "engine_unavailable": (mark("The engine does not answer."), _ASK_STATUS),
    "engine_missing": (
        mark("The embedded engine is not installed."),
        mark(
            "On a server run install.sh again, which says what is missing;"
            " elsewhere install CouachGPT with its [embedded] dependencies."
        ),
    ),
    "engine_not_controlled": (
        mark("That could not be done to the engine: {why}"),
        mark("`couachgptctl doctor` says what is missing."),
    ),
    "engine_stopped": (
        mark("The engine is stopped, by a person's word."),
        mark("`couachgptctl engine start` starts it."),
    ),
    "engine_port_taken": (mark("Another program has the engine's port."), _ASK_STATUS),
    "engine_cpu_unsupported": (mark("The engine was built for another processor."), ""),
    "engine_killed": (
        mark("The engine was killed, most often for want of memory."),
        mark("Try again, or choose a smaller model."),
    ),
    "engine_out_of_memory": (
        mark("The engine ran out of memory over this question."),
        mark("Shorten it, or choose a smaller model."),
    ),
    "question_quarantined": (
        mark("The engine broke down twice over this question: it is not tried again."),
        mark("Put it another way. `couachgptctl engine incidents` shows what happened."),
    ),
    "engine_busy": (mark("The engine is busy."), mark("Try again in a moment.")),
    "engine_timeout": (mark("The engine made no progress for too long."), _ASK_STATUS),
    "answer_interrupted": (mark("The answer was cut before its end."), _ASK_STATUS),
    "engine_rejected": (mark("The engine refused the request: {reason}"), ""),
    "context_exceeded": (
        mark("Too long for the model: {tokens} tokens, and {limit_tokens} fit."),
        "",
    ),
    "model_missing": (
        mark("There is no model {model}."),
        mark("`couachgptctl model ls` lists them."),
    ),
    "model_broken": (
        mark("The file of the model {model} is damaged."),
        mark("Fetch it again: `couachgptctl model fetch --list` shows the starter models."),
    ),
    "model_quarantined": (
        mark("The model {model} failed to load too often and is set aside."),
        mark("A new file, or `couachgptctl engine reset`, makes it available again."),
    ),
    "model_hidden": (
        mark("The model {model} is offered to others only."),
        mark("`couachgptctl model set {model} --visible-to everyone` offers it to all."),
    ),
    "model_too_large": (
        mark(
            "The model {model} needs {needed_bytes} of memory, and the machine has {total_bytes}."
        ),
        mark(
            "Choose a smaller model, or lower engine.context_tokens"
            " (at most {fitting_context_tokens})."
        ),
    ),
    "no_model": (
        mark("There is no model yet."),
        mark("`couachgptctl model fetch --list` shows the starter models."),
    ),
    "starter_unavailable": (
        mark("There is no starter model {name} for this engine."),
        mark("`couachgptctl model fetch --list` shows them; --models-dir DIR needs no engine."),
    ),
    "fetch_running": (
        mark("A starter model is being fetched already."),
        mark("Try again when it is there."),
    ),
    "fetch_failed": (
        mark("{name} could not be fetched. {reason}"),
        mark("Any GGUF file that you put into the models' folder works as well."),
    ),
    "hash_wrong": (
        mark("What came is not {name}, and was removed."),
        mark("Try again; any GGUF file that you put into the models' folder works as well."),
    ),
    "disk_full": (
        mark("The disk has not enough room for this model."),
        mark("Free some space, then try again: it goes on from where it was."),
    ),
    "disk_failed": (
        mark("{path} cannot be used."),
        mark("The daemon's user must be able to write there."),
    ),
    "store_failed": (mark("The daemon cannot save anything."), _ASK_STATUS),
    "store_missing": (mark("The daemon's data folder is missing."), _ASK_STATUS),
    "store_read_only": (mark("The daemon's data folder is read-only."), _ASK_STATUS),
    "store_corrupt": (mark("The daemon's database is damaged."), _ASK_STATUS),
    "store_too_new": (mark("The daemon's database is of a newer version."), _ASK_STATUS),
    "store_full": (mark("The daemon's disk is full."), ""),
    "store_locked": (mark("Another daemon holds this data folder."), ""),
    "daemon_restarted": (
        mark("The daemon restarted in the middle of the answer."),
        mark("Ask again."),
    ),
    "server_stopping": (mark("The daemon is stopping."), mark("Try again in a moment.")),
}


class _Known(dict[str, Any]):
    """The fields of an error; one that did not come is shown as a question mark."""

    def __missing__(self, key: str) -> str:
        return "?"


def refused(code: str, fields: Mapping[str, Any]) -> CommandFailed:
    """Return the failure for a stable code of the daemon, also for one not known here."""
    text, hint = TEXTS.get(code, (mark("The daemon refused: {code}."), ""))
    shown = _Known(fields, code=code, why=_why(fields.get("reason")))
    for name in fields:
        if name.endswith("_bytes"):
            shown[name] = size(fields[name])
    return CommandFailed(
        _(text).format_map(shown),
        hint=_(hint).format_map(shown) if hint else "",
        code=code,
        fields=fields,
    )


# Why systemd, or the engine, did not do as it was told.
REASONS = {
    "unsupported": mark("it runs elsewhere, or was started by hand"),
    "not_permitted": mark("systemd does not let the daemon's user do it (the polkit rule)"),
    "no_systemd": mark("there is no systemd here"),
    "no_such_unit": mark("there is no unit ollama.service"),
    "unit_masked": mark("ollama.service is masked"),
    "started_too_often": mark("systemd has started it too often: systemctl reset-failed ollama"),
    "timeout": mark("it takes too long; systemd goes on with it"),
    "survives_kill": mark("its process cannot be killed: the kernel holds it"),
    "systemctl_failed": mark("systemctl failed: see journalctl -u ollama"),
}


def _why(reason: object) -> str:
    return _(REASONS[str(reason)]) if reason in REASONS else str(reason)


def why_down(code: str) -> str:
    """Return why the engine is down, in a sentence, for a code that comes without its fields."""
    text = TEXTS.get(code, ("", ""))[0]
    return _(text) if text and "{" not in text else f"{_(TEXTS['engine_failed'][0])} ({code})"


def explain(error: Exception) -> CommandFailed | None:
    """Return what to tell the operator of a failure that was foreseen; None for any other."""
    if isinstance(error, CommandFailed):
        return error
    return _of_client(error) or _of_configuration(error)


def _of_client(error: Exception) -> CommandFailed | None:
    from couachgptd.control import client

    match error:
        case client.DaemonNotRunning():
            return _not_running(str(error.path))
        case client.PermissionRefused():
            return CommandFailed(
                _("You may not use the control socket {path}.").format(path=error.path),
                hint=_("Run it as root or as the daemon's user: sudo couachgptctl …"),
                exit_code=exits.NOT_PERMITTED,
                code="not_permitted",
                fields={"socket": str(error.path)},
            )
        case client.DaemonSilent():
            return CommandFailed(
                _("The daemon did not answer within {seconds} s.").format(
                    seconds=decimal(error.seconds, None)
                ),
                hint=_("What it was asked may still happen. --timeout waits longer."),
                exit_code=exits.TIMED_OUT,
                code="timed_out",
                fields={"seconds": error.seconds},
            )
        case client.BadAnswer():
            return CommandFailed(
                _("The daemon's answer was cut or is not of its kind: {reason}").format(
                    reason=error
                ),
                hint=_(_ASK_STATUS),
                code="bad_answer",
            )
        case client.ControlError():
            return refused(error.code, error.fields)
    return None


def _not_running(path: str) -> CommandFailed:
    from couachgptd import paths

    if path == str(paths.SYSTEM_SOCKET) and Path("/run/systemd/system").is_dir():
        hint = mistake() or _("Start it with: systemctl start couachgptd")
    else:
        hint = _("Start couachgptd, or say where its socket is: --socket PATH")
    return CommandFailed(
        _("couachgptd is not running: nothing listens at {path}.").format(path=path),
        hint=hint,
        exit_code=exits.NOT_RUNNING,
        code="not_running",
        fields={"socket": path},
    )


def mistake() -> str:
    """Return what keeps the system's configuration from being used, as far as we may read it."""
    from couachgptd import config, paths

    if os.access(paths.SYSTEM_CONFIG, os.R_OK):
        try:
            config.load()
        except config.ConfigError as error:
            return str(_of_configuration(error))
    return ""


def _of_configuration(error: Exception) -> CommandFailed | None:
    from couachgptd import config

    if isinstance(error, config.ConfigError):
        return CommandFailed(
            _("The configuration cannot be used: {reason}").format(reason=error),
            code="config_invalid",
        )
    return None
