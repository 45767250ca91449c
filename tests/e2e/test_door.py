"""The door, end to end: tokens of a real issuer, an open model, browsers; nothing has to be trained to be let in."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from lifecycle import names
from tests.e2e.conftest import Lab, clean_environment, perennial, rows_as_csv, wait_until
from tests.issuer import Issuer, running

pytestmark = pytest.mark.slow

PAGE = "http://localhost:3000"  # the engine answers pages of this machine only, whatever an API allows
CORS = f'cors: {{origins: ["{PAGE}"]}}'


@dataclass(frozen=True)
class Doors:
    """A stage with a model behind tokens (`closed`) and an open one (`open`), neither of them trained yet."""

    lab: Lab
    issuer: Issuer

    def send(self, method: str, path: str, **headers: str) -> tuple[int, Any, dict[str, str]]:
        body = b'{"rows": [{}]}' if method == "POST" else b""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.lab.shared[names.OUTPUT_API_URL] + path
        answer = urllib3.request(method, url, body=body, headers={"content-type": "application/json", **named})
        found = json.loads(answer.data) if answer.data else None
        return answer.status, found, {name.lower(): value for name, value in answer.headers.items()}


@pytest.fixture(scope="module")
def doors(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("doors")
    with running(folder) as issuer:
        checkout = folder / "checkout"
        ignored = shutil.ignore_patterns("cdk.out", ".perennial", "models", "engine.log")
        shutil.copytree(workspace, checkout, symlinks=True, ignore=ignored)
        (checkout / "models").mkdir()
        (checkout / "table.csv").write_bytes(rows_as_csv(200, 1))
        token = f'{{auth: jwt, jwt_issuer: "{issuer.address}", jwt_audience: [us], jwt_scopes: [score]}}'
        for name, serving in (("closed", token), ("open", "{auth: none}")):
            perennial(checkout, "new", name, "--from", str(checkout / "table.csv"), "--target", "y")
            described = checkout / "models" / name / "model.yaml"
            lines = [line for line in described.read_text().splitlines() if not line.startswith("serving:")]
            described.write_text("\n".join([*lines, f"serving: {serving}", ""]))
        (checkout / "stages.yaml").write_text(f"dev: {{region: us-east-1, removal: destroy, approval: auto, {CORS}}}\n")
        environment = clean_environment() | {"SSL_CERT_FILE": str(issuer.certificate)}
        synth = [sys.executable, "app.py"]
        subprocess.run(synth, cwd=checkout, env=environment, check=True, capture_output=True)
        yield from _engine(checkout, environment, issuer)


def _engine(checkout: Path, environment: dict[str, str], issuer: Issuer) -> Iterator[Doors]:
    state = checkout / "engine.json"
    command = [sys.executable, "-m", "local.engine", "--cdk-out", "cdk.out", "--state-file", str(state)]
    with (checkout / "engine.log").open("w") as log:
        process = subprocess.Popen(command, cwd=checkout, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: state.exists() or process.poll() is not None or None, "engine", 90)
        assert process.poll() is None, (checkout / "engine.log").read_text()[-4000:]
        yield Doors(Lab(checkout, json.loads(state.read_text())), issuer)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_a_token_of_the_issuer_opens_the_door(doors: Doors) -> None:
    token = f"Bearer {doors.issuer.token(scope='score')}"
    status, body, _ = doors.send("POST", "/models/closed/predictions", authorization=token)
    assert status == 503  # the model's own answer: nothing was trained yet
    assert "no model yet" in body["detail"]


@pytest.mark.parametrize(
    ("claims", "status", "message"),
    [
        ({"aud": "others", "scope": "score"}, 401, "Unauthorized"),
        ({"iss": "https://other.example", "scope": "score"}, 401, "Unauthorized"),
        ({"exp": 1, "scope": "score"}, 401, "Unauthorized"),
        ({"scope": "read"}, 403, "Forbidden"),
    ],
)
def test_other_tokens_do_not(doors: Doors, claims: dict[str, Any], status: int, message: str) -> None:
    token = f"Bearer {doors.issuer.token(**claims)}"
    found, body, headers = doors.send("POST", "/models/closed/predictions", authorization=token)
    assert (found, body) == (status, {"message": message})
    assert headers["www-authenticate"].startswith("Bearer ")


def test_no_token_no_entry_not_even_to_feedback(doors: Doors) -> None:
    for path in ("/models/closed/predictions", "/models/closed/feedback"):
        assert doors.send("POST", path)[:2] == (401, {"message": "Unauthorized"})
    assert doors.send("GET", "/models/closed")[0] == 401


def test_an_open_model_asks_nobody(doors: Doors) -> None:
    assert doors.send("POST", "/models/open/predictions")[0] == 503


def test_a_page_that_is_named_may_ask_from_a_browser_and_others_may_not(doors: Doors) -> None:
    asked = {"access_control_request_method": "POST", "access_control_request_headers": "authorization"}
    status, _, headers = doors.send("OPTIONS", "/models/closed/predictions", origin=PAGE, **asked)
    assert (status, headers["access-control-allow-origin"]) == (204, PAGE)
    assert "authorization" in headers["access-control-allow-headers"]
    _, _, headers = doors.send("POST", "/models/open/predictions", origin=PAGE)
    assert headers["access-control-allow-origin"] == PAGE
    _, _, headers = doors.send("OPTIONS", "/models/open/predictions", origin="http://localhost:4000", **asked)
    assert "access-control-allow-origin" not in headers


def test_the_stage_describes_itself_to_who_signs(doors: Doors) -> None:
    assert doors.send("GET", "/openapi.json")[:2] == (403, {"message": "Forbidden"})
    answer = doors.lab.door.call("GET", "/openapi.json")
    assert (answer.status, answer.body["openapi"], answer.body["paths"]) == (200, "3.1.0", {})
