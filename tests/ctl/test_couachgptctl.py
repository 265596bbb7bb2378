"""couachgptctl as a program: what it writes where, and how it ends."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from couachgptd import __version__
from tests.control.peer import (
    ENGINE,
    INCIDENT,
    MODEL,
    QUEUE,
    STATUS,
    USER,
    WAITING,
    Peer,
    listening,
    text,
    turn,
)
from tests.ctl.terminal import PROGRAM, ROOT, environment, run, start


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    async with listening(tmp_path / "control.sock") as peer:
        yield peer


def socket_of(peer: Peer) -> dict[str, str]:
    return {"COUACHGPT_SOCKET": str(peer.socket)}


# --- what it shows -------------------------------------------------------------------------------


async def test_status_is_read_at_a_glance(peer: Peer) -> None:
    shown = await run("status", **socket_of(peer))

    assert shown.code == 0
    assert shown.err == ""
    assert "couachgptd 0.1.0, up for 2 h 03 min, process 42" in shown.out
    assert "embedded b11549, up" in shown.out
    assert "1 being written, 1 waiting" in shown.out
    assert "2 on line (3 pages), 4 in all, 1 waits for approval" in shown.out
    assert "\x1b" not in shown.out


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ({"address": "/srv/models"}, "embedded b11549, models in /srv/models, up"),
        (
            {"kind": "ollama", "version": None, "address": "http://127.0.0.1:11434"},
            "ollama at http://127.0.0.1:11434, up",
        ),
        (
            {"is_up": False, "detail": "engine_unavailable"},
            "embedded b11549, down: The engine does not answer.",
        ),
        (
            {"is_up": False, "detail": "engine_rejected"},
            "embedded b11549, down: The engine failed. (engine_rejected)",
        ),
        ({"is_up": False, "detail": "moon_is_full"}, "down: The engine failed. (moon_is_full)"),
    ],
)
async def test_status_says_where_the_engine_is_and_why_it_is_down(
    peer: Peer, engine: dict[str, object], said: str
) -> None:
    peer.engine |= engine

    shown = await run("status", **socket_of(peer))

    assert said in shown.out


async def test_the_headings_of_help_are_set_as_their_language_is() -> None:
    french = await run("status", "--help", LANG="fr_FR.UTF-8")

    assert "\noptions\N{NO-BREAK SPACE}:\n" in french.out
    assert "\noptions de tous les verbes\N{NO-BREAK SPACE}:\n" in french.out


async def test_status_says_what_the_watchdog_thinks_of_the_engine_and_since_when(
    peer: Peer,
) -> None:
    well = await run("status", TZ="UTC", COLUMNS="80", **socket_of(peer))
    peer.engine |= {"state": "failed", "reason": "budget_spent"}
    peer.turns |= {"is_paused": True}
    failed = await run("status", TZ="UTC", **socket_of(peer))
    french = await run("status", TZ="UTC", LANG="fr_FR.UTF-8", **socket_of(peer))

    assert max(map(len, well.out.splitlines())) <= 80
    assert "at work, since 2026-11-23 09:12\n" in well.out
    assert "paused" not in well.out
    assert "failed, since 2026-11-23 09:12: it was restarted too often, in vain\n" in failed.out
    assert "`couachgptctl engine reset` tries again." in failed.out
    assert "1 being written, 1 waiting, the queue is paused" in failed.out
    assert "en panne, depuis le 2026-11-23 09:12" in french.out
    assert "la file est suspendue" in french.out


async def test_status_of_a_daemon_that_was_not_restarted_after_an_update_is_shown(
    peer: Peer,
) -> None:
    for name in ("state", "reason", "since"):
        del peer.engine[name]
    del peer.turns["is_paused"]

    shown = await run("status", **socket_of(peer))

    assert (shown.code, shown.err) == (0, "")


async def test_a_state_of_a_newer_daemon_is_shown_as_it_is(peer: Peer) -> None:
    peer.engine |= {"state": "moonstruck", "reason": "full_moon"}

    shown = await run("status", **socket_of(peer))

    assert "moonstruck, since" in shown.out
    assert "full_moon" in shown.out


@pytest.mark.parametrize("words", [("--json", "status"), ("status", "--json")])
async def test_json_may_stand_before_or_after_the_verb(peer: Peer, words: tuple[str, ...]) -> None:
    shown = await run(*words, **socket_of(peer))

    assert json.loads(shown.out) == STATUS


async def test_json_is_the_object_of_the_contract_for_every_verb(peer: Peer) -> None:
    socket = ("--socket", str(peer.socket))
    users = await run("user", "ls", "--json", *socket)
    added = await run(*socket, "--json", "user", "add", "zoe", "--password-stdin", given="secret\n")
    approved = await run("user", "--json", "approve", "zoe", *socket)
    changed = await run("user", "passwd", "zoe", "--password-stdin", "--json", *socket, given="new")
    link = await run("setup-link", "--json", *socket)
    models = await run("model", "ls", "--json", *socket)
    queue = await run("queue", "ls", "--json", *socket)
    incidents = await run("engine", "--json", "incidents", *socket)
    reset = await run("engine", "reset", "--json", *socket)
    maintenance = await run("engine", "maintenance", "off", "--json", *socket)

    assert json.loads(users.out) == {"users": [USER]}
    assert [json.loads(each.out) for each in (added, approved, changed)] == [{"user": USER}] * 3
    assert json.loads(link.out)["url"] == "http://127.0.0.1:8294/setup/abc"
    assert json.loads(models.out) == {"models": [MODEL], "default": "qwen"}
    assert json.loads(queue.out) == QUEUE
    assert json.loads(incidents.out) == {"incidents": [INCIDENT]}
    assert [json.loads(each.out) for each in (reset, maintenance)] == [{"engine": ENGINE}] * 2


async def test_accented_names_keep_the_columns_straight(peer: Peer) -> None:
    wide = {**USER, "login": "li", "name": "李小龍"}
    combining = {**USER, "login": "eva", "name": "E\u0301va"}
    peer.users = [USER, wide, combining]

    shown = await run("user", "ls", **socket_of(peer))

    lines = shown.out.splitlines()
    assert lines[1].index("administrator") == len("zoe    Zoé Müller  ")
    assert lines[2].index("administrator") == lines[1].index("administrator") - 3
    assert lines[3].index("administrator") == lines[1].index("administrator") + 1


async def test_a_name_cannot_steer_the_terminal(peer: Peer) -> None:
    peer.users = [{**USER, "name": "a\x1b[2Jb\u202e"}]

    shown = await run("user", "ls", **socket_of(peer))

    assert "a\ufffd[2Jb\ufffd" in shown.out


async def test_the_setup_link_alone_is_on_standard_output(peer: Peer) -> None:
    shown = await run("setup-link", **socket_of(peer))

    assert shown.out == "http://127.0.0.1:8294/setup/abc\n"
    assert "once" in shown.err


async def test_the_models_are_listed_with_their_sizes(peer: Peer) -> None:
    shown = await run("model", "ls", **socket_of(peer))

    assert "491.4 MB" in shown.out
    assert "default, loaded" in shown.out


async def test_a_model_that_was_set_aside_is_told_with_what_brings_it_back(peer: Peer) -> None:
    peer.models.append({**MODEL, "name": "aside", "is_broken": True, "is_quarantined": True})

    shown = await run("model", "ls", **socket_of(peer))

    assert "set aside" in shown.out.splitlines()[2]
    assert "damaged" not in shown.out
    assert "The model aside failed to load too often" in shown.out
    assert "couachgptctl engine reset" in shown.out


async def test_who_writes_and_who_waits_is_listed_in_order(peer: Peer) -> None:
    far = {**WAITING, "asker": None, "turn": 33, "place": 1, "wait_seconds": None}
    peer.queue = {**QUEUE, "waiting": [WAITING, {**far, "is_healing": True}]}

    shown = await run("queue", "ls", **socket_of(peer))

    assert [line.split() for line in shown.out.splitlines()] == [
        ["PLACE", "WHO", "STAGE", "WAIT", "MODEL", "SOURCE", "TURN"],
        ["-", "zoe", "Writing", "qwen", "chat", "31"],
        [*["1", "zoe", "Waiting", "between", "20", "s", "and", "1", "min", "qwen", "chat", "32"]],
        [*["2", "(operator)", "Waiting,", "again", "qwen", "chat", "33"]],
    ]


async def test_a_queue_of_nobody_and_a_paused_one_are_said_in_words(peer: Peer) -> None:
    peer.queue = {"paused": True, "is_held": False, "running": [], "waiting": []}

    shown = await run("queue", "ls", **socket_of(peer))

    assert "The queue is paused" in shown.out
    assert "Nobody waits" in shown.out


async def test_an_incident_is_a_line_with_its_figures_the_telling_ones_first(peer: Peer) -> None:
    newer = {**INCIDENT, "before": "hung_idle", "after": "moonstruck", "evidence": {}}
    peer.incidents = [newer, INCIDENT]

    shown = await run("engine", "incidents", "--limit", "2", TZ="UTC", **socket_of(peer))

    assert shown.out.splitlines() == [
        "2026-11-23 09:12:45  hung → moonstruck",
        "2026-11-23 09:12:45  at work → hung  silence_seconds=61.2 process=running cpu_cores=0.01",
    ]
    assert peer.requests[0][1] == "/v1/engine/incidents?limit=2"


async def test_on_a_terminal_the_figures_stand_below_and_steer_nothing(peer: Peer) -> None:
    evidence = {f"figure_{n}": "x" * 20 for n in range(9)} | {"reason": "\x1b[2J"}
    peer.incidents = [{**INCIDENT, "evidence": evidence}]
    more = {**socket_of(peer), "COLUMNS": "60", "NO_COLOR": "1"}

    shown, code = await asyncio.to_thread(on_a_terminal, ("engine", "incidents"), [], more)

    lines = shown.splitlines()
    assert code == 0
    assert lines[1].startswith("    reason=\ufffd[2J figure_0=xxx")
    assert len(lines) > 5
    assert max(map(len, lines)) <= 60


async def test_an_engine_to_which_nothing_happened_is_said_in_words(peer: Peer) -> None:
    peer.incidents = []

    shown = await run("engine", "incidents", **socket_of(peer))

    assert shown.out == "Nothing has happened to the engine.\n"
    assert peer.requests[0][1] == "/v1/engine/incidents"


@pytest.mark.parametrize(
    ("words", "body", "said"),
    [
        (("engine", "reset"), None, "are forgotten"),
        (("engine", "maintenance", "on"), {"is_on": True}, "is under maintenance"),
        (("engine", "maintenance", "off"), {"is_on": False}, "is over"),
    ],
)
async def test_what_a_person_says_of_the_engine_is_told_and_confirmed(
    peer: Peer, words: tuple[str, ...], body: object, said: str
) -> None:
    shown = await run(*words, **socket_of(peer))

    assert (shown.code, shown.err) == (0, "")
    assert said in shown.out
    assert peer.requests[0][2] == body


async def test_it_speaks_the_language_of_the_locale(peer: Peer) -> None:
    french = await run("model", "ls", LANG="fr_FR.UTF-8", **socket_of(peer))
    english = await run("model", "ls", LC_ALL="C", LANG="fr_FR.UTF-8", **socket_of(peer))
    mistake = await run("frob", LC_MESSAGES="fr_BE", **socket_of(peer))

    assert "491,4 Mo" in french.out
    assert "MODÈLE" in french.out
    assert "491.4 MB" in english.out
    assert "utilisation\N{NO-BREAK SPACE}: couachgptctl" in mistake.err
    assert "'frob' (au choix" in mistake.err


async def test_a_locale_that_cannot_write_a_letter_gets_its_escape(peer: Peer) -> None:
    latin = {"LC_ALL": "C", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    peer.users = [{**USER, "name": "Zoe 李"}]

    shown = await run("user", "ls", "--json", **latin, **socket_of(peer))

    assert json.loads(shown.out)["users"][0]["name"] == "Zoe 李"


# --- passwords -----------------------------------------------------------------------------------


async def test_a_user_is_added_with_what_was_said(peer: Peer) -> None:
    words = ("user", "add", "zoe", "--admin", "--name", "Zoé", "--language", "fr")

    shown = await run(*words, "--password-stdin", given="clé secrète\nrest", **socket_of(peer))

    assert shown.out == "Added zoe (administrator).\n"
    assert peer.requests[0][2] == {
        "login": "zoe",
        "password": "clé secrète",
        "name": "Zoé",
        "role": "admin",
        "language": "fr",
    }


async def test_without_a_terminal_a_password_is_not_asked_for(peer: Peer) -> None:
    shown = await run("user", "passwd", "zoe", **socket_of(peer))

    assert shown.code == 2
    assert "--password-stdin" in shown.err
    assert peer.requests == []


async def test_on_a_terminal_a_load_is_shown_beside_what_the_last_took(peer: Peer) -> None:
    words = ("model", "load", "qwen")
    shown, code = await asyncio.to_thread(on_a_terminal, words, [], socket_of(peer))

    assert code == 0
    assert "Loading: 0 s of about 20 s" in shown
    assert shown.endswith("\x1b[Kqwen is in memory.\r\n")


@pytest.mark.parametrize(("again", "code"), [("first one", 0), ("other one", 1)])
async def test_on_a_terminal_the_password_is_asked_for_twice(
    peer: Peer, again: str, code: int
) -> None:
    shown, ended = await asyncio.to_thread(
        on_a_terminal, ("user", "passwd", "zoe"), ["first one\n", f"{again}\n"], socket_of(peer)
    )

    assert ended == code
    assert "first one" not in shown
    assert len(peer.requests) == (1 if code == 0 else 0)


def on_a_terminal(
    words: tuple[str, ...], typed: list[str], more: dict[str, str]
) -> tuple[str, int]:
    """Run it on a terminal of its own, answering each prompt; return what that showed."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(PROGRAM[0], [*PROGRAM, *words], environment(TERM="xterm", **more))  # noqa: S606
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the terminal closes with its program
            break
        if not piece:
            break
        shown += piece
        if typed and shown.rstrip().endswith(b":"):
            time.sleep(0.05)  # getpass empties what was typed before it asked
            os.write(terminal, typed.pop(0).encode())
            shown += b" "
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# --- ask -----------------------------------------------------------------------------------------


