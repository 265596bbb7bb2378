"""What the domain asks of the outside: the engine and the store, as contracts."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, Protocol

from couachgptd.core.attachments import AttachmentStore
from couachgptd.core.choices import NOTHING_CHOSEN, Choices
from couachgptd.core.conversations import Conversation, Message
from couachgptd.core.folders import FolderStore
from couachgptd.core.ids import AttachmentId, ConversationId, MessageId, TurnId, UserId
from couachgptd.core.imports import ImportStore
from couachgptd.core.incidents import Incident
from couachgptd.core.memory import MemoryNeed
from couachgptd.core.model_rules import ModelRules
from couachgptd.core.models import (
    ChatRequest,
    EngineStatus,
    LoadedModel,
    Model,
    Piece,
    PromptMessage,
    PullProgress,
)
from couachgptd.core.people import PeopleStore
from couachgptd.core.portable import PortableStore
from couachgptd.core.presets import PresetStore
from couachgptd.core.ratings import RatingStore
from couachgptd.core.records import RecordStore
from couachgptd.core.saved_prompts import SavedPromptStore
from couachgptd.core.search import Found
from couachgptd.core.shares import ShareStore
from couachgptd.core.shelves import ConversationStore
from couachgptd.core.titles import TitleStore
from couachgptd.core.turns import Turn, TurnSource
from couachgptd.core.vitals import Abilities, Outcome, Vitals


class Engine(Protocol):
    """Ollama or llama.cpp. Every failure is raised as a child of `EngineError`.

    The same contract suite (`tests/contracts/test_engine.py`) runs on each adapter.
    """

    async def status(self) -> EngineStatus:
        """Say whether the engine answers. Never raises, and takes at most about 3 s."""
        ...

    async def models(self) -> list[Model]:
        """List the models that can be used, by name. Raises EngineUnavailable."""
        ...

    async def model(self, name: str) -> Model:
        """Tell all that is known of one model. Raises ModelMissing, EngineUnavailable."""
        ...

    async def loaded(self) -> list[LoadedModel]:
        """List the models in memory; an engine that is down has none."""
        ...

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece]:
        """Stream one answer: Loading and Reading, then Thought and Text, then one Finished.

        The model is loaded if need be. Closing the generator cancels the work in the engine;
        it returns once the connection is closed, not once the CPU is idle. A stream that ends
        without the engine's closing frame raises AnswerInterrupted. A leading `<think>` never
        appears in a Text. Also raises ModelMissing, ModelBroken, ContextExceeded,
        EngineUnavailable, EngineKilled, EngineTimeout, EngineBusy, EngineRejected.
        """
        ...

    async def count_tokens(self, model: str, messages: Sequence[PromptMessage]) -> list[int]:
        """Return what each message takes in the prompt, its share of the template included.

        Exact where the engine has a tokenizer to ask (and the model is loaded), else an
        estimate that errs on the large side. Never loads a model.
        """
        ...

    async def context_tokens(self, model: str) -> int:
        """Return how many tokens one slot holds, prompt and answer together."""
        ...

    async def need(self, model: str, size_bytes: int | None = None) -> MemoryNeed | None:
        """Return what a load of this model would take now; None where nothing tells.

        `size_bytes` is the file's of one that is not there yet. Raises ModelMissing where neither
        is, EngineUnavailable.
        """
        ...

    async def disk_free_bytes(self) -> int | None:
        """Return what is free where the engine keeps its models; None where that is not known."""
        ...

    async def load(self, model: str) -> MemoryNeed | None:
        """Bring the model into memory, the others out, and wait until it is there; twice is once.

        One that is refused leaves the others where they are.
        Returns what it needs where less memory is free: a reason to warn. Where the machine has
        less in all, `load` and `chat` raise ModelTooLarge and load nothing.
        """
        ...

    async def unload(self, model: str) -> None:
        """Drop the model from memory and wait until it is gone; twice is once."""
        ...

    def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        """Download a model, where the engine can; closing the generator cancels it.

        The embedded engine knows those of the catalogue, by their names there.
        """
        ...

    async def delete(self, model: str) -> None:
        """Delete a model's file. Raises ModelMissing."""
        ...

    async def close(self) -> None:
        """Release every connection and process; twice is once."""
        ...


