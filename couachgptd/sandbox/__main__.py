"""The worker: limits itself, reads one request, does the job of that name, answers, ends."""

import logging
import resource
import sys
import warnings
from collections.abc import Callable, Mapping

from couachgptd.sandbox import extract, frames, logo
from couachgptd.sandbox.frames import Status
from couachgptd.sandbox.refusal import Refused

JOBS: Mapping[str, Callable[[bytes], bytes]] = {
    "logo": logo.check,
    "extract": extract.extract,
    "extract_html": extract.extract_html,
}

# Below what the units allow, and the only bounds where bubblewrap starts us.
LIMITS = {
    resource.RLIMIT_AS: 256 * 1024 * 1024,
    resource.RLIMIT_CPU: 4,  # seconds
    resource.RLIMIT_NPROC: 0,  # no process or thread more
    resource.RLIMIT_NOFILE: 32,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_CORE: 0,
}


def main() -> None:
    for kind, most in LIMITS.items():
        resource.setrlimit(kind, (most, most))
    # Nobody reads what the libraries complain of, and a full pipe would stop us.
    logging.disable()
    warnings.simplefilter("ignore")
    job, data = frames.read_request(sys.stdin.buffer)
    try:
        told = frames.answer(Status.DONE, JOBS[job](data))
    except Refused as refusal:
        told = frames.answer(Status.REFUSED, refusal.reason.encode("ascii"))
    except MemoryError:
        told = frames.answer(Status.OUT_OF_MEMORY)
    sys.stdout.buffer.write(told)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
