"""A starter model, which engine can have it, and what can go wrong when it is fetched."""

from dataclasses import dataclass

from couachgptd.core.errors import CouachError


@dataclass(frozen=True, slots=True)
class Starter:
    """A model of the catalogue: a `file` for the models' folder, and its name in Ollama, or ""."""

    name: str
    title: str
    licence: str
    languages: tuple[str, ...]
    size_bytes: int
    file: str
    ollama: str

    def why_not(self, kind: str) -> str | None:
        """Say why an engine of this kind cannot have it fetched."""
        if kind == "ollama":
            return None if self.ollama else "not_in_ollama"
        return None if kind == "embedded" else "elsewhere"

    def pulled_as(self, kind: str) -> str:
        return self.ollama if kind == "ollama" else self.name

    def listed_as(self, kind: str) -> str:
        return self.ollama if kind == "ollama" else self.file.removesuffix(".gguf")


class StarterUnavailable(CouachError):
    """No starter model of this name, or none that this engine can have. Fields: `name`."""

    code = "starter_unavailable"


class FetchRunning(CouachError):
    """A starter model is being fetched already: one at a time."""

    code = "fetch_running"


class FetchFailed(CouachError):
    """No source gave the model. Fields: `name`, `reason` (each source's, in English)."""

    code = "fetch_failed"


class HashWrong(CouachError):
    """What came was another file, and is not kept. Fields: `name`."""

    code = "hash_wrong"


class DiskFull(CouachError):
    """A model does not fit on the disk. Fields: `needed_bytes`, `free_bytes`, not always known."""

    code = "disk_full"


class DiskFailed(CouachError):
    """The models' folder cannot be written. Fields: `path`."""

    code = "disk_failed"
