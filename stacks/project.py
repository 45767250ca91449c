"""Where things lie in a checkout: our code, the user's models and stages, and what set-up has built."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


class SynthesisRefused(Exception):
    """The app cannot be synthesized; the message says what is wrong and which command or edit helps."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """`code` is this repository; `home` holds models/ and stages.yaml (the same folder, except in tests)."""

    code: Path
    home: Path

    @classmethod
    def at(cls, folder: Path) -> "Project":
        """Return the project of a checkout."""
        return cls(code=folder, home=folder)

    @property
    def stages_file(self) -> Path:
        """The user's stages.yaml."""
        return self.home / "stages.yaml"

    @property
    def model_files(self) -> list[Path]:
        """Every models/<name>/model.yaml, sorted by name."""
        return sorted(self.home.glob("models/*/model.yaml"))

    @property
    def build(self) -> Path:
        """What set-up builds and synth stages; may be deleted at any time."""
        return self.code / "build"

    @property
    def locks_sha256(self) -> str:
        """SHA-256 (hex) of the locks that say which third-party code a job runs with."""
        locks = ("image.lock", "layer-tabular.lock", "families.lock")
        return sha256(b"".join((self.code / "requirements" / name).read_bytes() for name in locks)).hexdigest()

    def built(self, name: str) -> Path:
        """Return build/<name>. Raises SynthesisRefused when `make build` has not made it."""
        path = self.build / name
        if not path.exists():
            raise SynthesisRefused(f"{path} does not exist: run `make build` once (and after each change of a lock).")
        return path
