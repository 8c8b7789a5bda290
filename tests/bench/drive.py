"""Drives a server with ``wrk`` and the database with ``pgbench``, and says what it cost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

CONNECTIONS = 16
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Reading:
    """One measured interval."""

    requests: int
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # of the servers and the database together, a request
    refused: int = 0  # answers of 400 and above
    broken: int = 0  # no answer


def cpu_seconds(roots: Collection[int]) -> float:
    """Processor time of these processes and all below them, the ended ones included.

    One that is just ending may be in no sum: gone when it is looked at, and not yet its parent's when that was. So this
    looks until nobody came or went.
    """
    used: dict[int, float] = {}
    while True:
        before, used = used, _used(roots)
        if used.keys() == before.keys():
            return sum(used.values())
        time.sleep(0.01)


def _used(roots: Iterable[int]) -> dict[int, float]:
    """Processor time, in seconds, of each of these processes and those below them: its own and that of its dead."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.name)] = int(fields[1])
        used[int(entry.name)] = sum(map(int, fields[11:15])) / _TICKS

    def is_below(pid: int) -> bool:
        while pid and pid not in wanted:
            pid = parents.get(pid, 0)
        return pid in wanted

    wanted = set(roots)
    return {pid: seconds for pid, seconds in used.items() if is_below(pid)}


def wrk(port: int, requests: list[bytes], seconds: float, processes: list[int], connections: int) -> Reading:
    """Send *requests* to the server on *port* for so long; *processes* are charged for it."""
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        for request in requests:
            file.write(b"%010d" % len(request) + request)
        file.flush()
        script = str(Path(__file__).with_name("load.lua"))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s", script]
        before = cpu_seconds(processes)
        output = _run([*command, f"http://127.0.0.1:{port}/", "--", file.name])
        cpu_s = cpu_seconds(processes) - before
    found = re.search(r"RESULT (\{.*\})", output)
    assert found, output
    result = json.loads(found[1])
    return Reading(
        requests=result["requests"],
        rps=result["requests"] / result["seconds"],
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        cpu_ms=cpu_s * 1000 / max(1, result["requests"]),
        refused=result["refused"],
        broken=result["broken"],
    )


def pgbench(
    binary: Path,
    dsn: list[str],
    scripts: list[str],
    seconds: float,
    processes: list[int],
    *,
    connections: int = CONNECTIONS,
) -> Reading:
    """Run *scripts* (chosen at random) for so long, prepared, over as many connections as wrk has."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, script in enumerate(scripts):
            path = Path(folder) / f"{number}.sql"
            path.write_text(script)
            files += ["-f", str(path)]
        options = ["-n", "-M", "prepared", f"-c{connections}", "-j1", f"-T{max(1, round(seconds))}"]
        log = ["-l", "--sampling-rate=0.2", f"--log-prefix={folder}/log"]
        before = cpu_seconds(processes)
        output = _run([str(binary), *options, *log, *files, *dsn])
        cpu_s = cpu_seconds(processes) - before
        lines = [line for path in Path(folder).glob("log*") for line in path.read_text().splitlines()]
    transactions = int(re.search(r"actually processed: (\d+)", output)[1])  # type: ignore[index]
    tps = float(re.search(r"tps = ([\d.]+)", output)[1])  # type: ignore[index]
    cuts = quantiles((int(line.split()[2]) / 1000 for line in lines), n=100)
    return Reading(transactions, tps, cuts[49], cuts[98], cpu_s * 1000 / transactions)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
