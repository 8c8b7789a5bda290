"""``python -m tests.bench [--rounds 3] [--seconds 3] [--only PUT] [--against REV] …``"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
os.environ["DOT_VAR"] = str(Path(os.environ.get("DOT_VAR") or HOME / "var").resolve() / "bench" / "here")
os.environ["SECRET_KEY"] = secrets.token_urlsafe(48)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")

import django  # noqa: E402

django.setup(set_prefix=False)

from dotplatform.database.embedded import DATABASE, ROLE, _binaries  # noqa: E402
from tests.bench import feed, growth, peers  # noqa: E402
from tests.bench.drive import CONNECTIONS, Reading, pgbench, wrk  # noqa: E402
from tests.bench.rounds import LIMIT, Contestant, Run, measure_and_report  # noqa: E402
from tests.bench.scenes import SCENES, Scene, requests_of, script_of  # noqa: E402
from tests.bench.stage import OURS, Server, Stage  # noqa: E402


def main() -> None:
    """Measure, print, write JSON; exit 1 where a write of ours is missing or one of our answers was an error."""
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
        servers: dict[str, tuple[Stage, Server]] = {}
        stage = Stage(HOME, folder / "here", os.environ["SECRET_KEY"])
        stack.enter_context(stage.open())
        servers[OURS] = (stage, stack.enter_context(stage.serving(options.port)))
        if options.against:
            other = Stage(stack.enter_context(_checkout(options.against)), folder / "there", stage.secret_key)
            stack.enter_context(other.open())
            servers[f"{OURS} at {options.against}"] = (other, stack.enter_context(other.serving(options.port + 1)))
        contestants = _ours(stage, servers, options)
        for port, name in enumerate(filter(None, options.peers.split(",")), start=options.port + 2):
            contestants.append(
                peers.entered(stack, name, stage, port, seconds=options.seconds, connections=options.connections)
            )
        running = {name: server for name, (_, server) in servers.items()}
        path = options.json or folder / "result.json"
        measure_and_report(Run(scenes, contestants), options.rounds, running, path, peers.comparison)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench BENCH=…", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--only", default="", help=f"some of: {', '.join(scene.name for scene in SCENES)}")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--against", default="", help="a revision to measure in the same run")
    parser.add_argument("--growth", type=int, default=0, help="compare so many entries with 10,000 instead")
    parser.add_argument("--feed", type=int, default=0, help="measure what so many listeners cost instead")
    parser.add_argument("--peers", default="", help=f"some of: {', '.join(peers.PEERS)}; see tests/bench/peers")
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


def _ours(stage: Stage, servers: dict[str, tuple[Stage, Server]], options: argparse.Namespace) -> list[Contestant]:
    """The database alone, and the platform's servers."""
    limited = [scene.name for scene in SCENES if scene.work is not None]
    return [
        Contestant(LIMIT, partial(_limit, stage, options.seconds), limited),
        *(
            Contestant(name, partial(_drive, its_stage, server, options), [scene.name for scene in SCENES])
            for name, (its_stage, server) in servers.items()
        ),
    ]


def _limit(stage: Stage, seconds: float, scene: Scene) -> Reading:
    scripts = [script_of(scene, person) for person in stage.people()]
    dsn = ["-h", str(stage.database.socket_folder), "-U", ROLE, DATABASE]
    return pgbench(_binaries() / "pgbench", dsn, scripts, seconds, [stage.postgres_pid()])


def _drive(stage: Stage, server: Server, options: argparse.Namespace, scene: Scene) -> Reading:
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


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)  # without a traceback, which would push what was measured out of sight