async def test_an_answer_is_written_as_it_is(peer: Peer) -> None:
    shown = await run("ask", "Bonjour,", "qui es-tu ?", "--model", "qwen", **socket_of(peer))

    assert (shown.code, shown.out, shown.err) == (0, "Bonjour\n", "")
    assert peer.requests[0][2] == {"text": "Bonjour, qui es-tu ?", "model": "qwen"}


@pytest.mark.parametrize("words", [("ask",), ("ask", "-")])
async def test_a_question_may_come_from_standard_input(peer: Peer, words: tuple[str, ...]) -> None:
    await run(*words, given="Où ?\nIci.", **socket_of(peer))

    assert peer.requests[0][2] == {"text": "Où ?\nIci."}


async def test_an_answer_in_json_is_a_line_an_event(peer: Peer) -> None:
    shown = await run("--json", "ask", "Bonjour", **socket_of(peer))

    assert [json.loads(line) for line in shown.out.splitlines()] == peer.events


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (turn("failed", error={"code": "model_missing", "fields": {"model": "x"}}), "no model x"),
        (turn("stopped"), "was stopped"),
        (turn("interrupted"), "cut before its end"),
    ],
)
async def test_an_answer_that_does_not_end_well_fails(
    peer: Peer, last: dict[str, object], said: str
) -> None:
    peer.events = [turn("writing"), text("Bon"), last]

    shown = await run("ask", "Bonjour", **socket_of(peer))

    assert (shown.code, shown.out) == (1, "Bon\n")
    assert said in shown.err


