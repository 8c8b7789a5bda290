"""`--growth` and `--feed` keep what they measured, however they end."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from unittest import mock

import pytest

from tests.bench import feed, growth
from tests.bench.drive import Reading
from tests.bench.growth import SMALL, GrownStage
from tests.bench.stage import Server

LARGE = 1_000_000
ENDS = pytest.mark.parametrize("end", [SystemExit("3 refused"), KeyboardInterrupt()], ids=["a failure", "Ctrl-C"])


def reading(ms: float) -> Reading:
    return Reading(requests=100, rps=50.0, p50_ms=ms, p99_ms=ms, cpu_ms=ms)


@ENDS
def test_growth(
    end: BaseException, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A round in which only one of the two was asked is no measurement."""
    stages: dict[int, GrownStage] = {entries: mock.Mock(entries=entries) for entries in (SMALL, LARGE)}
    servers: dict[int, Server] = {entries: mock.Mock() for entries in stages}

    def get(stage: GrownStage, _server: Server, _seconds: float) -> Reading:
        return reading(2.0 if stage.entries == LARGE else 1.0)

    put = mock.Mock(side_effect=[reading(1.0), reading(3.0), reading(1.0), end])
    monkeypatch.setattr(growth, "QUESTIONS", {"GET": get, "PUT": put, "heads": get})
    options = argparse.Namespace(rounds=3, seconds=1.0, growth=LARGE)
    with pytest.raises(type(end)) as raised:
        growth._take_turns(stages, servers, options, tmp_path / "growth.json")
    assert raised.value is end
    written = json.loads((tmp_path / "growth.json").read_text())
    rounds = {name: {size: len(each) for size, each in by.items()} for name, by in written["rounds"].items()}
    assert rounds == {
        "GET": {str(SMALL): 2, str(LARGE): 2},
        "PUT": {str(SMALL): 1, str(LARGE): 1},
        "heads": {str(SMALL): 1, str(LARGE): 1},
    }
    assert written["ratios"] == {"GET": 2.0, "PUT": 3.0, "heads": 2.0}
    assert "3.00" in capsys.readouterr().out


@ENDS
def test_feed(end: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    heard = mock.Mock(side_effect=[end])
    with pytest.raises(type(end)) as raised:
        feed._take_turns({"PUT, nobody listens": lambda: reading(1.5), "PUT, 10 hear it": heard}, 2)
    assert raised.value is end
    printed = capsys.readouterr().out
    assert "PUT, nobody listens" in printed
    assert "1.50" in printed
    assert "PUT, 10 hear it" not in printed
