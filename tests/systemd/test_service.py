"""The service's life: it starts, says how it is, ends, comes back, and loses nothing."""

import asyncio
import json

import aiohttp
import pytest

from tests.faults.service import begun, ended, eventually, shown, whole
from tests.running_daemon import Socket, text_of
from tests.systemd.service import ADDRESS, CONFIG, DATA, PROGRAM, PYTHON, SOCKET, UNIT, UNITS, Site

CTL = PROGRAM.with_name("couachgptctl")
SLOW = "[[rate=5 tokens=400]] Raconte."


async def test_it_starts_is_ready_and_says_how_it_is(site: Site) -> None:
    await asyncio.to_thread(site.start)
    assert site.show("SubState") == "running"
    site.add_user("claire")

    async with site.tab() as tab:
        await eventually(lambda: status(site) == "engine ready, 0 answers under way, 0 waiting")
        for number in range(3):  # one more than there are slots
            await tab.ask(f"{SLOW} {number}")
        await eventually(lambda: status(site) == "engine busy, 2 answers under way, 1 waiting")

    assert site.restarts == 0


def status(site: Site) -> str:
    return site.show("StatusText")


async def test_the_journal_has_fields_and_nothing_that_people_write(site: Site) -> None:
    await asyncio.to_thread(site.start)
    claire = site.add_user("claire")
    async with site.browser("claire") as browser, browser.ws() as tab:
        await eventually(lambda: status(site).startswith("engine ready"))
        asked = await tab.ask("Le mot secret est hippopotame.")
        await ended(tab, asked)
        said = shown(tab, asked)
        cookies = list(browser.cookies.values())

    lines = [
        json.loads(line)
        for line in site.sandbox.run(
            "journalctl", "--output=json", f"--unit={UNIT}", f"USER_ID={claire['id']}"
        ).splitlines()
    ]
    (line,) = [each for each in lines if "turn ended" in each["MESSAGE"]]
    assert line["PRIORITY"] == "6"
    assert line["ENGINE_STATE"] in {"ready", "busy"}
    assert line["TURN_ID"]
    assert line["SYSLOG_IDENTIFIER"] == "couachgptd"
    written = site.sandbox.run("journalctl", "--output=export", f"--unit={UNIT}")
    assert "hippopotame" not in written
    assert said[:40] not in written
    assert cookies
    assert not [each for each in cookies if each in written]
    assert "/setup/" not in written  # the link that makes an administrator


async def test_row_31_killed_while_it_answers(site: Site) -> None:
    """Inject: kill -9 of the daemon while it streams. Expect: back by itself, nothing lost."""
    await asyncio.to_thread(site.start)
    site.add_user("claire")
    async with site.tab() as tab:
        first = await tab.ask("Un.")
        assert (await ended(tab, first))["state"] == "done"
        cut = await tab.ask(SLOW, conversation=first["conversation"], parent=first["answer"])
        await begun(tab, cut, letters=20)
        await asyncio.sleep(1.5)  # what grows is kept at most every 0.8 s
        before = site.main_pid
        site.systemctl("kill", "--signal=KILL", UNIT)
        await tab.closed()
    await asyncio.to_thread(site.comes_back, before)

    async with site.tab() as tab:
        await tab.watch(first["conversation"])
        snapshot = await tab.next("snapshot")
        assert text_of(first["answer"], [snapshot]) == whole(60)
        kept = text_of(cut["answer"], [snapshot])
        assert len(kept) >= 20
        assert whole(400).startswith(kept)
        again = await tab.ask("Encore ?")
        assert (await ended(tab, again))["state"] == "done"
    assert site.restarts == 1
    assert is_sound(site)


def is_sound(site: Site) -> bool:
    """Have SQLite read the whole file, with the service stopped."""
    site.systemctl("stop", SOCKET, UNIT)
    check = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]))"
    told = site.sandbox.run(PYTHON, "-c", check, DATA / "couachgpt.db", "PRAGMA integrity_check")
    return told == "('ok',)\n"