async def test_on_a_terminal_the_stage_is_shown_and_cleared(peer: Peer) -> None:
    peer.events = [
        turn("queued", place=2),
        turn("reading", read_tokens=5, prompt_tokens=10),
        text("hm", kind="thinking"),
        text("Bon\x1bjour"),
        turn("done", timings={"answer_tokens": 2, "tokens_per_second": 21.34, "total_seconds": 1}),
    ]

    shown, code = await asyncio.to_thread(on_a_terminal, ("ask", "Bonjour"), [], socket_of(peer))

    assert code == 0
    assert "Waiting, 2 answers ahead…" in shown
    assert "Reading the question, 50 %…" in shown
    assert "hm" in shown
    assert "\r\x1b[K" in shown
    assert "Bon\ufffdjour" in shown
    assert "2 tokens, 21.3 tokens/s, 1.0 s" in shown


async def test_on_a_terminal_who_waits_reads_for_how_long(peer: Peer) -> None:
    peer.events = [turn("queued", place=2, wait_seconds=[20, 90]), text("Bon"), turn("done")]

    shown, _code = await asyncio.to_thread(on_a_terminal, ("ask", "Bonjour"), [], socket_of(peer))
    french, _code = await asyncio.to_thread(
        on_a_terminal, ("ask", "Bonjour"), [], {**socket_of(peer), "LANG": "fr_FR.UTF-8"}
    )

    assert "Waiting, 2 answers ahead, between 20 s and 1 min 30…" in shown
    assert "entre 20 s et 1 min 30…" in french


