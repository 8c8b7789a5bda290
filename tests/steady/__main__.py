"""``python -m tests.steady [--seconds 60]``: steady load through a reload, a database restart, a full disk, Redis gone.

Exit code 0: no wrong answer, no dropped request, only honest 503s, and everything right again without hands. The full
disk needs root (for a small file system in memory), Redis an installed ``redis-server``; without them they are left
out. With ``--url`` it visits a platform that runs elsewhere, and you do the breaking.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.appdata.test_survives_kill import command, descendants, parent
from tests.e2e.conftest import RunningPlatform, free_port_pair, platform_in
from tests.steady.load import Tally, Visit, Visitors, looks, publishes, signs_in, writes

ALICE, OPERATOR = "alice@example.com", "operator@example.com"
AWAY_S = 4.0  # how long something stays away
RECOVERY_S = 20.0
DISK_BYTES = 512 * 1024 * 1024

Acts = Mapping[str, Callable[[], None]]


def main() -> None:
    """Parse, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.steady", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--url", default="", help="of a platform that runs already")
    parser.add_argument("--token", default="", help="for --url: an access token of somebody who has the app notes")
    options = parser.parse_args()
    if options.url:
        tally = run(options.url, visits(options.token), {}, options.seconds)
    else:
        tally = on_a_platform_of_its_own(options.seconds)
    print(tally)
    sys.exit(0 if tally.is_clean() else 1)


def visits(token: str) -> dict[str, Visit]:
    """Four write, two look around."""
    found = {f"write {number}": writes(token, f"steady-{number}") for number in range(4)}
    return found | {f"look {number}": looks("/apps", "/", "/apps/notes") for number in range(2)}


def run(url: str, visitors: Mapping[str, Visit], acts: Acts, seconds: float) -> Tally:
    """Load for at least *seconds*, the acts spread over it; after each, everything must become right again."""
    with Visitors(url, visitors) as tally:
        pause_s = seconds / (len(acts) + 1)
        for name, act in acts.items():
            time.sleep(pause_s)
            before = tally.refusals()
            act()
            recovered_s = tally.seconds_until_right(RECOVERY_S)
            print(f"{name}: {tally.refusals() - before} honest 503s, right after {recovered_s:.1f} s", flush=True)
        time.sleep(pause_s)
    return tally


def on_a_platform_of_its_own(seconds: float) -> Tally:
    """The whole platform in a temporary folder, with its storage on a disk that can be filled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        storage = folder / "var" / "storage"
        acts: dict[str, Callable[[], None]] = {
            "kill -HUP": lambda: reload_code(platform),
            "database restart": lambda: restart_database(platform),
        }
        extra: dict[str, str] = {}
        if os.geteuid() == 0:
            stack.enter_context(small_disk(storage))
            acts["full disk"] = lambda: fill(storage)
        if shutil.which("redis-server"):
            redis = stack.enter_context(Redis(folder))
            extra["CACHE_URL"] = redis.url
            acts["Redis gone"] = redis.go_away
        acts["kill -HUP again"] = lambda: reload_code(platform)
        platform = stack.enter_context(platform_in(folder, extra))
        return run(platform.url, everybody(platform), acts, seconds)


def everybody(platform: RunningPlatform) -> dict[str, Visit]:
    """The visits, and one who signs in and one who publishes."""

    def token(person: str, scopes: str) -> str:
        return platform.manage("issue_token", person, "--scopes", scopes).stdout.strip()

    return {
        **visits(token(ALICE, "data:read,data:write")),
        "sign-in": signs_in(ALICE),
        "publish": publishes(token(OPERATOR, "registry:publish")),
    }


def reload_code(platform: RunningPlatform) -> None:
    """``kill -HUP`` of the web server's first process, and every process behind it is a new one."""
    everybody = [pid for pid in descendants(platform.process.pid) if b"dotplatform.wsgi" in command(pid)]
    (master,) = [pid for pid in everybody if parent(pid) not in everybody]
    workers = {pid for pid in everybody if pid != master}
    os.kill(master, signal.SIGHUP)
    while workers & set(descendants(master)):
        time.sleep(0.05)


def restart_database(platform: RunningPlatform) -> None:
    """A fast shutdown; the supervisor starts it again."""
    os.kill(int((platform.var / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGINT)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own at *folder*."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> None:
    """No byte is free for a while."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"\0" * 65536):
                pass
        time.sleep(AWAY_S)
    finally:
        filler.unlink()


class Redis:
    """A cache that can go away and comes back empty."""

    def __init__(self, folder: Path) -> None:
        port = free_port_pair()
        self.url = f"redis://127.0.0.1:{port}/0"
        self._command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]

    def __enter__(self) -> Redis:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.wait()

    def go_away(self) -> None:
        """Killed, and started again a little later."""
        self.__exit__()
        time.sleep(AWAY_S)
        self.__enter__()


if __name__ == "__main__":
    main()