async def test_row_32_restarted_with_fifty_sockets_open(site: Site) -> None:
    """Inject: `systemctl restart` under 50 WebSockets and a stream of requests. Expect: none is
    refused, the answer under way comes to its end, all come back and see it.
    """
    site.configure(server="drain_seconds = 10")
    await asyncio.to_thread(site.start)
    site.add_user("claire")
    async with site.browser("claire") as browser:
        tabs = await asyncio.gather(*(opened(browser.open) for _ in range(50)))
        asked = await tabs[0].ask("[[rate=20 tokens=60]] Explique.")
        await asyncio.gather(*(tab.watch(asked["conversation"]) for tab in tabs[1:]))
        await begun(tabs[0], asked)
        before = site.main_pid
        ends = asyncio.Event()
        asking = asyncio.create_task(ask_again_and_again(ends))
        restarting = asyncio.create_task(asyncio.to_thread(site.systemctl, "restart", UNIT))
        codes = await asyncio.gather(*(tab.closed() for tab in tabs))
        back = await asyncio.gather(*(opened(browser.open) for _ in tabs))
        await asyncio.gather(*(tab.watch(asked["conversation"]) for tab in back))
        snapshots = await asyncio.gather(*(tab.next("snapshot") for tab in back))
        assert (await restarting).returncode == 0
        ends.set()
        answered, failures = await asking
        for tab in back:
            await tab.close()

    assert set(codes) == {1012}
    assert all(has_warning(tab) for tab in tabs)
    assert {text_of(asked["answer"], tab.messages) for tab in tabs[:1]} == {whole(60)}
    assert {text_of(asked["answer"], [each]) for each in snapshots} == {whole(60)}
    assert failures == []
    assert answered > 20
    assert site.main_pid != before
    assert site.show("Result") == "success"


async def opened(open_socket: object) -> Socket:
    assert callable(open_socket)
    tab: Socket = await open_socket()
    tab.hello = await tab.next("hello")
    return tab


def has_warning(tab: Socket) -> bool:
    told = [each["type"] for each in tab.messages]
    return "closing" in told


async def ask_again_and_again(ends: asyncio.Event) -> tuple[int, list[str]]:
    """Make requests, each on a connection of its own, and return what became of them."""
    answered, failures = 0, []
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        while not ends.is_set():
            try:
                async with session.get(f"{ADDRESS}/healthz") as response:
                    assert await response.text() == "ok\n"
                answered += 1
            except (aiohttp.ClientError, AssertionError) as error:
                failures.append(repr(error))
            await asyncio.sleep(0.02)
    return answered, failures


async def test_an_operator_restarts_it_without_being_root(site: Site) -> None:
    """It ends by itself with 85, and may take longer for it than a stop by systemd."""
    site.drop_in(UNIT, TimeoutStopSec=2, WatchdogSec=3)
    await asyncio.to_thread(site.start)
    site.add_user("claire")
    before = site.main_pid
    async with site.tab() as tab:
        asked = await tab.ask("[[rate=10 tokens=60]] Explique.")
        await begun(tab, asked)
        status, _ = site.control("POST", "/v1/restart", {"drain_seconds": 30})
        assert status in {200, 202}
        assert (await ended(tab, asked))["state"] == "done"
        assert await tab.closed() == 1012
    await asyncio.to_thread(site.comes_back, before)

    assert shown(tab, asked) == whole(60)
    assert site.restarts == 1
    assert "Deactivated successfully" in site.journal()
    assert "Failed with result" not in site.journal()


@pytest.mark.soak
async def test_an_operator_may_restart_it_again_and_again(site: Site) -> None:
    """Their restarts count as starts do: systemd must take them for a person's, not for a loop."""
    await asyncio.to_thread(site.start)
    for _number in range(12):
        await asyncio.to_thread(site.sandbox.run, CTL, "--timeout", "30", "restart")

    assert site.restarts == 12
    assert site.is_active(UNIT)
    assert site.is_active(SOCKET)
    assert site.sandbox.run("curl", "-s", f"{ADDRESS}/healthz") == "ok\n"


@pytest.mark.soak
async def test_a_loop_of_crashes_ends(site: Site) -> None:
    site.drop_in(UNIT, ExecStartPre="/bin/false")

    assert site.systemctl("start", UNIT).returncode != 0
    await eventually(lambda: site.show("SubState") == "failed", 120)

    assert site.restarts == 30, "StartLimitBurst=, the refused one instead of the first"


async def test_who_shuts_it_down_stops_its_socket_as_well(site: Site) -> None:
    await asyncio.to_thread(site.start)
    before = site.main_pid

    told = site.sandbox.run(CTL, "drain")
    await eventually(lambda: site.show("ActiveState") == "inactive")
    site.sandbox.run("curl", "-s", f"{ADDRESS}/healthz")
    site.comes_back(before)
    (line,) = [each for each in told.splitlines() if "systemctl stop" in each]
    site.sandbox.run(*line.partition(": ")[2].split())

    assert site.sandbox.attempt("curl", "-s", f"{ADDRESS}/healthz").returncode != 0
    assert site.show("ActiveState") == "inactive"


