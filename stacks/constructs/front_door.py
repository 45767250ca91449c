"""The HTTP API of a stage: throttled, logged, and an answer of our own for paths that no model has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs import nag
from stacks.constructs.function import Function, Package
from stacks.functions import REFUSE_ROUTE
from stacks.imported import regional_arn

TIMEOUT_MS: Final = 29_000
# A wrong client in a loop must not cost a fortune; raise it when real traffic comes near.
REQUESTS_PER_SECOND: Final = 200
BURST: Final = 400
ACCESS_LOG: Final = {
    "request_id": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "ip": "$context.identity.sourceIp",
    "route": "$context.routeKey",
    "path": "$context.path",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "latency_ms": "$context.responseLatency",
    "error": "$context.error.message",
    "integration_error": "$context.integrationErrorMessage",
}


@dataclass(frozen=True)
class Authorization:
    """Who may use a route: `kind` is AWS_IAM, JWT (with the authorizer's id) or NONE."""

    kind: str
    authorizer_id: str | None = None


class FrontDoor(Construct):
    """The API with its one stage and its `$default` route; `api_id` names it."""

    def __init__(self, scope: Construct, package: Package, *, environment: Mapping[str, str]) -> None:
        super().__init__(scope, "FrontDoor")
        refuse = Function(self, REFUSE_ROUTE, package, environment=environment, grants=[])
        api = gateway.CfnApi(self, "Api", name=f"perennial-{environment['STAGE']}", protocol_type="HTTP")
        self.api_id = api.ref
        route = add_route(self, "Default", api.ref, "$default", refuse.arn, Authorization("NONE"))
        nag.acknowledge(route, nag.OPEN_ROUTE, "it only tells that a path does not exist; model routes are protected")
        self._stage(package)

    def _stage(self, package: Package) -> None:
        group = logs.CfnLogGroup(self, "AccessLog", retention_in_days=package.log_days, kms_key_id=package.log_key_arn)
        group.apply_removal_policy(package.removal)
        gateway.CfnStage(
            self,
            "Stage",
            api_id=self.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=gateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=REQUESTS_PER_SECOND, throttling_burst_limit=BURST
            ),
            access_log_settings=gateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=group.attr_arn, format=json.dumps(ACCESS_LOG)
            ),
        )


def add_route(
    scope: Construct, title: str, api_id: str, route_key: str, function_arn: str, authorization: Authorization
) -> gateway.CfnRoute:
    """Route `route_key` to a function (or alias) and let this API, on this path only, call it."""
    place = Construct(scope, title)
    integration = gateway.CfnIntegration(
        place,
        "Integration",
        api_id=api_id,
        integration_type="AWS_PROXY",
        integration_uri=function_arn,
        payload_format_version="2.0",
        timeout_in_millis=TIMEOUT_MS,
    )
    method, _, path = route_key.partition(" ")
    lambda_.CfnPermission(
        place,
        "Permission",
        function_name=function_arn,
        action="lambda:InvokeFunction",
        principal="apigateway.amazonaws.com",
        source_arn=regional_arn("execute-api", f"{api_id}/*/{method}{path}"),
    )
    return gateway.CfnRoute(
        place,
        "Route",
        api_id=api_id,
        route_key=route_key,
        target=f"integrations/{integration.ref}",
        authorization_type=authorization.kind,
        authorizer_id=authorization.authorizer_id,
    )
