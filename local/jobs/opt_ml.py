"""The container's `/opt/ml` as a private folder: its files, and texts that name it rewritten."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OPT_ML = "/opt/ml"
HOST = "algo-1"
SDK_SCRIPTS = "/opt/ml/input/data/sm_drivers"  # of the SageMaker SDK's ModelTrainer; they name /opt/ml literally


class OptMl:
    """One job's private root.

    Sources: developer guide, "How Amazon SageMaker AI Provides Training Information" and "... Runs Your Processing
    Container Image".
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "opt" / "ml"
        self.tmp = folder / "tmp"
        self.home = folder / "home"
        for path in (self.root, self.tmp, self.home, self.root / "output" / "data", self.root / "model"):
            path.mkdir(parents=True)

    def path(self, container_path: str) -> Path:
        """Return where a path under `/opt/ml` lies on this machine. Raises ValueError for any other path."""
        path = (self.root / container_path.removeprefix(OPT_ML).lstrip("/")).resolve()
        if not container_path.startswith(OPT_ML) or not path.is_relative_to(self.root.resolve()):
            raise ValueError(f"{container_path} does not lie under {OPT_ML}")
        return path

    def rewritten(self, text: str) -> str:
        """Return a text of the template with `/opt/ml` pointing at the private root."""
        return text.replace(OPT_ML, str(self.root))

    def rewrite_sdk_scripts(self) -> None:
        """Let the scripts by which the SageMaker SDK starts a job, if there are any, find the private root."""
        for path in self.path(SDK_SCRIPTS).rglob("*"):
            if path.suffix in (".py", ".sh"):
                path.write_text(self.rewritten(path.read_text()))

    def write_config(self, folder: str, files: Mapping[str, Any]) -> None:
        """Write the JSON files by which SageMaker tells a container what it is to do."""
        target = self.path(folder)
        target.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (target / name).write_text(json.dumps(content))

    def said(self, name: str, limit: int) -> str | None:
        """Return the beginning of what the job wrote to `/opt/ml/output/<name>`, or None."""
        path = self.root / "output" / name
        if not path.is_file():
            return None
        return path.read_bytes()[: 4 * limit].decode("utf-8", "replace")[:limit]


def resource_config(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """Return resourceconfig.json of a cluster of one."""
    group = {"instance_group_name": "homogeneousCluster", "instance_type": cluster["InstanceType"], "hosts": [HOST]}
    return {
        "current_host": HOST,
        "current_instance_type": cluster["InstanceType"],
        "current_group_name": "homogeneousCluster",
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": "eth0",
    }