class EngineControl(Protocol):
    """What a watchdog sees of an engine from outside, and may do to it besides cancelling.

    Nothing raises: a probe without an answer, a refused restart, a process that is gone are facts.
    """

    @property
    def abilities(self) -> Abilities: ...

    async def vitals(self, *, with_inventory: bool = True) -> Vitals:
        """Look once, in at most about 4 s; made to be called every 2 to 5 s.

        No probe is sent while an earlier one of its kind is open; rates are since the call before.
        The inventory takes the engine's own locks: ask for it less often while all is well.
        """
        ...

    async def unload(self, model: str) -> Outcome:
        """Have the engine drop a model, in at most 20 s."""
        ...

    async def restart(self) -> Outcome:
        """Restart the engine's processes, however stuck they are, in bounded time.

        Our own child is killed at once and loads again the model that was loaded; a unit is
        restarted by systemd, in at most 60 s. What was being answered ends as AnswerInterrupted.
        """
        ...

    async def start(self) -> Outcome:
        """Have the unit started, in at most 60 s; our own child starts with the next question."""
        ...

    async def stop(self) -> Outcome:
        """Have the engine's processes ended, on a person's word, in at most 60 s."""
        ...

    async def log(self, lines: int) -> list[str] | None:
        """Return the end of the engine's log; None where there is none, or none to be shown."""
        ...

    async def close(self) -> None:
        """Drop the probes that are open; the engine itself is closed by its owner."""
        ...


class Passwords(Protocol):
    """Slow hashes of passwords; both methods take tens of milliseconds of a thread."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Compare; None, for a login that does not exist, takes as long and is never right."""
        ...


class Sandbox(Protocol):
    """Where untrusted work is done: without a network, our files, or more than a little memory."""

    async def run(self, job: str, data: bytes | Path, *, seconds: float) -> bytes:
        """Do a job of the worker's table (`couachgptd/sandbox`), on a file say; return its result.

        The result is to be checked: who takes over the worker writes it. Raises SandboxMissing,
        SandboxFailed, FileRefused.
        """
        ...


class SettingsInForce(Protocol):
    """The configuration, as an operator sees it; both answer in the shapes of docs/control.md."""

    def show(self) -> dict[str, Any]: ...

    def reload(self) -> dict[str, Any]:
        """Read the file again, away from the event loop. Raises ConfigInvalid."""
        ...


class LogTail(Protocol):
    """The end of our own log, line by line."""

    def lines(self, count: int) -> list[str]: ...

    def follow(self, count: int) -> AsyncGenerator[list[str]]:
        """Yield the last lines, then those that come; one who does not keep up misses some."""
        ...


class ControlClient(Protocol):
    """The operator's verbs (docs/control.md) for the admin page, over the control socket.

    `on_behalf` is who is logged in: looked up at each call, who must be an active administrator,
    and named in the audit. A verb is named as in `core.access`; `names` are those in its path
    or its query.
    What the daemon refuses is raised as it would be there, by its code.
    """

    async def call(
        self,
        verb: str,
        on_behalf: UserId,
        body: dict[str, Any] | None = None,
        /,
        **names: object,
    ) -> dict[str, Any]: ...

    def stream(
        self,
        verb: str,
        on_behalf: UserId,
        body: dict[str, Any] | None = None,
        /,
        **names: object,
    ) -> AsyncGenerator[dict[str, Any]]:
        """Yield the events of a verb that streams; closing it ends the work."""
        ...

    def download(self, verb: str, on_behalf: UserId, /, **names: object) -> AsyncGenerator[bytes]:
        """Yield the bytes of a verb that answers with a file."""
        ...