async def test_a_wrong_configuration_is_told_and_not_tried_again(site: Site) -> None:
    site.sandbox.write(CONFIG, "[server]\nprot = 1\n")

    assert site.systemctl("start", UNIT).returncode != 0

    assert site.show("ActiveState") == "failed"
    assert site.show("ExecMainStatus") == "78"
    assert site.restarts == 0
    assert "server.prot" in site.journal()
    assert "server.prot" in site.show("StatusText")


async def test_the_operator_is_told_why_it_does_not_run(site: Site) -> None:
    site.sandbox.write(CONFIG, "[server]\nport = [\n")
    site.systemctl("start", UNIT)

    status = site.sandbox.attempt(CTL, "status")
    users = site.sandbox.attempt(CTL, "user", "ls")
    monitoring = site.sandbox.attempt(CTL, "status", "--check")
    doctor = site.sandbox.attempt(CTL, "doctor")

    assert (status.returncode, users.returncode, monitoring.returncode) == (3, 3, 3)
    assert "failed (failed)" in status.stdout
    assert f"couachgptd: {CONFIG}: not valid TOML" in status.stdout
    for told in (status, users):
        assert f"The configuration cannot be used: {CONFIG}: not valid TOML" in told.stderr
    assert "reset-failed" in status.stderr
    assert monitoring.stdout.startswith("CRITICAL: couachgptd is not running")
    assert doctor.returncode == 1
    assert "✗ The configuration has a mistake" in doctor.stdout
    assert "✗ couachgptd is not running" in doctor.stdout


async def test_who_calls_a_daemon_that_cannot_start_does_not_have_it_tried_for_ever(
    site: Site,
) -> None:
    """systemd starts it for each call; the start limit ends that, with the socket."""
    site.sandbox.write(CONFIG, "[server]\nprot = 1\n")
    site.systemctl("start", UNIT)

    def gives_up_when_called() -> bool:
        site.sandbox.attempt("curl", "--silent", "--max-time", "1", ADDRESS)
        return site.show("ActiveState", SOCKET) == "failed"

    await eventually(gives_up_when_called)

    assert site.show("Result", SOCKET) == "service-start-limit-hit"
    assert site.journal().count("Starting couachgptd.service") <= 30  # StartLimitBurst=
    site.configure()
    site.systemctl("reset-failed", SOCKET, UNIT)
    await asyncio.to_thread(site.start)
    assert site.sandbox.run("curl", "-s", f"{ADDRESS}/healthz") == "ok\n"


async def test_row_14_its_address_is_taken(site: Site) -> None:
    """Inject: somebody else listens there. Expect: FAILED with the cause, no loop."""
    server = ("systemd-run", "--unit=other", PYTHON, "-m", "http.server", "8294")
    site.sandbox.run(*server)
    await eventually(lambda: site.sandbox.attempt("curl", "-s", ADDRESS).returncode == 0)
    try:
        assert site.systemctl("start", UNIT).returncode != 0
        assert site.show("ActiveState", SOCKET) == "failed"
        # By its field: who says it is a child of systemd, which `--unit=` may pass over.
        told = site.sandbox.run("journalctl", "--output=cat", f"UNIT={SOCKET}")
        assert "Address already in use" in told
        assert site.show("ActiveState") == "inactive"
        assert site.restarts == 0
    finally:
        site.systemctl("stop", "other")


@pytest.mark.soak
async def test_without_its_socket_unit_it_listens_itself_and_names_a_taken_address(
    site: Site,
) -> None:
    unit = site.sandbox.read(UNITS / UNIT)
    without = "\n".join(line for line in unit.splitlines() if SOCKET not in line)
    site.sandbox.write(UNITS / UNIT, without)
    site.sandbox.run("systemctl", "daemon-reload")
    site.configure(server="port = 8295")
    await asyncio.to_thread(site.start)
    assert site.sandbox.run("curl", "-s", "http://127.0.0.1:8295/healthz") == "ok\n"
    site.systemctl("stop", UNIT)

    site.sandbox.run("systemd-run", "--unit=other", PYTHON, "-m", "http.server", "8295")
    address = "http://127.0.0.1:8295"
    await eventually(lambda: site.sandbox.attempt("curl", "-s", address).returncode == 0)
    try:
        assert site.systemctl("start", UNIT).returncode != 0
    finally:
        site.systemctl("stop", "other")

    assert site.show("ActiveState") == "failed"
    assert site.show("ExecMainStatus") == "69"
    assert site.restarts == 0
    assert "server.port 8295: Address already in use" in site.show("StatusText")


