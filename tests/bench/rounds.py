"""Rounds in which the contestants take turns, and their table: what was measured is kept, however the run ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Container, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.drive import Reading
from tests.bench.scenes import Scene
from tests.bench.stage import HOME, OURS, Server

LIMIT = "pgbench"
WHY_CHARS = 200  # of a reason in the table; the JSON has it whole
Readings = dict[str, dict[str, list[Reading]]]  # scene → contestant → one reading a round


@dataclass(frozen=True)
class Contestant:
    """Somebody who takes part in *scenes*. *measure* raises where the proof fails that it did what it said."""

    name: str
    measure: Callable[[Scene], Reading]
    scenes: Container[str]
    is_peer: bool = False  # somebody else's program: it may fail, and the others go on


@dataclass
class Run:
    """What was measured, and who failed in what: *failed* is scene → contestant → why."""

    scenes: list[Scene]
    contestants: list[Contestant]
    readings: Readings = field(init=False)
    failed: dict[str, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.readings = {
            scene.name: {one.name: [] for one in self.contestants if scene.name in one.scenes} for scene in self.scenes
        }
        self.failed = {scene.name: {} for scene in self.scenes}

    def measure(self, rounds: int) -> None:
        """Every scene in every round: what disturbs the machine disturbs all. Ends where one of ours fails."""
        for number in range(rounds):
            for scene in self.scenes:
                _progress(f"round {number + 1} of {rounds}: {scene.name}")
                for contestant in self.contestants:
                    if scene.name in contestant.scenes and contestant.name not in self.failed[scene.name]:
                        self._take(contestant, scene)

    def _take(self, contestant: Contestant, scene: Scene) -> None:
        try:
            reading = contestant.measure(scene)
        except (Exception, SystemExit) as error:
            self.failed[scene.name][contestant.name] = _why(error)
            if not contestant.is_peer:
                raise
        else:
            self.readings[scene.name][contestant.name].append(reading)

    def sound(self) -> Readings:
        """The readings without those who failed: what they did before cannot be compared with anybody."""
        return {
            scene: {name: rounds for name, rounds in by_name.items() if name not in self.failed[scene]}
            for scene, by_name in self.readings.items()
        }

    def table(self) -> str:
        """Medians of the rounds, and below them why somebody had no more of them."""
        head = f"{'':12}{'':28}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'of limit':>10}{'target':>8}"
        lines = [head]
        for scene in self.scenes:
            tops = self.readings[scene.name].get(LIMIT, [])
            for name, rounds in self.readings[scene.name].items():
                if rounds:
                    lines.append(f"{scene.name:12}{name:28}{_numbers(scene, name, rounds, tops)}")
                if reason := self.failed[scene.name].get(name):
                    lines.append(f"{scene.name:12}{name:28} failed: {' '.join(reason.split())[:WHY_CHARS]}")
        return "\n".join(lines)

    def document(self) -> dict[str, Any]:
        """The same for programs, with every round."""
        return {
            "scenes": {
                scene: {name: [asdict(one) for one in rounds] for name, rounds in by_name.items()}
                for scene, by_name in self.readings.items()
            },
            "failed": {scene: reasons for scene, reasons in self.failed.items() if reasons},
        }


def measure_and_report(
    run: Run, rounds: int, servers: Mapping[str, Server], path: Path, comparison: Callable[[Readings], str]
) -> None:
    """Measure, print, and write JSON to *path*: also where one of ours fails, or somebody presses Ctrl-C."""
    try:
        run.measure(rounds)
    finally:
        if any(of_one for by_name in run.readings.values() for of_one in by_name.values()):
            _report(run, servers, path, comparison)


def _report(run: Run, servers: Mapping[str, Server], path: Path, comparison: Callable[[Readings], str]) -> None:
    memory = {name: _memory_mb(server.process.pid) for name, server in servers.items()}
    started = {name: server.started_s for name, server in servers.items()}
    _write(path, {**run.document(), "started_s": started, "memory_mb": memory})
    print("\n".join(filter(None, [run.table(), comparison(run.sound())])))
    for name in servers:
        largest = max(memory[name], default=0)
        print(f"{name}: up after {started[name]:.1f} s (target: 3), largest process {largest:.0f} MB (target: 120)")
    print(f"Written to {path}", flush=True)


def _why(error: BaseException) -> str:
    """What an error says; the checks say it all themselves, of others the kind tells something too."""
    return str(error) if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"


def _numbers(scene: Scene, name: str, rounds: list[Reading], tops: list[Reading]) -> str:
    rps = median(one.rps for one in rounds)
    middle = [median(getattr(one, what) for one in rounds) for what in ("p50_ms", "p99_ms", "cpu_ms")]
    ratios = [one.rps / top.rps for one, top in zip(rounds, tops, strict=False)]
    ratio = f"{median(ratios):.2f}" if ratios else ""
    target = f"{scene.target:.2f}" if scene.target and name.startswith(OURS) else ""
    return f"{rps:11,.0f}{''.join(f'{number:9.2f}' for number in middle)}{ratio:>10}{target:>8}"


def _memory_mb(pid: int) -> list[float]:
    """Resident memory of the server's processes, less what they share with others (``Pss``)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == pid:
                    lines = (entry / "smaps_rollup").read_text().splitlines()
                    found.append(next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024)
            except (OSError, StopIteration):
                continue
    return found


def _write(path: Path, found: dict[str, Any]) -> None:
    revision = subprocess.run(
        ["git", "-C", str(HOME), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    document = {
        "revision": revision,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        **found,
    }
    path.write_text(json.dumps(document, indent=1) + "\n")


def _progress(text: str) -> None:
    sys.stderr.write(f"\r{text:60}")
    sys.stderr.flush()
