"""The exit codes of couachgptctl, as its manual page lists them."""

# Not `Final`: importing typing would double the time that couachgptctl takes to start.
OK = 0
FAILED = 1
USAGE = 2
NOT_RUNNING = 3
NOT_PERMITTED = 4
TIMED_OUT = 6
DEGRADED = 10  # status --check: it runs, and somebody should look
ENGINE_FAILED = 11  # status --check: people get no answers
INTERRUPTED = 130