@pytest.mark.parametrize(
    ("setting", "status"),
    [("storage.data_dir=/var/lib/couachgpt", 74), ("storage.data_dir=/tmp/other", 69)],
)
async def test_row_37_a_second_daemon_is_refused(site: Site, setting: str, status: int) -> None:
    """Inject: the same store, or the same control socket. Expect: the first keeps both."""
    await asyncio.to_thread(site.start)
    before = site.main_pid
    second = site.sandbox.run_as(
        "couachgpt", PROGRAM, f"--set={setting}", "--set=server.port=0",
        "--set=control.socket=/run/couachgpt/control.sock",
    )  # fmt: skip

    assert second.returncode == status, second.stderr
    assert "another daemon" in second.stderr
    assert site.status()["pid"] == int(before)


async def test_a_start_that_takes_long_is_given_the_time(site: Site) -> None:
    """Somebody holds the store for longer than a start may take by itself."""
    site.drop_in(UNIT, TimeoutStartSec=2)
    site.sandbox.run("install", "-d", "-m", "0700", "-o", "couachgpt", "-g", "couachgpt", DATA)
    hold = (
        "import sqlite3, sys, time\n"
        f"store = sqlite3.connect('{DATA}/couachgpt.db', isolation_level=None)\n"
        "store.execute('BEGIN EXCLUSIVE')\n"
        "print(flush=True)\n"
        "time.sleep(4)\n"
    )
    user = ("setpriv", "--reuid=couachgpt", "--regid=couachgpt", "--clear-groups")
    with site.sandbox.popen(*user, PYTHON, "-c", hold) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        began = asyncio.get_running_loop().time()
        done = await asyncio.to_thread(site.systemctl, "start", UNIT)
        seconds = asyncio.get_running_loop().time() - began

    assert done.returncode == 0, site.journal()
    assert seconds > 2


async def test_after_a_reboot_all_is_there_in_its_order(site: Site) -> None:
    site.sandbox.run("systemctl", "enable", UNIT, "ollama.service")
    await asyncio.to_thread(site.start)
    site.add_user("claire")
    async with site.tab() as tab:
        asked = await tab.ask("Avant.")
        await ended(tab, asked)
    try:
        await asyncio.to_thread(site.sandbox.reboot)
        await eventually(site.is_active)

        at = [
            int(site.show(name, unit))
            for name, unit in (
                ("ActiveEnterTimestampMonotonic", SOCKET),
                ("ExecMainStartTimestampMonotonic", "ollama.service"),
                ("ExecMainStartTimestampMonotonic", UNIT),
            )
        ]
        assert at == sorted(at)
        rebooted = Site(site.sandbox)
        async with rebooted.tab() as tab:
            await tab.watch(asked["conversation"])
            assert text_of(asked["answer"], [await tab.next("snapshot")]) == whole(60)
    finally:
        site.sandbox.run("systemctl", "disable", UNIT, SOCKET, "ollama.service")


async def test_ollama_serves_as_many_at_once_as_the_daemon_gives_it(site: Site) -> None:
    await asyncio.to_thread(site.start)
    assert environment(site)["OLLAMA_NUM_PARALLEL"] == "2"
    text = site.sandbox.read(CONFIG)
    site.sandbox.write(CONFIG, text.replace("slots = 2", "slots = 3"))
    site.systemctl("restart", "ollama.service")
    assert environment(site)["OLLAMA_NUM_PARALLEL"] == "3"

    site.sandbox.write(CONFIG, "[engine]\nslots = none\n")  # Ollama starts all the same
    site.systemctl("restart", "ollama.service")
    assert "OLLAMA_NUM_PARALLEL" not in environment(site)

    site.sandbox.run("rm", "-r", UNITS / "ollama.service.d")
    site.sandbox.run("systemctl", "daemon-reload")
    assert site.show("OOMPolicy", "ollama.service") == "stop"  # systemd's own


def environment(site: Site) -> dict[str, str]:
    text = site.sandbox.run("cat", f"/proc/{site.show('MainPID', 'ollama.service')}/environ")
    return dict(each.split("=", 1) for each in text.split("\0") if each)
