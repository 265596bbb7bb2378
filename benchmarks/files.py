"""How long an attached file takes to be read or refused, and what it costs the daemon's memory."""

import http.client
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from benchmarks import programs
from benchmarks.machine import load_average, rss_mib
from benchmarks.report import Report, Target, parser
from couachgptd.http.sessions import COOKIE
from tests.sandbox import samples

MIB = 1024 * 1024
TIMES = 5
REFUSED_WITHIN_S = 5
GREW_AT_MOST_MIB = 10  # over all of them; what a request comes and goes with is within it
HUGE_BYTES = 200 * MIB
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"|"csrf": ?"([0-9a-f]+)"')
# The library alone in a bare process: no wall, no look at the archive, no bound but these two,
# which keep the machine usable.
ALONE_MIB, ALONE_CPU_SECONDS = 4096, 20
ALONE = f"""
import io, resource, sys, warnings, zipfile
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, ({ALONE_MIB * MIB},) * 2)
resource.setrlimit(resource.RLIMIT_CPU, ({ALONE_CPU_SECONDS},) * 2)
from couachgptd.sandbox import documents
data = sys.stdin.buffer.read()
given = zipfile.ZipFile(io.BytesIO(data)) if sys.argv[1] == "odt" else data
ended = "text"
try:
    for piece in getattr(documents, sys.argv[1])(given):
        pass
except BaseException as error:
    ended = type(error).__name__
held = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(int(held.split()[1]) / 1024, ended)
"""


@dataclass(frozen=True, slots=True)
class File:
    """What is sent; `library`: which would read it, if one would."""

    called: str
    name: str
    made: Callable[[], bytes]
    library: str | None = None
    said_bytes: int | None = None  # what its length is said to be, where that is not true
    is_bad: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """One file through the daemon; beside it, once, the library alone."""

    file: str
    kib: float
    answer: str
    median_s: float
    slowest_s: float
    daemon_grew_mib: float
    alone_s: float | None
    alone_peak_mib: float | None
    alone_ended: str | None
    load: float


def bomb(paragraphs: int) -> bytes:
    """Return a document of empty paragraphs: 20 million are 206 kB, and 120 MB unpacked."""
    head = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    body = f"{head}<w:body>{'<w:p/>' * paragraphs}</w:body></w:document>"
    return samples.replaced(samples.docx(), "word/document.xml", body.encode())


def locked_pdf() -> bytes:
    return samples.pdf("a", user_password="x")  # noqa: S106 -- what a file is locked with


