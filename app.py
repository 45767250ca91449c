"""`cdk synth`, `cdk deploy --all -c stage=dev`, or `python app.py [STAGE]`: writes cdk.out for one stage."""

import os
import sys
from pathlib import Path

from stacks.project import Project, SynthesisRefused
from stacks.synthesis import app_of


def main() -> int:
    """Synthesize; a problem of the user's files is told without a stack trace."""
    root = Path(__file__).resolve().parent
    outdir = None if "CDK_OUTDIR" in os.environ else str(root / "cdk.out")
    try:
        app_of(Project.at(root), stage=next(iter(sys.argv[1:]), None), outdir=outdir).synth()
    except SynthesisRefused as error:
        print(error, file=sys.stderr)  # noqa: T201 - the program's own message
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
