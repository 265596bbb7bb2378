"""The configuration: the shipped file tells the truth, and each mistake is named by its key."""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from couachgptd import config, paths, settings
from couachgptd.config import ConfigError
from couachgptd.settings import Config

SHIPPED = Path(__file__).parent.parent / "etc" / "couachgpt.toml"


@pytest.fixture(autouse=True)
def no_system_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "SYSTEM_CONFIG", tmp_path / "absent.toml")


def as_document(value: Config) -> dict[str, dict[str, Any]]:
    sections = dataclasses.asdict(value)
    return {
        section: {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}
        for section, values in sections.items()
    }


def test_the_shipped_file_lists_every_key_with_its_default_in_the_order_of_the_code() -> None:
    shipped = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    defaults = as_document(Config())

    assert shipped == defaults
    assert list(shipped) == list(defaults)
    assert {name: list(keys) for name, keys in shipped.items()} == {
        name: list(keys) for name, keys in defaults.items()
    }
    for section, values in shipped.items():
        for key, value in values.items():
            assert type(value) is type(defaults[section][key]), f"{section}.{key}"


def test_each_key_of_the_shipped_file_has_exactly_one_line_of_comment_above_it() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()

    for number, line in enumerate(lines):
        if re.match(r"\w+ = ", line):
            assert lines[number - 1].startswith("# "), line
            assert not lines[number - 2].startswith("#"), line


def test_the_comment_of_a_key_names_each_value_or_bound() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    section = ""

    for number, line in enumerate(lines):
        if line.startswith("["):
            section = line.strip("[]")
        key, equals, _ = line.partition(" = ")
        if equals and (bounds := settings.BOUNDS.get(f"{section}.{key}")):
            for bound in bounds:
                assert re.search(rf"\b{bound:.12g}\b", lines[number - 1]), f"{section}.{key}"


def test_the_shipped_file_loads_as_the_defaults() -> None:
    assert config.load(SHIPPED) == Config()


def test_no_file_at_all_gives_the_defaults() -> None:
    assert config.load() == Config()


def test_the_system_file_is_read_when_nobody_names_one(tmp_path: Path) -> None:
    (tmp_path / "absent.toml").write_text("[server]\nport = 80\n")

    assert config.load().server.port == 80


def test_bounds_and_patterns_speak_of_keys_that_exist() -> None:
    known = {f"{name}.{key}" for name, keys in as_document(Config()).items() for key in keys}

    assert {*settings.BOUNDS, *settings.PATTERNS} <= known


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[serveur]\n", "unknown section: [serveur] (valid: server, storage"),
        ("port = 1\n", "unknown section: [port]"),
        ("server = 1\n", "server: expected a section [server], got int 1"),
        ("[server]\nprot = 1\n", "unknown key: server.prot (valid: host, port"),
        ('[server]\nport = "80"\n', "server.port: expected int, got str '80'"),
        ("[server]\nport = true\n", "server.port: expected int, got bool True"),
        ("[server]\nport = 65536\n", "server.port: expected 0 to 65535, got int 65536"),
        ("[server]\nport = -1\n", "server.port: expected 0 to 65535, got int -1"),
        ("[server]\nhost = 1\n", "server.host: expected str, got int 1"),
        ('[server]\nhost = ""\n', "server.host: expected an address or a name"),
        ('[server]\npublic_url = "chat.lan"\n', "server.public_url: expected an address like"),
        ('[server]\ntrusted_proxies = "::1"\n', "trusted_proxies: expected a list of strings"),
        ("[server]\ntrusted_proxies = [1]\n", "trusted_proxies: expected a list of strings"),
        ("[chat]\ntemperature = nan\n", "chat.temperature: expected 0 to 2, got float nan"),
        ("[chat]\ntemperature = false\n", "chat.temperature: expected float, got bool False"),
        ("[chat]\nanswer_tokens = 0\n", "chat.answer_tokens: expected 1 to 1000000, got int 0"),
        ('[engine]\nkind = "vllm"\n', "'vllm' is not one of 'auto', 'ollama', 'embedded'"),
        ("[engine]\nkind = []\n", "engine.kind: list [] is not one of"),
        ('[ollama]\nurl = "localhost:11434"\n', "ollama.url: expected an address like"),
        ('[brand]\naccent = "red; x"\n', "brand.accent: expected a colour like #0f5c7a"),
        ("[server\n", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_the_file_and_what_it_may_be(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "couachgpt.toml"
    file.write_text(text)

    with pytest.raises(ConfigError) as caught:
        config.load(file)

    assert str(caught.value).startswith(f"{file}: ")
    assert message in str(caught.value)


def test_a_file_that_is_not_text_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "couachgpt.toml"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match=r"couachgpt\.toml: not valid TOML"):
        config.load(file)


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: No such file"):
        config.load(tmp_path / "gone.toml")


def test_a_whole_number_will_do_for_a_fraction() -> None:
    loaded = config.from_document({"chat": {"temperature": 1}})

    assert loaded.chat.temperature == 1.0
    assert type(loaded.chat.temperature) is float


def test_overrides_win_over_the_file_and_need_no_quotes(tmp_path: Path) -> None:
    file = tmp_path / "couachgpt.toml"
    file.write_text('[server]\nport = 80\nhost = "::1"\n')

    loaded = config.load(
        file, ["server.port=8300", "storage.data_dir=.data/x", 'engine.kind="ollama"']
    )

    assert (loaded.server.port, loaded.server.host) == (8300, "::1")
    assert loaded.storage.data_dir == ".data/x"
    assert loaded.engine.kind == "ollama"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("server.port", "expected section.key=value"),
        ("port=80", "expected section.key=value"),
        ("server.prot=80", "unknown key: server.prot"),
        ("server.port=http", "server.port: expected int, got str 'http'"),
    ],
)
def test_an_override_is_checked_like_the_file(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        config.load(None, [override])


def test_an_override_of_what_the_file_took_for_a_section_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "couachgpt.toml"
    file.write_text("server = 1\n")

    with pytest.raises(ConfigError, match=r"expected a section \[server\]"):
        config.load(file, ["server.port=80"])


def test_the_socket_and_the_models_are_beside_the_data_unless_told_otherwise() -> None:
    beside = config.load(None, ["storage.data_dir=/srv/chat"])
    told = config.load(None, ["control.socket=/x/y.sock", "embedded.models_dir=/m"])

    assert beside.control_socket == Path("/srv/chat/control.sock")
    assert beside.models_dir == Path("/srv/chat/models")
    assert told.control_socket == Path("/x/y.sock")
    assert told.models_dir == Path("/m")


def test_the_system_data_goes_with_the_system_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(paths.SYSTEM_DATA))

    assert config.load().control_socket == paths.SYSTEM_SOCKET