def table_of_cells(count: int) -> bytes:
    row = tuple(range(30))
    return samples.xlsx(*[row] * (count // len(row)))


FILES = (
    File("a letter", "contrat.docx", samples.docx, "docx", is_bad=False),
    File("20 pages", "notes.pdf", lambda: samples.pdf(*["Page"] * 20), "pdf", is_bad=False),
    File("2,000 pages", "gros.pdf", lambda: samples.pdf(*["Page"] * 2000), "pdf", is_bad=False),
    File("300,000 cells", "v.xlsx", lambda: table_of_cells(300_000), "xlsx", is_bad=False),
    File("empty", "vide.txt", bytes),
    File("encrypted", "secret.pdf", locked_pdf, "pdf"),
    File("zip bomb", "bombe.docx", lambda: bomb(20_000_000), "docx"),
    File("entities", "rires.odt", lambda: samples.odt("&l9;", before=samples.BILLION), "odt"),
    File("wrong ending", "lettre.pdf", samples.docx),
    File("name with ../", "../../etc/passwd", lambda: b"a"),
    File("200 MB", "gros.txt", lambda: b"a" * MIB, said_bytes=HUGE_BYTES),
)
# Not given to the library alone, which takes all of its seconds at it.
QUICK_BOMB = File("zip bomb", "bombe.docx", lambda: bomb(1_000_000))
QUICK_FILES = (FILES[0], QUICK_BOMB, FILES[-1])


class Sender:
    """What a browser does to send a file."""

    def __init__(self, daemon: programs.Program) -> None:
        self._host = urlsplit(daemon.url).netloc
        cookie = f"{COOKIE}={daemon.cookies[0]}"
        connection = self._connection()
        connection.request("GET", "/", headers={"Cookie": cookie})
        found = TOKEN.search(connection.getresponse().read().decode())
        connection.close()
        if found is None:
            raise RuntimeError("the chat page has no token for forms")
        self._headers = {
            "Cookie": cookie,
            "Accept": "application/json",
            "Origin": daemon.url,
            "X-Form-Token": found[1] or found[2],
        }

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, timeout=60)

    def send(self, file: File, data: bytes) -> tuple[str, float]:
        """Return what was answered, and after how many seconds."""
        connection = self._connection()
        length = len(data) if file.said_bytes is None else file.said_bytes
        headers = {"X-File-Name": quote(file.name, safe=""), "Content-Length": str(length)}
        began = time.monotonic()
        connection.request("POST", "/attachments", body=data, headers=self._headers | headers)
        response = connection.getresponse()
        told = json.loads(response.read())
        seconds = time.monotonic() - began
        connection.close()
        return f"{response.status} {_word(told)}", seconds


def _word(told: Mapping[str, Any]) -> str:
    if "attachment" in told:
        taken = told["attachment"]
        return f"{taken['kind']}, in part" if taken["is_cut"] else str(taken["kind"])
    error = told["error"]
    return str(error["fields"].get("reason", error["code"]))


def alone(library: str, data: bytes) -> tuple[float, float | None, str]:
    """Return the seconds, the most MiB and the end of a bare process with the library."""
    began = time.monotonic()
    process = subprocess.run(
        [sys.executable, "-c", ALONE, library],
        cwd=programs.ROOT,
        input=data,
        stdout=subprocess.PIPE,
        check=False,
    )
    seconds = time.monotonic() - began
    if process.returncode != 0:
        return seconds, None, f"signal {-process.returncode}"
    held, ended = process.stdout.decode().split()
    return seconds, float(held), ended


def measure(daemon: programs.Program, sender: Sender, file: File, times: int) -> Sent:
    data = file.made()
    before = rss_mib(daemon.pid)
    sent = [sender.send(file, data) for _ in range(times)]
    grew = rss_mib(daemon.pid) - before
    found = alone(file.library, data) if file.library else None
    return Sent(
        file.called,
        (file.said_bytes or len(data)) / 1024,
        ", ".join(sorted({answer for answer, _ in sent})),
        statistics.median(seconds for _, seconds in sent),
        max(seconds for _, seconds in sent),
        grew,
        found and found[0],
        found and found[1],
        found and found[2],
        load_average(),
    )


def run(files: tuple[File, ...], times: int) -> Report:
    report = Report("files")
    with (
        programs.data_directory() as directory,
        programs.fake_ollama() as ollama,
        programs.daemon(directory, kind="ollama", ollama_url=ollama.url, people=1) as daemon,
    ):
        sender = Sender(daemon)
        sender.send(FILES[0], FILES[0].made())  # what the daemon loads with the first
        before = rss_mib(daemon.pid)
        rows = {file: measure(daemon, sender, file, times) for file in files}
        grew = rss_mib(daemon.pid) - before
    report.rows += rows.values()
    slowest = max(row.slowest_s for file, row in rows.items() if file.is_bad)
    report.targets += [
        Target("the slowest refusal", slowest, REFUSED_WITHIN_S, "s"),
        Target("growth of the daemon over all", grew, GREW_AT_MOST_MIB, "MiB"),
    ]
    return report


def main() -> None:
    chosen = parser(__doc__).parse_args()
    report = run(QUICK_FILES, 1) if chosen.quick else run(FILES, TIMES)
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
