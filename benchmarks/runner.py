"""Runs of many (problem, solver) pairs in processes of their own, one JSON line each, ended when they hang.

A file of lines is all the state: what is in it already is not run again, so that an interruption costs one run.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

COMPILING, GRACE, JUDGING = 180.0, 10.0, 120.0
"""Seconds of the processor allowed to compile, beyond the time limit of a walk, and to judge the point."""

SLOWED = 4.0
"""Times as long that a busy machine may make them."""

QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu",
         "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}  # fmt: skip
"""One thread for each run, so that two runs side by side measure what one does."""

Run = dict[str, Any]


class Gone(Exception):
    """The process said nothing for too long, or ended by itself."""


class Hung(Gone):
    """It said nothing for too long."""


class Worker:
    """One process, started when it is first needed and again after it was ended."""

    def __init__(self, command: Sequence[str] = (sys.executable, "-m", "benchmarks.worker")) -> None:
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.rest = b""

    def run(self, problem: str, solver: str, seconds: float) -> Run:
        """What its lines told; ``ended`` is judged, walked (the judge was lost), failed, hung or died."""
        told: Run = {}
        patience = {"ready": COMPILING, "walking": seconds + GRACE, "walked": JUDGING}
        event = "ready"
        try:
            self._send({"problem": problem, "solver": solver, "seconds": seconds})
            while event not in ("judged", "failed"):
                answer = self._next(patience[event])
                event = answer.pop("event")
                told |= answer
        except Gone as reason:
            told["message"] = f"{told.get('message', '')} {reason}".strip()
            if event != "walked":
                event = "hung" if isinstance(reason, Hung) else "died"
            self.end()
        return {"ended": event, **told}

    def _send(self, task: Mapping[str, Any]) -> None:
        if self.process is not None and self.process.poll() is not None:
            self.end()
        if self.process is None:
            self.rest = b""
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, env=os.environ | QUIET)
            self._next(COMPILING)
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(task).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Gone(f"its process ended with code {self.process.wait()}") from error

    def _next(self, patience: float) -> Run:
        assert self.process is not None and self.process.stdout is not None
        pipe, start, before = self.process.stdout.fileno(), time.monotonic(), self._worked()
        while b"\n" not in self.rest:
            if not select.select([pipe], [], [], 0.5)[0]:
                if self._worked() - before > patience or time.monotonic() - start > SLOWED * patience:
                    raise Hung(f"nothing for {patience:.0f} s")
                continue
            piece = os.read(pipe, 1 << 20)
            if not piece:
                raise Gone(f"its process ended with code {self.process.wait()}")
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def _worked(self) -> float:
        import psutil

        assert self.process is not None
        try:
            times = psutil.Process(self.process.pid).cpu_times()
        except psutil.Error:
            return 0.0
        return times.user + times.system

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            with self.process:  # closes its pipes and waits
                pass
            self.process = None


def read(paths: Iterable[Path]) -> list[Run]:
    """All runs of these files; a line that an interruption cut is left out, the later of two of one kind counts."""
    runs: dict[tuple[str, str], Run] = {}
    for path in paths:
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                run = json.loads(line)
            except json.JSONDecodeError:
                continue
            runs[run["problem"], run["solver"]] = run
    return list(runs.values())


def run_all(
    tasks: Sequence[tuple[str, int, str]], path: Path, seconds: float = 15.0, workers: int = 1
) -> Iterator[Run]:
    """Run (problem, size, solver), those of one problem in one process; yields each run once its line is written."""
    done = {(run["problem"], run["solver"]) for run in read([path])}
    left = [task for task in tasks if (task[0], task[2]) not in done]
    groups = iter([list(group) for _, group in groupby(left, key=lambda task: task[0])])
    lock, finished = threading.Lock(), threading.Semaphore(0)
    runs: list[Run] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.read_bytes().endswith(b"\n"):
        with path.open("a") as file:
            file.write("\n")  # ends the line that an interruption cut

    def work() -> None:
        worker = Worker()
        try:
            while True:
                with lock:
                    group = next(groups, None)
                if group is None:
                    return
                for problem, size, solver in group:
                    run = {"problem": problem, "n": size, "solver": solver, **worker.run(problem, solver, seconds)}
                    with lock, path.open("a") as file:
                        file.write(json.dumps(run) + "\n")
                        runs.append(run)
                    finished.release()
        finally:
            worker.end()

    for _ in range(workers):
        threading.Thread(target=work, daemon=True).start()
    for k in range(len(left)):
        finished.acquire()
        yield runs[k]
