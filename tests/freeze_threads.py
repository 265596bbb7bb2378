"""Freezes the threads of a process that compute, and no others: a decoder that hangs for real.

It takes root, or the same user where Yama lets siblings trace (kernel.yama.ptrace_scope = 0).
A program of its own, because who traces a thread must also reap it: traced from the tests, a child
that is killed meanwhile would never be seen to end. `frozen_decoder` runs it.
"""

import asyncio
import ctypes
import json
import os
import select
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000  # wait for threads, too
SAMPLE_SECONDS = 0.3
BUSY_SHARE = 0.2  # of a core: what streams or waits takes far less
REAP_SECONDS = 0.02


@asynccontextmanager
async def frozen_decoder(pid: int) -> AsyncIterator[list[int]]:
    """Freeze the threads that compute right now; yield their ids, let them go on at the end."""
    pipe = asyncio.subprocess.PIPE
    tracer = await asyncio.create_subprocess_exec(
        sys.executable, "-S", __file__, str(pid), stdin=pipe, stdout=pipe
    )
    assert tracer.stdin is not None
    assert tracer.stdout is not None
    try:
        line = await tracer.stdout.readline()
        assert line, "no thread could be frozen: its words are above"
        yield json.loads(line)
    finally:
        tracer.stdin.close()
        await tracer.wait()


def ticks(pid: int) -> dict[int, int]:
    """Return the CPU of each thread, in ticks."""
    found = {}
    for folder in Path(f"/proc/{pid}/task").iterdir():
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        found[int(folder.name)] = int(fields[11]) + int(fields[12])
    return found


def busy_threads(pid: int) -> list[int]:
    before = ticks(pid)
    time.sleep(SAMPLE_SECONDS)
    least = BUSY_SHARE * SAMPLE_SECONDS * os.sysconf("SC_CLK_TCK")
    return [tid for tid, now in ticks(pid).items() if now - before.get(tid, 0) >= least]


def ptrace(request: int, tid: int) -> None:
    call = ctypes.CDLL(None, use_errno=True).ptrace
    call.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    call.restype = ctypes.c_long
    if call(request, tid, None, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def main() -> None:
    """Freeze the threads of a process that compute, or those that are named after it."""
    threads = [int(each) for each in sys.argv[2:]] or busy_threads(int(sys.argv[1]))
    for tid in threads:
        ptrace(PTRACE_SEIZE, tid)
        ptrace(PTRACE_INTERRUPT, tid)
        os.waitpid(tid, WALL)
    os.write(1, f"{json.dumps(threads)}\n".encode())
    frozen = set(threads)
    while not select.select([sys.stdin], [], [], REAP_SECONDS)[0]:
        for tid in list(frozen):  # those of a process that was killed end here
            if os.waitpid(tid, WALL | os.WNOHANG)[0]:
                frozen.discard(tid)
    for tid in frozen:
        ptrace(PTRACE_DETACH, tid)


if __name__ == "__main__":
    main()
