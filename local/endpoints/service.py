"""The SageMaker API of models, endpoint configurations and endpoints, and InvokeEndpoint of its runtime."""

import shutil
import threading
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.api import ACCOUNT, ApiError, Caller, Clients, Operation
from local.clock import Clock
from local.endpoints.container import Container, ContainerFailed
from local.endpoints.endpoint import Endpoint, model_error
from local.jobs.requests import check, invalid
from local.jobs.s3_inputs import location
from local.keeping import NOWHERE, Keep, kept
from local.service_models import RUNTIME

PAYLOAD_BYTES = 4 * 1024 * 1024  # developer guide, "Serverless Inference": 4 MB
REST_LOOK_SECONDS = 1.0  # of machine time
_PART = "endpoints"
_KINDS = {"Model": "model", "EndpointConfig": "endpoint-config"}


@dataclass(frozen=True, slots=True)
class _Made:
    arn: str
    given: Mapping[str, Any]
    created: datetime


class Endpoints:
    """Endpoints by name. `python` is the interpreter of the image's environment, as for jobs."""

    def __init__(self, clients: Clients, clock: Clock, work_dir: Path, python: Path, keep: Keep = NOWHERE) -> None:
        self._clients = clients
        self._clock = clock
        self._work_dir = work_dir
        self._python = python
        self._region = str(clients("s3").meta.region_name)
        self._lock = threading.Lock()
        self._keep = keep
        self._made: MutableMapping[tuple[str, str], _Made] = kept(keep, "models and endpoint configurations")
        self._endpoints: dict[str, Endpoint] = {}
        self._ended = threading.Event()
        threading.Thread(target=self._rest, name="endpoints", daemon=True).start()

    def resume(self) -> None:
        """Have the endpoints that an earlier engine had: those in service start when they are asked, the others now."""
        for name, (given, arn, created, status, reason) in self._keep.rows(_PART).items():
            endpoint = self._endpoint(given, arn)
            endpoint.created, endpoint.status, endpoint.reason = created, status, reason
            self._endpoints[name] = endpoint
            if status == "Creating":
                self._begin(endpoint)

    def operations(self) -> dict[tuple[str, str], Operation]:
        """Return what the gateway routes here."""
        found: dict[tuple[str, str], Operation] = {}
        for kind in _KINDS:
            found["sagemaker", f"Create{kind}"] = self._of(kind, self._create)
            found["sagemaker", f"Delete{kind}"] = self._of(kind, self._delete)
            found["sagemaker", f"Describe{kind}"] = self._of(kind, self._describe)
            found["sagemaker", f"List{kind}s"] = self._of(kind, self._list_made)
        return found | {
            ("sagemaker", "CreateEndpoint"): self._create_endpoint,
            ("sagemaker", "DescribeEndpoint"): lambda given, _: self._known(given["EndpointName"]).described(),
            ("sagemaker", "DeleteEndpoint"): self._delete_endpoint,
            ("sagemaker", "ListEndpoints"): self._list,
            (RUNTIME, "InvokeEndpoint"): self._invoke,
        }

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of everything here by ARN."""
        with self._lock:
            made: list[_Made | Endpoint] = [*self._made.values(), *self._endpoints.values()]
        return {one.arn: {tag["Key"]: tag["Value"] for tag in one.given.get("Tags", ())} for one in made}

    def is_warm(self, name: str) -> bool:
        """Whether an endpoint has a container now."""
        return self._known(name).is_warm

    def close(self) -> None:
        """End every container; the engine ends."""
        self._ended.set()
        for endpoint in list(self._endpoints.values()):
            endpoint.close()

    @staticmethod
    def _of(kind: str, answer: Any) -> Operation:
        return lambda given, _: answer(kind, given)

    def _create(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        check(f"Create{kind}", given)
        for variant in given.get("ProductionVariants", ()):
            self._need("Model", variant["ModelName"])
        name = given[f"{kind}Name"]
        arn = f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:{_KINDS[kind]}/{name}"
        with self._lock:
            if (kind, name) in self._made:
                raise invalid(f"Cannot create already existing {_KINDS[kind]} {arn!r}.")
            self._made[kind, name] = _Made(arn, given, datetime.fromtimestamp(self._clock.now(), UTC))
        return {f"{kind}Arn": arn}

    def _describe(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        made = self._need(kind, given[f"{kind}Name"])
        asked = {key: value for key, value in made.given.items() if key != "Tags"}
        return {**asked, f"{kind}Arn": made.arn, "CreationTime": made.created}

    def _list_made(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        """List all of a kind, the newest first; filters and pages are not used."""
        if given:
            raise invalid(f"the laptop engine lists every {_KINDS[kind]}; it does not know {', '.join(sorted(given))}")
        with self._lock:
            names = [name for of, name in self._made if of == kind]
        found = [self._describe(kind, {f"{kind}Name": name}) for name in reversed(names)]
        members = (f"{kind}Name", f"{kind}Arn", "CreationTime")
        return {f"{kind}s": [{member: one[member] for member in members} for one in found]}

    def _delete(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        self._need(kind, given[f"{kind}Name"])
        with self._lock:
            del self._made[kind, given[f"{kind}Name"]]
        return {}

    def _create_endpoint(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        check("CreateEndpoint", given)
        name = given["EndpointName"]
        arn = f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:endpoint/{name}"
        endpoint = self._endpoint(given, arn)
        with self._lock:
            if name in self._endpoints:
                raise invalid(f"Cannot create already existing endpoint {arn!r}.")
            self._endpoints[name] = endpoint
        self._keep_endpoint(endpoint)
        self._begin(endpoint)
        return {"EndpointArn": arn}

    def _endpoint(self, given: Mapping[str, Any], arn: str) -> Endpoint:
        [variant] = self._need("EndpointConfig", given["EndpointConfigName"]).given["ProductionVariants"]
        model = self._need("Model", variant["ModelName"]).given
        concurrency, name = variant["ServerlessConfig"]["MaxConcurrency"], given["EndpointName"]
        return Endpoint(given, arn, concurrency, lambda: self._start(name, model), self._clock)

    def _begin(self, endpoint: Endpoint) -> None:
        def create() -> None:
            endpoint.create()
            self._keep_endpoint(endpoint)

        threading.Thread(target=create, name=endpoint.given["EndpointName"], daemon=True).start()

    def _keep_endpoint(self, endpoint: Endpoint) -> None:
        row = (endpoint.given, endpoint.arn, endpoint.created, endpoint.status, endpoint.reason)
        self._keep.put(_PART, endpoint.given["EndpointName"], row)

    def _delete_endpoint(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        name = given["EndpointName"]
        endpoint = self._known(name)
        if endpoint.status == "Creating":
            raise invalid(f"Cannot update in-progress endpoint {endpoint.arn!r}.")
        with self._lock:
            self._endpoints.pop(name, None)
        self._keep.remove(_PART, name)
        endpoint.close()
        shutil.rmtree(self._work_dir / name, ignore_errors=True)
        return {}

    def _list(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """List endpoints in one page; of the filters only NameContains is used."""
        if unknown := set(given) - {"NameContains", "MaxResults"}:
            raise invalid(f"ListEndpoints: the laptop engine does not know {', '.join(sorted(unknown))}")
        with self._lock:
            found = [e for name, e in self._endpoints.items() if given.get("NameContains", "") in name]
        members = ("EndpointName", "EndpointArn", "EndpointStatus", "CreationTime", "LastModifiedTime")
        return {"Endpoints": [{key: one.described()[key] for key in members} for one in found]}

    def _invoke(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        name, body = given["EndpointName"], given["Body"]
        endpoint = self._endpoints.get(name)
        if endpoint is None or endpoint.status != "InService":
            raise ApiError("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
        body = body.encode() if isinstance(body, str) else body
        if len(body) > PAYLOAD_BYTES:
            raise ApiError("ValidationError", f"{len(body)} bytes; a serverless endpoint takes {PAYLOAD_BYTES}")
        kind = given.get("ContentType", "application/octet-stream")
        answer = endpoint.invoke(body, kind, given.get("Accept", "*/*"))
        if answer.status >= 400:
            raise model_error(answer.status, answer.body[:1000].decode("utf-8", "replace"), endpoint.arn)
        return {"Body": answer.body, "ContentType": answer.content_type, "InvokedProductionVariant": "AllTraffic"}

    def _start(self, name: str, model: Mapping[str, Any]) -> Container:
        """Fetch the archive as the model's role and start a container of it."""
        primary = model["PrimaryContainer"]
        bucket, key = location(primary["ModelDataUrl"])
        try:
            archive = self._clients("s3", model["ExecutionRoleArn"]).get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise ContainerFailed(f"model data of {primary['ModelDataUrl']} cannot be downloaded: {error}") from error
        return Container(self._python, self._work_dir / name, archive, primary.get("Environment", {}))

    def _need(self, kind: str, name: str) -> _Made:
        found = self._made.get((kind, name))
        if found is None:
            arn = f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:{_KINDS[kind]}/{name}"
            raise invalid(f"Could not find {_KINDS[kind]} {arn!r}.")
        return found

    def _known(self, name: str) -> Endpoint:
        found = self._endpoints.get(name)
        if found is None:
            raise invalid(f'Could not find endpoint "arn:aws:sagemaker:{self._region}:{ACCOUNT}:endpoint/{name}".')
        return found

    def _rest(self) -> None:
        while not self._ended.wait(REST_LOOK_SECONDS):
            for endpoint in list(self._endpoints.values()):
                endpoint.rest()
