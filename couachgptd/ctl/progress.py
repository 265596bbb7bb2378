"""How far a fetch is: a line that moves on a terminal, a line at each tenth elsewhere, or JSON."""

import os
import sys
import time
from collections import deque
from typing import Final

from couachgptd.ctl import render
from couachgptd.ctl.texts import _, mark

EVERY_SECONDS: Final = 0.2
RATE_OVER_SECONDS: Final = 5.0

# What may happen on the way; docs/couachgptctl.1.md names these events.
TEXTS = {
    "waiting": mark("Another fetch of this model is under way: waiting for it."),
    "replacing": mark("{path} is damaged or another file: fetching it again."),
    "resuming": mark("Going on from {percent} %."),
    "source": mark("From {source}"),
    "source_failed": mark("Not from there: {reason}"),
    "stage": "{stage}",
    "pulled": mark("{name} is there."),
    "already": mark("{name} is already there: {path}"),
    "done": mark("{name} is there: {path}"),
}
RESULTS = (
    "already",
    "done",
    "pulled",
)  # these are what the command is for: they go to standard output


class Progress:
    """Tells what happens and how many bytes are there, on standard error but for the result."""

    def __init__(self, name: str, total: int, *, as_json: bool) -> None:
        self._name = name
        self._total = total
        self._json = as_json
        self._moves = not as_json and render.is_terminal(sys.stderr)
        self._columns = os.get_terminal_size(2).columns - 1 if self._moves else None
        self._line = ""
        self._shown_at = 0.0
        self._tenth = -1
        self._stage = ""
        self._seen: deque[tuple[float, int]] = deque()

    def say(self, event: str, **fields: object) -> None:
        if self._json:
            self._emit(event, fields)
            return
        self._clear()
        stream = sys.stdout if event in RESULTS else sys.stderr
        text = _(TEXTS[event]).format(name=self._name, **fields)
        print(render.safe(text), file=stream, flush=True)

    def at(self, done: int, *, is_stretch_start: bool = False) -> None:
        """Tell the bytes that are there; the rate is that of the last seconds of one stretch."""
        now = time.monotonic()
        if is_stretch_start:
            self._seen.clear()
        self._seen.append((now, done))
        while now - self._seen[0][0] > RATE_OVER_SECONDS:
            self._seen.popleft()
        if self._moves or self._json:
            if now - self._shown_at < EVERY_SECONDS and done < self._total:
                return
            self._shown_at = now
        rate, left = self._rate(done)
        if self._json:
            fields: dict[str, object] = {
                "bytes": done,
                "total_bytes": self._total,
                "bytes_per_second": rate,
            }
            self._emit("progress", fields | {"seconds_left": left})
        elif self._moves:
            self._clear()
            self._line = self._text(done, rate, left)
            print(f"\r{self._line}", end="", file=sys.stderr, flush=True)
        elif (tenth := 10 * done // self._total) > self._tenth:
            self._tenth = tenth
            print(self._text(done, rate, left), file=sys.stderr, flush=True)

    def step(self, stage: str, done: int, total: int) -> None:
        """Tell of a download by somebody else, who has stages of their own."""
        is_new = stage != self._stage
        self._stage = stage
        if not total:
            if is_new:
                self.say("stage", stage=stage)
            return
        if is_new:
            self._tenth = -1
        self._total = total
        self.at(done, is_stretch_start=is_new)

    def close(self) -> None:
        """Leave the moving line as it is and begin a new one."""
        if self._line:
            self._line = ""
            print(file=sys.stderr, flush=True)

    def _rate(self, done: int) -> tuple[int | None, int | None]:
        first_at, first_done = self._seen[0]
        seconds = self._seen[-1][0] - first_at
        if seconds < EVERY_SECONDS or done <= first_done:
            return None, None
        rate = (done - first_done) / seconds
        return round(rate), round((self._total - done) / rate)

    def _text(self, done: int, rate: int | None, left: int | None) -> str:
        shown = [
            f"{self._name}  {100 * done // self._total:3} %",
            _("{done} of {total}").format(done=render.size(done), total=render.size(self._total)),
        ]
        if rate is not None and left is not None:
            shown.append(_("{size}/s").format(size=render.size(rate)))
            shown.append(_("{duration} left").format(duration=render.duration(left)))
        return "  ".join(shown)[: self._columns]

    def _emit(self, event: str, fields: dict[str, object]) -> None:
        line = {"event": event, "name": self._name, **fields}
        print(render.as_json(line, indent=None), flush=True)

    def _clear(self) -> None:
        if self._line:
            self._line = ""
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
