"""A deployment killed at every moment: before each call that changes something, and after each answer.

    python benchmarks/killed_deployments.py [--every N]

Each time the old stack with its data, a new template (that ends well, or fails) killed at the moment, and then the new
template or the old one again: what is there must be what the stack knows of and what its template asks for, and data
that no template took away must be there. Takes about five minutes; ends with 1 when anything is not so.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.local.interrupted_world import FAILING, NEW, OLD, Templates, copied, engine_on, faults_after, fill, killed_at

NAMES = {id(OLD): "the old template", id(NEW): "the new template", id(FAILING): "a template that fails"}


def kills(folder: Path, template: Templates, again: Templates, every: int) -> int:
    """Return how many of the moments left something wrong; each is printed."""
    moment, wrong = 0, 0
    while what := killed_at(moment, copied(folder / "data", folder / "killed"), folder / "cdk.out", template):
        faults = faults_after(folder / "killed", folder / "cdk.out", again)
        wrong += bool(faults)
        for fault in faults:
            print(f"  {what}: {fault}")
        moment += every
    print(f"{NAMES[id(template)]} killed, then {NAMES[id(again)]}: {moment // every} kills, {wrong} went wrong")
    return wrong


def main() -> int:
    """Kill at every moment of every pair of templates."""
    parser = argparse.ArgumentParser(description="Kill deployments at every moment.")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th moment only")
    every = parser.parse_args().every
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with engine_on(folder / "data", folder / "cdk.out") as (engine, _):
            engine.deploy(one=OLD)
            fill(engine)
        pairs = ((NEW, NEW), (NEW, OLD), (FAILING, OLD), (FAILING, NEW))
        wrong = sum(kills(folder, template, again, every) for template, again in pairs)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
