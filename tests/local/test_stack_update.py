"""An update of the serving stack while a model is live: the model is published again with what changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from lifecycle import names
from tests.local.product_world import MODEL, STAGE, product

pytestmark = pytest.mark.slow


def test_a_changed_function_serves_the_live_model_on(tmp_path: Path) -> None:
    with product(tmp_path) as world:
        function = names.predict_function(STAGE, MODEL)

        def live() -> dict[str, Any]:
            found: dict[str, Any] = world.client("lambda").get_function(FunctionName=function, Qualifier="live")
            return dict(found["Configuration"])

        world.upload("a.csv", (tmp_path / "houses.csv").read_bytes())
        world.until(lambda: world.door.call("GET", f"/models/{MODEL}").status == 200, "live model")
        before = live()

        file = tmp_path / "cdk.out" / f"{names.serving_stack(STAGE, MODEL)}.template.json"
        template = json.loads(file.read_text())
        (predict,) = [
            resource["Properties"]
            for resource in template["Resources"].values()
            if resource["Properties"].get("FunctionName") == function and "MemorySize" in resource["Properties"]
        ]
        predict["MemorySize"] += 128
        file.write_text(json.dumps(template))
        world.engine.deploy()

        world.until(lambda: live()["MemorySize"] == predict["MemorySize"], "the change behind the alias")
        assert int(live()["Version"]) > int(before["Version"])
        answer = world.door.call("GET", f"/models/{MODEL}")
        assert (answer.status, answer.body["model_version"]) == (200, "1")
        assert len(world.executions("training")) == 1
