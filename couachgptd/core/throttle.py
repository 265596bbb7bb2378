"""How often somebody may try a password: a sliding window of failures, by any key."""

from collections import OrderedDict, deque

from couachgptd.core.errors import TooManyAttempts

KEYS_MAX = 10_000  # an attacker with many addresses must not fill the memory


class Throttle:
    """Counts failures of the last `window_seconds`; times are seconds of any steady clock."""

    def __init__(self, attempts: int, window_seconds: float) -> None:
        self._attempts = attempts
        self._window = window_seconds
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, key: str, now: float) -> None:
        """Raise TooManyAttempts, with the seconds to wait, if this key failed too often."""
        failures = self._recent(key, now)
        if len(failures) >= self._attempts:
            wait = failures[0] + self._window - now
            raise TooManyAttempts(retry_seconds=max(1, round(wait)))

    def failed(self, key: str, now: float) -> None:
        failures = self._recent(key, now)
        failures.append(now)
        self._failures[key] = failures
        self._failures.move_to_end(key)
        while len(self._failures) > KEYS_MAX:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        self._failures.pop(key, None)

    def take_back(self, key: str) -> None:
        """Forget the newest failure only: a try that turned out well excuses no other."""
        if failures := self._failures.get(key):
            failures.pop()

    def _recent(self, key: str, now: float) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] <= now - self._window:
            failures.popleft()
        return failures
