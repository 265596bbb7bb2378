"""The child process: llama.cpp's server on one model, until told to end or left alone."""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
OOM_SCORE = 500  # when memory ends, the child goes and the daemon stays to say so
EXIT_NOT_INSTALLED = 3


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill us when the parent ends, however it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os._exit(1)


def die_before_others() -> None:
    score = Path("/proc/self/oom_score_adj")
    try:
        if int(score.read_text(encoding="ascii")) < OOM_SCORE:
            score.write_text(str(OOM_SCORE), encoding="ascii")
    except (OSError, ValueError):
        return


def own_standard_output() -> int:
    """Return a private copy of standard output: the library's own prints join its log."""
    output = os.dup(1)
    os.dup2(2, 1)
    return output


def serve(settings: dict[str, Any]) -> Any:
    """Return the server once the model is loaded; raises RuntimeError if it cannot be."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["model"]}
    params.hostnames = ["127.0.0.1"]
    params.port = settings["port"]
    params.api_keys = [settings["api_key"]]
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["slots"] * settings["context_tokens"]
    params.n_batch = params.n_ubatch = settings["batch_tokens"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.cache_ram_mib = settings["host_cache_mib"]
    params.n_cache_reuse = 0  # moving a cached part is an approximation: it changes the text
    params.fit_params = False  # a smaller context than asked would only show as cut answers
    params.endpoint_slots = params.endpoint_metrics = True
    params.ui = False
    return xllamacpp.Server(params)


def main() -> None:
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    # The settings come by standard input: the key must not be in the list of processes.
    settings = json.loads(sys.stdin.buffer.readline())
    die_with_parent(settings["parent"])
    die_before_others()
    output = own_standard_output()
    try:
        server = serve(settings)
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_NOT_INSTALLED)
    ready = json.dumps({"address": server.listening_address})
    os.write(output, f"{ready}\n".encode())
    signal.sigwait(ends)
    os._exit(0)  # nothing to save; taking the server apart would wait for its streams


if __name__ == "__main__":
    main()
