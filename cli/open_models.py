"""Synthesized templates -> the models that anybody may ask, because model.yaml says `auth: none`."""

import json
import re
from pathlib import Path

_PREDICTIONS = re.compile(r"POST /models/([^/]+)/predictions")


def open_models(assembly: Path, stage: str | None = None) -> list[str]:
    """Return the names of the open models of an assembly (of a stage, if one is named), sorted."""
    found = set()
    for template in assembly.glob(f"perennial-{stage or '*'}-*-serving.template.json"):
        for resource in json.loads(template.read_text())["Resources"].values():
            given = resource.get("Properties", {})
            if resource["Type"] == "AWS::ApiGatewayV2::Route" and given.get("AuthorizationType") == "NONE":
                found.update(_PREDICTIONS.findall(given["RouteKey"]))
    return sorted(found)


def warning(models: list[str]) -> str:
    """Return what to say of open models; they are at least one."""
    many = len(models) > 1
    return (
        f"{', '.join(models)} {'are' if many else 'is'} open (auth: none): on AWS anybody who finds the address may "
        f"ask {'them' if many else 'it'}; `serving: {{auth: iam}}` or `jwt` closes the door"
    )
