from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.bench import peers
from tests.bench.drive import Reading
from tests.bench.rounds import Contestant, Run, measure_and_report
from tests.bench.scenes import SCENES, Scene
from tests.bench.stage import OURS, Server, Stage

GET, PUT = (scene for scene in SCENES if scene.name in ("GET", "PUT"))
BOTH = ("GET", "PUT")
LOST = "PUT on Kinto: 225 records acknowledged, of which 220 tell"


def contestant(name: str, *, fails: BaseException | None = None, after: int = 0, is_peer: bool = False) -> Contestant:
    """Good at everything but PUT, which fails after so many rounds where there is something to fail with."""
    puts = 0

    def measure(scene: Scene) -> Reading:
        nonlocal puts
        puts += scene is PUT
        if fails is not None and puts > after and scene is PUT:
            raise fails
        return Reading(requests=100, rps=50.0, p50_ms=1.0, p99_ms=2.0, cpu_ms=0.5)

    return Contestant(name, measure, BOTH, is_peer=is_peer)


def run(*contestants: Contestant) -> Run:
    return Run([GET, PUT], list(contestants))


def rounds(run: Run) -> dict[str, dict[str, int]]:
    """How many there are, by scene and contestant."""
    return {scene: {name: len(each) for name, each in by.items()} for scene, by in run.readings.items()}


def report(run: Run, path: Path) -> Any:
    measure_and_report(run, 2, {}, path, peers.comparison)
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    "error",
    [SystemExit(LOST), ConnectionRefusedError(LOST), AssertionError(LOST)],
    ids=lambda error: type(error).__name__,
)
def test_a_peer_that_fails_is_named_and_the_others_go_on(
    error: BaseException, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinto, parse = contestant("Kinto", fails=error, is_peer=True), contestant("Parse Server", is_peer=True)
    written = report(run(contestant(OURS), kinto, parse), tmp_path / "result.json")
    assert {scene: {name: len(each) for name, each in by.items()} for scene, by in written["scenes"].items()} == {
        "GET": {OURS: 2, "Kinto": 2, "Parse Server": 2},
        "PUT": {OURS: 2, "Kinto": 0, "Parse Server": 2},
    }
    assert list(written["failed"]) == ["PUT"]
    assert LOST in written["failed"]["PUT"]["Kinto"]
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("PUT ")]
    assert [line for line in lines if "Kinto" in line and "failed: " in line and LOST in line] != []
    assert [line for line in lines if "Parse Server" in line and "50" in line] != []


def test_a_peer_that_failed_is_neither_asked_again_nor_compared() -> None:
    kinto = contestant("Kinto", fails=SystemExit(LOST), after=1, is_peer=True)
    failing = run(contestant(OURS), kinto)
    failing.measure(3)
    assert rounds(failing) == {"GET": {OURS: 3, "Kinto": 3}, "PUT": {OURS: 3, "Kinto": 1}}
    comparison = peers.comparison(failing.sound())
    assert "GET 1.00" in comparison
    assert "PUT" not in comparison


def test_a_long_reason_takes_one_line_of_the_table() -> None:
    failing = run(contestant("Kinto", fails=SystemExit("did not start:\n" + "a line of its log\n" * 200), is_peer=True))
    failing.measure(1)
    line = failing.table().splitlines()[-1]
    assert "failed: did not start: a line of its log a line" in line
    assert len(line) < 300


REFUSED = SystemExit("PUT on gunicorn: 3 refused")


@pytest.mark.parametrize(
    ("end", "is_peer", "failed"),
    [
        (REFUSED, False, {"PUT": {OURS: str(REFUSED)}}),
        (KeyboardInterrupt(), False, {}),
        (KeyboardInterrupt(), True, {}),
    ],
    ids=["ours fails", "Ctrl-C", "Ctrl-C while a peer has its turn"],
)
def test_what_was_measured_is_kept_where_the_run_ends(
    end: BaseException, is_peer: bool, failed: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "result.json"
    process = subprocess.Popen(["true"])
    process.wait()
    ending = run(contestant(OURS, fails=end, after=1, is_peer=is_peer))
    with pytest.raises(type(end)) as raised:
        measure_and_report(ending, 2, {OURS: Server(OURS, 1, process, 0.5)}, path, peers.comparison)
    assert raised.value is end
    written = json.loads(path.read_text())
    assert {scene: len(by[OURS]) for scene, by in written["scenes"].items()} == {"GET": 2, "PUT": 1}
    assert written["failed"] == failed
    assert written["memory_mb"] == {OURS: []}  # it is gone, which ends nothing else
    assert OURS in capsys.readouterr().out


def test_a_run_that_ends_before_anything_is_measured_leaves_the_last_results(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("the last")
    with pytest.raises(KeyboardInterrupt):
        measure_and_report(Run([PUT], [contestant(OURS, fails=KeyboardInterrupt())]), 2, {}, path, peers.comparison)
    assert path.read_text() == "the last"


def test_a_peer_that_does_not_start_fails_in_its_scenes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    starting = mock.MagicMock()
    starting.return_value.__enter__.side_effect = FileNotFoundError("kinto is not installed")
    monkeypatch.setitem(peers.PEERS, "kinto", starting)
    with ExitStack() as stack:
        kinto = peers.entered(stack, "kinto", Stage(tmp_path, tmp_path, ""), 1, seconds=1, connections=1)
        failing = run(contestant(OURS), kinto)
        failing.measure(1)
    why = "FileNotFoundError: kinto is not installed"
    assert failing.failed == {"GET": {"kinto": why}, "PUT": {"kinto": why}}
    assert rounds(failing) == {"GET": {OURS: 1, "kinto": 0}, "PUT": {OURS: 1, "kinto": 0}}