REWRITTEN = [
    turn("writing"),
    text("Bon"),
    turn("queued", is_healing=True, attempt=2, place=None),
    turn("queued", is_healing=True, attempt=2, place=0),
    turn("reading", attempt=2),
    {"type": "rewrite", "message": None, "text": "", "thinking": ""},
    turn("writing", attempt=2),
    text("Bonsoir"),
    turn("done", attempt=2),
]


async def test_on_a_terminal_an_answer_that_starts_anew_says_so_on_a_new_line(peer: Peer) -> None:
    peer.events = REWRITTEN
    more = {**socket_of(peer), "NO_COLOR": "1"}

    shown, code = await asyncio.to_thread(on_a_terminal, ("ask", "Bonjour"), [], more)

    assert code == 0
    plain = shown.replace("\r\x1b[K", "").replace("\r\n", "\n").replace("\r", "")
    assert plain.index("Bon\nThe engine no longer answers, it is being restarted") == plain.index(
        "Bon"
    )
    assert plain.count("no longer answers") == 1
    assert plain.endswith("(The answer starts anew.)\nWriting…Bonsoir\n")


async def test_in_a_pipe_an_answer_that_starts_anew_does_so_on_a_new_line(peer: Peer) -> None:
    peer.events = REWRITTEN

    shown = await run("ask", "Bonjour", **socket_of(peer))

    assert (shown.code, shown.out) == (0, "Bon\nBonsoir\n")
    assert shown.err == "(The answer starts anew.)\n"


