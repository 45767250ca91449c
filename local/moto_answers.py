"""What moto answers otherwise than AWS, where the closed set meets it; facts about moto are of 5.2.5.

Found by holding every answer against botocore's models (`local.answer_check`).
"""

from collections.abc import Callable
from typing import Any

from moto.sagemaker.models import ModelPackageGroup


def replacements() -> list[tuple[Any, str, Any]]:
    """Return what is changed of moto: owner, name, replacement, each for the reason beside it."""
    return [
        # moto knows who made a group, and leaves it out, though the model requires it
        (ModelPackageGroup, "gen_response_object", _with_maker(ModelPackageGroup.gen_response_object)),
    ]


def _with_maker(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def gen_response_object(group: Any) -> dict[str, Any]:
        return {**original(group), "CreatedBy": {}}

    return gen_response_object
