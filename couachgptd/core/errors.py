"""What can go wrong, each with a stable code; the text that people read is chosen at the edges."""

from collections.abc import Mapping
from typing import Any


class CouachError(Exception):
    """Base of every error that is an answer, not a bug.

    `code` is stable and documented; `fields` are JSON values for the message shown to people.
    """

    code = "internal_error"

    def __init__(self, **fields: Any) -> None:
        super().__init__(self.code, fields)
        self.fields = fields

    def __str__(self) -> str:
        detail = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"{self.code} ({detail})" if detail else self.code


# --- what a person asked for -------------------------------------------------------------------


class NotFound(CouachError):
    """Also for what exists but belongs to somebody else: it must not be told apart."""

    code = "not_found"


class TurnNotFound(NotFound):
    """This answer has ended, or never was."""

    code = "turn_not_found"


class NotAllowed(CouachError):
    code = "not_allowed"


class BadRequest(CouachError):
    """A message that is not of the protocol's form. Fields: `reason`."""

    code = "bad_request"


class OptionInvalid(CouachError):
    """An option of a model is out of its bounds. Fields: `name`, `least`, `most`."""

    code = "option_invalid"


class MessageEmpty(CouachError):
    code = "message_empty"


class MessageTooLong(CouachError):
    """A question that alone does not fit the context. Fields: `tokens`, `limit_tokens`."""

    code = "message_too_long"


class TitleInvalid(CouachError):
    """A title that says nothing, or too much. Fields: `max_length`."""

    code = "title_invalid"


class TurnRunning(CouachError):
    """This conversation already has an answer being made."""

    code = "turn_running"


class QueueFull(CouachError):
    """Fields: `waiting`."""

    code = "queue_full"


class TooManyConnections(CouachError):
    """This user of the machine, or all but root together, hold as many as the socket gives them."""

    code = "too_many_connections"


# --- accounts ----------------------------------------------------------------------------------


class LoginTaken(CouachError):
    code = "login_taken"


class LoginInvalid(CouachError):
    """Fields: `min_length`, `max_length`."""

    code = "login_invalid"


class PasswordTooShort(CouachError):
    """Fields: `min_length`."""

    code = "password_too_short"


class PasswordTooLong(CouachError):
    """Fields: `max_length`."""

    code = "password_too_long"


class PasswordsDiffer(CouachError):
    code = "passwords_differ"


class WrongPassword(CouachError):
    """Also for an unknown login: the answer must not tell which names exist."""

    code = "wrong_password"


class PasswordNeeded(CouachError):
    """What is asked for is dangerous: the page asks for the password again first."""

    code = "password_needed"


class AccountPending(CouachError):
    code = "account_pending"


class AccountSuspended(CouachError):
    code = "account_suspended"


class RegistrationClosed(CouachError):
    code = "registration_closed"


class TooManyAttempts(CouachError):
    """Fields: `retry_seconds`."""

    code = "too_many_attempts"


class SetupLinkInvalid(CouachError):
    code = "setup_link_invalid"


class ConfigInvalid(CouachError):
    """The configuration file has a mistake; nothing was changed. Fields: `reason`."""

    code = "config_invalid"


class LogUnavailable(CouachError):
    """The engine's log is kept elsewhere, or nowhere because it may hold what people wrote."""

    code = "log_unavailable"


class RestartUnavailable(CouachError):
    """Nobody would start the daemon again: no service manager runs it."""

    code = "restart_unavailable"


class SetupDone(CouachError):
    """There is an administrator already: the link that makes the first one is made no more."""

    code = "setup_done"


class LinkInvalid(CouachError):
    """A link to set a password, or an invitation."""

    code = "link_invalid"


class LastAdministrator(CouachError):
    """Without this person nobody could administer."""

    code = "last_administrator"


class FormExpired(CouachError):
    """The form's token is missing or old, or the request came from another site."""

    code = "form_expired"


# --- untrusted work ----------------------------------------------------------------------------


class SandboxMissing(CouachError):
    """Nothing here can shut untrusted work in, so it was not done at all."""

    code = "sandbox_missing"


class SandboxFailed(CouachError):
    """The work did not come to its end, for want of time or memory, or else. Fields: `reason`."""

    code = "sandbox_failed"


