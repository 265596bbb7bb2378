"""Every setting there is: its type, its default, and what a value may be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from couachgptd import paths


@dataclass(frozen=True, slots=True)
class Server:
    host: str = "127.0.0.1"
    port: int = 8294
    public_url: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    trusted_proxies: tuple[str, ...] = ()
    drain_seconds: float = 10.0
    stalled_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Storage:
    data_dir: str = ""

    @property
    def directory(self) -> Path:
        return Path(self.data_dir).absolute() if self.data_dir else paths.default_data_dir()


@dataclass(frozen=True, slots=True)
class Backup:
    nightly: bool = True
    hour: int = 3


@dataclass(frozen=True, slots=True)
class Retention:
    conversation_days: int = 0
    bin_days: int = 30
    audit_days: int = 365
    incident_days: int = 365


@dataclass(frozen=True, slots=True)
class Files:
    max_mib: int = 20
    per_question: int = 10
    person_mib: int = 500
    total_mib: int = 10240
    min_free_mib: int = 1024


@dataclass(frozen=True, slots=True)
class Control:
    socket: str = ""


@dataclass(frozen=True, slots=True)
class Accounts:
    registration: Literal["approval", "open", "invitation", "closed"] = "approval"
    password_min_length: int = 10
    session_days: int = 30
    login_attempts: int = 8
    login_window_seconds: int = 300


@dataclass(frozen=True, slots=True)
class Chat:
    context_exchanges: int = 5
    answer_tokens: int = 1024
    system_prompt: str = ""
    temperature: float = 0.2
    waiting_per_person: int = 5
    waiting_in_all: int = 100
    pass_over_seconds: float = 60.0
    title_idle_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Engine:
    kind: Literal["auto", "ollama", "embedded", "llama-server"] = "auto"
    model: str = ""
    slots: int = 1
    context_tokens: int = 4096
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Ollama:
    url: str = "http://127.0.0.1:11434"
    keep_alive_seconds: int = 1800
    models_dir: str = "/usr/share/ollama/.ollama/models"


@dataclass(frozen=True, slots=True)
class Embedded:
    models_dir: str = ""
    catalogue: str = ""
    batch_tokens: int = 256
    host_cache_mib: int = 1024


@dataclass(frozen=True, slots=True)
class LlamaServer:
    url: str = "http://127.0.0.1:8080"
    api_key: str = ""


@dataclass(frozen=True, slots=True)
class Watchdog:
    """The keys and defaults of `core.budgets.Limits`, which may not be imported here."""

    load_soft_min_seconds: float = 60.0
    load_hard_seconds: float = 330.0
    load_first_megabytes_per_second: float = 50.0
    read_soft_min_seconds: float = 60.0
    read_hard_min_seconds: float = 600.0
    read_hard_max_seconds: float = 3600.0
    read_first_tokens_per_second: float = 8.0
    gap_soft_min_seconds: float = 30.0
    gap_soft_max_seconds: float = 120.0
    gap_soft_mean_factor: float = 20.0
    drain_soft_min_seconds: float = 30.0
    drain_batch_tokens: int = 512
    total_min_seconds: float = 600.0
    total_max_seconds: float = 7200.0
    expected_factor: float = 2.0
    hard_factor: float = 3.0
    confirm_seconds: float = 15.0
    confirm_samples: int = 3
    still_below_cores: float = 0.05
    busy_above_cores: float = 0.5
    drained_below_cores: float = 0.2
    spin_above_cores: float = 0.9
    moving_megabytes_per_second: float = 1.0
    thrashing_above_percent: float = 10.0
    probe_failures: int = 3
    pause_seconds: float = 5.0
    grace_seconds: float = 20.0
    foreign_grace_seconds: float = 120.0
    start_seconds: float = 60.0
    cancel_seconds: float = 10.0
    unload_seconds: float = 20.0
    restart_seconds: float = 45.0
    unloads_in_a_row: int = 2
    backoff_first_seconds: float = 30.0
    backoff_factor: float = 4.0
    backoff_max_seconds: float = 300.0
    restarts_in_window: int = 3
    restarts_window_seconds: float = 900.0
    restarts_in_day: int = 8
    retry_seconds: float = 1800.0
    settled_seconds: float = 1800.0
    maintenance_max_seconds: float = 1800.0
    turn_strikes: int = 2
    model_failed_loads: int = 3
    model_hung_loads: int = 2


@dataclass(frozen=True, slots=True)
class Deadlines:
    load_seconds: float = 7200.0
    read_seconds: float = 7200.0
    gap_seconds: float = 3600.0
    total_seconds: float = 14400.0


@dataclass(frozen=True, slots=True)
class Brand:
    name: str = "CouachGPT"
    logo: str = ""
    accent: str = "#0f5c7a"
    accent_dark: str = "#6cc3e0"


@dataclass(frozen=True, slots=True)
class Log:
    level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True)
class Config:
    server: Server = field(default_factory=Server)
    storage: Storage = field(default_factory=Storage)
    backup: Backup = field(default_factory=Backup)
    retention: Retention = field(default_factory=Retention)
    files: Files = field(default_factory=Files)
    control: Control = field(default_factory=Control)
    accounts: Accounts = field(default_factory=Accounts)
    chat: Chat = field(default_factory=Chat)
    engine: Engine = field(default_factory=Engine)
    ollama: Ollama = field(default_factory=Ollama)
    embedded: Embedded = field(default_factory=Embedded)
    llama_server: LlamaServer = field(default_factory=LlamaServer)
    watchdog: Watchdog = field(default_factory=Watchdog)
    deadlines: Deadlines = field(default_factory=Deadlines)
    brand: Brand = field(default_factory=Brand)
    log: Log = field(default_factory=Log)

    @property
    def control_socket(self) -> Path:
        if self.control.socket:
            return Path(self.control.socket).absolute()
        return paths.default_socket(self.storage.directory)

    @property
    def models_dir(self) -> Path:
        given = self.embedded.models_dir
        return Path(given).absolute() if given else self.storage.directory / "models"


# What the type alone does not say: the least and the most a number may be, by key.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "server.port": (0, 65535),
    "server.drain_seconds": (0, 600),
    "server.stalled_seconds": (1, 3600),
    "backup.hour": (0, 23),
    "retention.conversation_days": (0, 36_500),
    "retention.bin_days": (0, 36_500),
    "retention.audit_days": (0, 36_500),
    "retention.incident_days": (0, 36_500),
    "files.max_mib": (1, 32),
    "files.per_question": (1, 100),
    "files.person_mib": (1, 1_048_576),
    "files.total_mib": (1, 1_048_576),
    "files.min_free_mib": (0, 1_048_576),
    "accounts.password_min_length": (8, 128),
    "accounts.session_days": (1, 3650),
    "accounts.login_attempts": (1, 1000),
    "accounts.login_window_seconds": (1, 86400),
    "chat.context_exchanges": (1, 1000),
    "chat.answer_tokens": (1, 1_000_000),
    "chat.temperature": (0, 2),
    "chat.waiting_per_person": (1, 10_000),
    "chat.waiting_in_all": (1, 100_000),
    "chat.pass_over_seconds": (0, 86400),
    "chat.title_idle_seconds": (0, 86400),
    "engine.slots": (1, 256),
    "engine.context_tokens": (256, 1_048_576),
    "engine.threads": (0, 1024),
    "ollama.keep_alive_seconds": (0, 31_536_000),
    "embedded.batch_tokens": (32, 4096),
    "embedded.host_cache_mib": (0, 1_048_576),
    "watchdog.load_soft_min_seconds": (0.1, 86_400),
    "watchdog.load_hard_seconds": (0.1, 86_400),
    "watchdog.load_first_megabytes_per_second": (0.01, 100_000),
    "watchdog.read_soft_min_seconds": (0.1, 86_400),
    "watchdog.read_hard_min_seconds": (0.1, 86_400),
    "watchdog.read_hard_max_seconds": (0.1, 86_400),
    "watchdog.read_first_tokens_per_second": (0.01, 1_000_000),
    "watchdog.gap_soft_min_seconds": (0.1, 86_400),
    "watchdog.gap_soft_max_seconds": (0.1, 86_400),
    "watchdog.gap_soft_mean_factor": (1, 10_000),
    "watchdog.drain_soft_min_seconds": (0.1, 86_400),
    "watchdog.drain_batch_tokens": (1, 65_536),
    "watchdog.total_min_seconds": (0.1, 604_800),
    "watchdog.total_max_seconds": (0.1, 604_800),
    "watchdog.expected_factor": (1, 100),
    "watchdog.hard_factor": (1, 100),
    "watchdog.confirm_seconds": (0, 3_600),
    "watchdog.confirm_samples": (1, 100),
    "watchdog.still_below_cores": (0, 64),
    "watchdog.busy_above_cores": (0, 64),
    "watchdog.drained_below_cores": (0, 64),
    "watchdog.spin_above_cores": (0, 64),
    "watchdog.moving_megabytes_per_second": (0, 100_000),
    "watchdog.thrashing_above_percent": (0, 100),
    "watchdog.probe_failures": (1, 1_000),
    "watchdog.pause_seconds": (0.1, 3_600),
    "watchdog.grace_seconds": (0, 3_600),
    "watchdog.foreign_grace_seconds": (0, 3_600),
    "watchdog.start_seconds": (0.1, 3_600),
    "watchdog.cancel_seconds": (0.1, 3_600),
    "watchdog.unload_seconds": (0.1, 3_600),
    "watchdog.restart_seconds": (0.1, 3_600),
    "watchdog.unloads_in_a_row": (0, 100),
    "watchdog.backoff_first_seconds": (0, 86_400),
    "watchdog.backoff_factor": (1, 100),
    "watchdog.backoff_max_seconds": (0, 86_400),
    "watchdog.restarts_in_window": (0, 1_000),
    "watchdog.restarts_window_seconds": (1, 604_800),
    "watchdog.restarts_in_day": (0, 1_000),
    "watchdog.retry_seconds": (1, 604_800),
    "watchdog.settled_seconds": (0, 604_800),
    "watchdog.maintenance_max_seconds": (1, 604_800),
    "watchdog.turn_strikes": (1, 100),
    "watchdog.model_failed_loads": (1, 100),
    "watchdog.model_hung_loads": (1, 100),
    "deadlines.load_seconds": (0.1, 604_800),
    "deadlines.read_seconds": (0.1, 604_800),
    "deadlines.gap_seconds": (0.1, 604_800),
    "deadlines.total_seconds": (0.1, 604_800),
}

_COLOUR = (re.compile(r"#[0-9a-fA-F]{6}"), "a colour like #0f5c7a")
_URL = (re.compile(r"https?://[^\s/]+(/\S*)?"), "an address like http://127.0.0.1:8080")
_NO_URL = (re.compile(rf"({_URL[0].pattern})?"), "an address like https://chat.lan, or nothing")

# What a text may be, by key: the whole of it must match; the words are for the error.
PATTERNS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "server.host": (re.compile(r"\S+"), "an address or a name, like 127.0.0.1"),
    "server.public_url": _NO_URL,
    "ollama.url": _URL,
    "llama_server.url": _URL,
    "brand.name": (re.compile(r"\S(.{0,58}\S)?"), "a name of 1 to 60 characters"),
    "brand.accent": _COLOUR,
    "brand.accent_dark": _COLOUR,
}

# What a logo may be, by the end of its name: as which type it is served.
LOGO_TYPES: Mapping[str, str] = {".svg": "image/svg+xml", ".png": "image/png"}