@pytest.mark.parametrize(
    ("into", "left"),
    [("> {file}", "Bonsoir\n"), (">> {file}", "log\nBon\nBonsoir\n")],
)
async def test_in_a_file_it_takes_the_place_of_what_was_written_but_of_no_log(
    peer: Peer, tmp_path: Path, into: str, left: str
) -> None:
    peer.events = REWRITTEN
    file = tmp_path / "answer.md"
    file.write_text("log\n")
    shell = f"{' '.join(PROGRAM)} ask Bonjour {into.format(file=file)}"

    process = await asyncio.create_subprocess_exec(
        "bash", "-c", shell, env=environment(**socket_of(peer)), stderr=subprocess.PIPE
    )
    await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 0
    assert file.read_text() == left


async def test_an_answer_that_was_cut_before_it_began_starts_anew_without_a_word(
    peer: Peer,
) -> None:
    peer.events = [turn("reading"), *REWRITTEN[2:]]

    shown = await run("ask", "Bonjour", **socket_of(peer))

    assert (shown.out, shown.err) == ("Bonsoir\n", "")


async def test_what_a_new_attempt_begins_with_is_written(peer: Peer) -> None:
    rewrite = {"type": "rewrite", "message": None, "text": "Bon", "thinking": ""}
    peer.events = [turn("writing"), rewrite, text("soir"), turn("done")]

    shown = await run("ask", "Bonjour", **socket_of(peer))

    assert shown.out == "Bonsoir\n"


async def test_an_answer_whose_new_attempt_fails_too_keeps_what_there_was(peer: Peer) -> None:
    error = {"code": "question_quarantined", "fields": {}}
    peer.events = [*REWRITTEN[:4], turn("failed", error=error)]

    shown = await run("ask", "Bonjour", **socket_of(peer))

    assert (shown.code, shown.out) == (1, "Bon\n")
    assert "broke down twice over this question" in shown.err