class FileRefused(CouachError):
    """Somebody's file is not what it must be, by the word of the job. Fields: `reason`."""

    code = "file_refused"


# --- the engine --------------------------------------------------------------------------------


class EngineError(CouachError):
    """Any failure of the engine."""

    code = "engine_failed"


class EngineUnavailable(EngineError):
    """Nothing answers at the engine's address. Fields: `address`."""

    code = "engine_unavailable"


class EngineMissing(EngineError):
    """The embedded engine is not installed. Fields: `reason`."""

    code = "engine_missing"


class EngineNotControlled(EngineError):
    """The engine could not be started, stopped or restarted. Fields: `reason`."""

    code = "engine_not_controlled"


class EngineStopped(EngineError):
    """A person stopped the engine; it is not used before a person starts it."""

    code = "engine_stopped"


class EnginePortTaken(EngineError):
    code = "engine_port_taken"


class EngineCpuUnsupported(EngineError):
    """The engine was built for another CPU (SIGILL)."""

    code = "engine_cpu_unsupported"


class EngineKilled(EngineError):
    """The engine's process was killed, most often for want of memory. Fields: `signal`."""

    code = "engine_killed"


class EngineOutOfMemory(EngineError):
    """The engine was killed for want of memory while it answered."""

    code = "engine_out_of_memory"


class EngineBusy(EngineError):
    """The engine refuses more requests than it has slots for (503)."""

    code = "engine_busy"


class EngineTimeout(EngineError):
    """A deadline of ours passed. Fields: `phase`, `seconds`."""

    code = "engine_timeout"


class QuestionQuarantined(EngineError):
    """The engine hung or died twice at this question: it is not tried again by itself."""

    code = "question_quarantined"


class AnswerInterrupted(EngineError):
    """The stream ended without its closing frame: what came is kept. Fields: `reason`."""

    code = "answer_interrupted"


class EngineRejected(EngineError):
    """The engine refused the request or reported an error of its own. Fields: `reason`."""

    code = "engine_rejected"


class ContextExceeded(EngineError):
    """Fields: `tokens`, `limit_tokens`."""

    code = "context_exceeded"


class ModelMissing(EngineError):
    """Fields: `model`."""

    code = "model_missing"


class ModelBroken(EngineError):
    """The model's file is truncated or not a model. Fields: `model`, `reason`."""

    code = "model_broken"


class ModelQuarantined(EngineError):
    """It failed to load too often; another file, or a reset, offers it again. Fields: `model`."""

    code = "model_quarantined"


class ModelHidden(EngineError):
    """An administrator offers it to others only. Fields: `model`."""

    code = "model_hidden"


class ModelTooLarge(EngineError):
    """Fields: `model`, `needed_bytes`, `total_bytes`, `fitting_context_tokens` (`core.memory`)."""

    code = "model_too_large"


class NoModel(EngineError):
    """The engine has no model at all."""

    code = "no_model"


# --- the store ---------------------------------------------------------------------------------


class StoreError(CouachError):
    """The daemon cannot keep anything. Fields: `path`, `reason`."""

    code = "store_failed"


class StoreMissing(StoreError):
    code = "store_missing"


class StoreReadOnly(StoreError):
    code = "store_read_only"


class StoreCorrupt(StoreError):
    code = "store_corrupt"


class StoreTooNew(StoreError):
    """Made by a newer version. Fields: `path`, `unknown` (names of its migrations)."""

    code = "store_too_new"


class StoreFull(StoreError):
    code = "store_full"


class StoreLocked(StoreError):
    """Another daemon holds this data directory."""

    code = "store_locked"


# --- the daemon ---------------------------------------------------------------------------------


class ServerStopping(CouachError):
    """The daemon is going down: the same request will work in a moment."""

    code = "server_stopping"


class DaemonRestarted(CouachError):
    """The daemon ended in mid-answer: what was written is kept."""

    code = "daemon_restarted"


def named(code: str, fields: Mapping[str, Any]) -> CouachError:
    """Return the error that has this code, as it was raised; a plain one if it is unknown."""
    kinds = [CouachError]
    for kind in kinds:  # grows while it is walked
        kinds += kind.__subclasses__()
    return next((kind for kind in kinds if kind.code == code), CouachError)(**fields)
