"""``python -m tests.bench [--rounds 3] [--seconds 3] [--only PUT] [--servers gunicorn,granian] [--against REV] …``"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

HOME = Path(__file__).resolve().parents[2]
os.environ["DOT_VAR"] = str(Path(os.environ.get("DOT_VAR") or HOME / "var").resolve() / "bench" / "here")
os.environ["SECRET_KEY"] = secrets.token_urlsafe(48)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")

import django  # noqa: E402

django.setup(set_prefix=False)

from dotplatform.database.embedded import DATABASE, ROLE, _binaries  # noqa: E402
from tests.bench import feed, growth  # noqa: E402
from tests.bench.drive import CONNECTIONS, Reading, pgbench, wrk  # noqa: E402
from tests.bench.peers import PEERS, comparison  # noqa: E402
from tests.bench.peers.peer import SCENES as PEERS_SCENES, Peer  # noqa: E402
from tests.bench.scenes import SCENES, Scene, requests_of, script_of  # noqa: E402
from tests.bench.stage import SERVERS, Server, Stage  # noqa: E402

LIMIT = "pgbench"
Readings = dict[str, dict[str, list[Reading]]]  # scene → contestant → one reading a round


def main() -> None:
    """Measure, print, write JSON; exit 1 where a write is missing or an answer was an error."""
    options = _options()
    folder = Path(os.environ["DOT_VAR"]).parent
    if options.growth:
        growth.main(options, folder, os.environ["SECRET_KEY"])
        return
    if options.feed:
        feed.main(options, folder, os.environ["SECRET_KEY"])
        return
    named = options.only.split(",") if options.only else [scene.name for scene in SCENES if not scene.only_if_named]
    scenes = [scene for scene in SCENES if scene.name in named]
    with ExitStack() as stack:
        contestants: dict[str, tuple[Stage, Server]] = {}
        stage = Stage(HOME, folder / "here", os.environ["SECRET_KEY"])
        stack.enter_context(stage.open())
        port = options.port
        for name in options.servers.split(","):
            contestants[name] = (stage, stack.enter_context(stage.serving(name, port)))
            port += 1
        if options.against:
            other = Stage(stack.enter_context(_checkout(options.against)), folder / "there", stage.secret_key)
            stack.enter_context(other.open())
            for name in options.servers.split(","):
                label = f"{name} at {options.against}"
                contestants[label] = (other, stack.enter_context(other.serving(name, port)))
                port += 1
        peers = []
        for name in filter(None, options.peers.split(",")):
            peers.append(stack.enter_context(PEERS[name](stage, port)))
            port += 1
        readings = _measure(scenes, stage, contestants, peers, options)
        started = {label: server.started_s for label, (_, server) in contestants.items()}
        memory = {label: _memory_mb(server.process.pid) for label, (_, server) in contestants.items()}
    print(_table(readings, scenes))
    if peers:
        print(comparison(readings))
    for label in contestants:
        largest = max(memory[label])
        print(f"{label}: up after {started[label]:.1f} s (target: 3), largest process {largest:.0f} MB (target: 120)")
    _write(options.json or folder / "result.json", readings, started, memory)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench BENCH=…", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--only", default="", help=f"some of: {', '.join(scene.name for scene in SCENES)}")
    parser.add_argument("--servers", default=",".join(SERVERS))
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--against", default="", help="a revision to measure in the same run")
    parser.add_argument("--growth", type=int, default=0, help="compare so many entries with 10,000 instead")
    parser.add_argument("--feed", type=int, default=0, help="measure what so many listeners cost instead")
    parser.add_argument("--peers", default="", help=f"some of: {', '.join(PEERS)}; see tests/bench/peers")
    parser.add_argument("--port", type=int, default=18180)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


@contextmanager
def _checkout(revision: str) -> Iterator[Path]:
    """The code of *revision* in a folder beside this one."""
    folder = Path(os.environ["DOT_VAR"]).parent / "code"
    git = ["git", "-C", str(HOME), "worktree"]
    subprocess.run([*git, "add", "--detach", "--force", str(folder), revision], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True, capture_output=True)


def _measure(
    scenes: list[Scene],
    stage: Stage,
    contestants: dict[str, tuple[Stage, Server]],
    peers: list[Peer],
    options: argparse.Namespace,
) -> Readings:
    """Rounds of every scene, in which the contestants take turns: what disturbs the machine disturbs them all."""
    readings: Readings = {scene.name: {LIMIT: [], **{label: [] for label in contestants}} for scene in scenes}
    for number in range(options.rounds):
        for scene in scenes:
            _progress(f"round {number + 1} of {options.rounds}: {scene.name}")
            if scene.work is not None:
                scripts = [script_of(scene, person) for person in stage.people()]
                dsn = ["-h", str(stage.database.socket_folder), "-U", ROLE, DATABASE]
                limit = pgbench(_binaries() / "pgbench", dsn, scripts, options.seconds, [stage.postgres_pid()])
                readings[scene.name][LIMIT].append(limit)
            for label, (its_stage, server) in contestants.items():
                reading = _drive(scene, its_stage, server, options)
                readings[scene.name][label].append(reading)
            for peer in peers if scene.name in PEERS_SCENES else []:
                reading = peer.measure(scene, options.seconds, options.connections)
                readings[scene.name].setdefault(peer.server.name, []).append(reading)
    return readings


def _drive(scene: Scene, stage: Stage, server: Server, options: argparse.Namespace) -> Reading:
    """One measurement of one server, and the proof that it did what it said."""
    processes = [server.process.pid, stage.postgres_pid()]
    requests = requests_of(scene, stage.people())
    wrk(server.port, requests, 0.5, processes, options.connections)  # connections, caches, prepared statements
    before = stage.settled(scene.rows)
    reading = wrk(server.port, requests, options.seconds, processes, options.connections)
    written = stage.settled(scene.rows) - before
    if reading.refused or reading.broken:
        raise SystemExit(f"{scene.name} on {server.name}: {reading.refused} refused, {reading.broken} without answer")
    if scene.writes:
        # wrk hangs up on the requests that are under way at the end; those may have been written as well.
        expected = reading.requests * scene.writes
        if not expected <= written <= expected + options.connections * scene.writes:
            raise SystemExit(f"{scene.name} on {server.name}: {expected} writes acknowledged, {written} are there")
    return reading


def _table(readings: Readings, scenes: list[Scene]) -> str:
    head = f"{'':12}{'':28}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'of limit':>10}{'target':>8}"
    lines = [head]
    for scene in scenes:
        tops = readings[scene.name][LIMIT]
        for label, rounds in readings[scene.name].items():
            if not rounds:
                continue
            rps = median(one.rps for one in rounds)
            middle = [median(getattr(one, name) for one in rounds) for name in ("p50_ms", "p99_ms", "cpu_ms")]
            ratios = [one.rps / top.rps for one, top in zip(rounds, tops, strict=False)]
            ratio = f"{median(ratios):.2f}" if ratios else ""
            target = f"{scene.target:.2f}" if scene.target and label.startswith(tuple(SERVERS)) else ""
            numbers = "".join(f"{number:9.2f}" for number in middle)
            lines.append(f"{scene.name:12}{label:28}{rps:11,.0f}{numbers}{ratio:>10}{target:>8}")
    return "\n".join(lines)


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


def _write(path: Path, readings: Readings, started: dict[str, float], memory: dict[str, list[float]]) -> None:
    revision = subprocess.run(
        ["git", "-C", str(HOME), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    rounds = {
        scene: {label: [asdict(one) for one in of_one] for label, of_one in by_label.items()}
        for scene, by_label in readings.items()
    }
    document = {
        "revision": revision,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "scenes": rounds,
        "started_s": started,
        "memory_mb": memory,
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"Written to {path}")


def _progress(text: str) -> None:
    sys.stderr.write(f"\r{text:60}")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