@pytest.mark.parametrize(
    ("timings", "figures"),
    [
        ({"answer_tokens": 2, "tokens_per_second": 4.0, "total_seconds": 1}, "2 tokens, 4.0 tok"),
        ({"answer_tokens": None, "tokens_per_second": None, "total_seconds": 1}, "\r\n1.0 s"),
    ],
)
async def test_on_a_terminal_an_answer_that_was_cut_has_its_figures_too(
    peer: Peer, timings: dict[str, object], figures: str
) -> None:
    peer.events = [turn("writing"), text("Bon"), turn("stopped", timings=timings)]

    shown, code = await asyncio.to_thread(on_a_terminal, ("ask", "Bonjour"), [], socket_of(peer))

    assert code == 1
    assert figures in shown.replace("\x1b[2m", "")
    assert "was stopped" in shown


async def test_ctrl_c_stops_the_turn_and_says_130(peer: Peer) -> None:
    peer.events = [turn("writing"), text("a ")]
    peer.goes_on = True
    process = await start("ask", "Bonjour", **socket_of(peer))
    await asyncio.wait_for(peer.asks.wait(), 20)
    assert process.stdout is not None
    await process.stdout.readexactly(2)

    process.send_signal(signal.SIGINT)
    _out, err = await asyncio.wait_for(process.communicate(), 20)

    assert process.returncode == 130
    assert err == b""
    await asyncio.wait_for(peer.stopped.wait(), 5)


async def test_a_reader_that_leaves_ends_it_quietly(peer: Peer) -> None:
    peer.events = [turn("writing"), text("one\n")]
    peer.goes_on = True
    shell = f"{' '.join(PROGRAM)} ask Bonjour | head -1; echo ${{PIPESTATUS[0]}}"

    process = await asyncio.create_subprocess_exec(
        "bash", "-c", shell, env=environment(**socket_of(peer)), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 30)

    assert (out, err) == (b"one\n0\n", b"")
    await asyncio.wait_for(peer.stopped.wait(), 5)


# --- how it ends ---------------------------------------------------------------------------------


async def test_no_daemon_is_3_with_a_hint(tmp_path: Path) -> None:
    shown = await run("status", "--socket", str(tmp_path / "none.sock"))

    assert shown.code == 3
    assert "is not running" in shown.err
    assert "--socket" in shown.err


async def test_a_refused_peer_is_4(peer: Peer) -> None:
    peer.refusal = (403, "not_allowed", {})

    shown = await run("user", "ls", **socket_of(peer))

    assert shown.code == 4
    assert "sudo" in shown.err


@pytest.mark.parametrize(
    ("seconds", "language", "said"),
    [("0.25", "en", "within 0.25 s"), ("0.001", "fr", "en 0,001")],
)
async def test_a_silent_daemon_is_6(peer: Peer, seconds: str, language: str, said: str) -> None:
    peer.is_silent = True

    shown = await run("status", "--timeout", seconds, LANG=language, **socket_of(peer))

    assert shown.code == 6
    assert said in shown.err


async def test_a_refusal_is_1_and_names_its_reason(peer: Peer) -> None:
    peer.refusal = (400, "password_too_short", {"min_length": 12})
    words = ("user", "passwd", "zoe", "--password-stdin")

    shown = await run(*words, given="short", **socket_of(peer))
    as_json = await run(*words, "--json", given="short", **socket_of(peer))

    assert (shown.code, shown.out) == (1, "")
    assert "at least 12 characters" in shown.err
    assert as_json.code == 1
    error = json.loads(as_json.err)["error"]
    assert (error["code"], error["fields"]) == ("password_too_short", {"min_length": 12})


async def test_the_second_setup_link_says_why_there_is_none(peer: Peer) -> None:
    peer.refusal = (409, "setup_done", {})

    shown = await run("setup-link", **socket_of(peer))

    assert shown.code == 1
    assert "administrator already" in shown.err