class Store(
    PeopleStore,
    ConversationStore,
    FolderStore,
    RecordStore,
    PortableStore,
    PresetStore,
    SavedPromptStore,
    ImportStore,
    AttachmentStore,
    ShareStore,
    RatingStore,
    TitleStore,
    Protocol,
):
    """Everything that is kept. Each method is one transaction, and durable once it returns."""

    # conversations: those of ConversationStore, and what is in them

    async def messages(self, conversation_id: ConversationId) -> list[Message]:
        """Return every message with its newest turn, oldest first."""
        ...

    async def message_of(
        self, user_id: UserId, message_id: MessageId
    ) -> tuple[Conversation, Message] | None:
        """Find a message among the user's own conversations."""
        ...

    async def asked(
        self, user_id: UserId, client_id: str
    ) -> tuple[Conversation, Message, Message] | None:
        """Find what was already asked with this `client_id`: conversation, question, answer."""
        ...

    async def add_question(
        self,
        *,
        user_id: UserId,
        conversation_id: ConversationId | None,
        client_id: str,
        text: str,
        title: str,
        parent_id: MessageId | None,
        edited_id: MessageId | None = None,
        source: TurnSource,
        model: str,
        options: dict[str, Any],
        choices: Choices = NOTHING_CHOSEN,
        attachments: Sequence[AttachmentId] = (),
    ) -> tuple[Conversation, Message, Message, bool]:
        """Commit a question with its files, its empty answer and a queued turn, in one transaction.

        A file of one's own that was sent before gets another row, of this question.
        A new conversation, with `choices`, is made where `conversation_id` is None; `parent_id`
        None means its newest message. One written instead of `edited_id` stands beside it, below
        what that one stands below, whatever `parent_id` says. Returns the conversation, the
        question, the answer (with its turn) and whether they are new: the same `client_id` of the
        same author returns what is already there. Raises NotFound, TurnRunning.
        """
        ...

    async def add_answer(
        self, *, user_id: UserId, question_id: MessageId, model: str, options: dict[str, Any]
    ) -> tuple[Conversation, Message]:
        """Commit another answer to a question, with a queued turn (regenerate).

        Raises NotFound, TurnRunning.
        """
        ...

    async def add_attempt(
        self, *, user_id: UserId, message_id: MessageId, model: str, options: dict[str, Any]
    ) -> tuple[Conversation, Message]:
        """Commit another queued turn that goes on with a cut answer (continue).

        Raises NotFound, TurnRunning.
        """
        ...

    async def search(
        self, user_id: UserId, expression: str, *, before: MessageId | None, limit: int
    ) -> Found:
        """Find words (`core.search.expression`) in the user's own titles and messages.

        Answers that are still being written, what a model thought, and what lies in the bin are
        not searched. `before` asks for the messages older than that one, without titles.
        """
        ...

    # turns

    async def add_turn(self, *, source: TurnSource, model: str, options: dict[str, Any]) -> Turn:
        """Commit a queued turn of the operator's, whose answer is not kept."""
        ...

    async def save_progress(self, progress: Sequence[tuple[Turn, str, str]]) -> None:
        """Keep (turn, text, thinking) of growing answers, all in one transaction."""
        ...

    async def finish_turn(self, turn: Turn, text: str, thinking: str) -> None:
        """Keep the end of a turn and its whole text, in one transaction."""
        ...

    async def recover_turns(self) -> list[Turn]:
        """Mark turns that a crash cut as interrupted; return the queued ones, oldest first."""
        ...

    async def turn_of(self, user_id: UserId, turn_id: TurnId) -> Turn | None:
        """Find a turn among those the user asked for."""
        ...

    # the engine

    async def add_incidents(self, incidents: Sequence[Incident]) -> None:
        """Keep what happened to the engine; the oldest of very many are forgotten."""
        ...

    async def incidents(self, limit: int, after: str | None = None) -> list[Incident]:
        """Return the newest, newest first: all, or those that led to the verdict `after`."""
        ...

    # the rest

    async def setting(self, name: str) -> str | None: ...

    async def set_setting(self, name: str, value: str | None) -> None: ...

    async def model_rules(self) -> dict[str, ModelRules]:
        """Return what was decided of models, by name; of the others nothing was."""
        ...

    async def set_model_rules(self, model: str, rules: ModelRules) -> None: ...

    async def ping(self) -> None:
        """Prove that the writer answers, or is rewriting the whole file by our order."""
        ...
