"""Where SageMaker puts things below a job's root (`/opt/ml`). Nothing else in the code knows these paths."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TrainingPaths:
    """Folders and files of a training job."""

    root: Path

    @property
    def hyperparameters(self) -> Path:
        """JSON object of texts."""
        return self.root / "input/config/hyperparameters.json"

    def channel(self, name: str) -> Path:
        """Folder of an input channel."""
        return self.root / "input/data" / name

    @property
    def model(self) -> Path:
        """What becomes model.tar.gz."""
        return self.root / "model"

    @property
    def failure(self) -> Path:
        """The reason of a failure."""
        return self.root / "output/failure"


@dataclass(frozen=True, slots=True)
class ProcessingPaths:
    """Folders and files of a processing job."""

    root: Path

    def input(self, name: str) -> Path:
        """Folder of a processing input."""
        return self.root / "processing/input" / name

    @property
    def evaluation(self) -> Path:
        """What is uploaded as the evaluation."""
        return self.root / "processing/output/evaluation"

    @property
    def message(self) -> Path:
        """The reason of a failure."""
        return self.root / "output/message"