async def test_a_code_of_a_newer_daemon_is_still_told(peer: Peer) -> None:
    peer.refusal = (409, "moon_is_full", {})

    shown = await run("status", **socket_of(peer))

    assert shown.code == 1
    assert "moon_is_full" in shown.err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("frob",),
        ("user",),
        ("user", "add"),
        ("user", "add", "a", "--admin", "--reader"),
        ("status", "--timeout", "soon"),
        ("ask", ""),
        ("model", "fetch"),
        ("engine",),
        ("engine", "maintenance"),
        ("engine", "maintenance", "perhaps"),
        ("engine", "incidents", "--limit", "0"),
        ("engine", "incidents", "--limit", "many"),
        ("queue",),
    ],
)
async def test_a_wrong_command_line_is_2(words: tuple[str, ...]) -> None:
    shown = await run(*words)

    as_json = await run(*words, "--json")

    assert shown.code == 2
    assert shown.err
    assert "Traceback" not in shown.err
    assert (as_json.code, as_json.out) == (2, "")
    error = json.loads(as_json.err)["error"]
    assert (error["code"], error["fields"]) == ("usage", {})
    assert error["message"] in shown.err


async def test_a_wrong_command_line_is_told_with_its_usage() -> None:
    shown = await run("user", "approve")

    assert "required: LOGIN\n  usage: couachgptctl user approve" in shown.err
    assert "`couachgptctl user approve --help` says more." in shown.err


@pytest.mark.parametrize(
    "words", [("status",), ("model", "fetch", "--list", "--models-dir", "models"), ("ask", "x")]
)
async def test_a_configuration_that_is_named_must_be_there_wherever_the_socket_comes_from(
    peer: Peer, tmp_path: Path, words: tuple[str, ...]
) -> None:
    shown = await run(*words, "--config", str(tmp_path / "gone.toml"), **socket_of(peer))

    assert shown.code == 1
    assert "gone.toml: No such file" in shown.err
    assert peer.requests == []


async def test_a_configuration_names_the_socket_and_its_own_mistakes(
    peer: Peer, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(f'[control]\nsocket = "{peer.socket}"\n')
    bad.write_text("[control]\nsokket = 3\n")

    works = await run("status", "--config", str(good))
    fails = await run("status", "--config", str(bad))

    assert works.code == 0
    assert fails.code == 1
    assert "control.sokket" in fails.err


async def test_a_daemon_of_another_version_gets_a_warning(peer: Peer) -> None:
    peer.api = "2"

    shown = await run("status", **socket_of(peer))

    assert shown.code == 0
    assert "version 2" in shown.err


async def test_what_nobody_foresaw_is_one_line(peer: Peer) -> None:
    peer.raw = b'{"turns": {}, "users": {}, "version": "1", "pid": 1, "uptime_seconds": "x"}'

    short = await run("status", **socket_of(peer))
    long = await run("status", "--debug", **socket_of(peer))

    assert (short.code, long.code) == (1, 1)
    assert "Traceback" not in short.err
    assert "--debug" in short.err
    assert "Traceback" in long.err


# --- starting ------------------------------------------------------------------------------------


async def test_it_says_its_version() -> None:
    assert (await run("--version")).out == f"couachgptctl {__version__}\n"
    assert (await run("--version", "--json")).out == f"couachgptctl {__version__}\n"


@pytest.mark.parametrize(
    "words", [("--help",), ("status", "--socket", "/none"), ("model", "fetch", "--list")]
)
async def test_no_verb_imports_more_than_the_standard_library(words: tuple[str, ...]) -> None:
    program = (
        "import sys; before = set(sys.modules); from couachgptd.ctl.__main__ import main;"
        f"main({list(words)});"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before}, file=sys.stderr)"
    )
    command = [sys.executable, "-c", program]

    ended = subprocess.run(
        command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=True
    )

    imported = set(ended.stderr.splitlines()[-1].split())
    assert imported - set(sys.stdlib_module_names) == {"couachgptd"}


async def test_help_imports_nothing_dear() -> None:
    program = (
        "import sys; from couachgptd.ctl.__main__ import main; main(['--help']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-S", "-c", program]

    ended = subprocess.run(
        command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=True
    )

    dear = {"typing", "dataclasses", "pathlib", "json", "http.client", "shutil", "logging"}
    assert not dear & set(ended.stderr.split())
