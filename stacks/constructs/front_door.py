"""The HTTP API of a stage: throttled, logged, described, and an answer of our own for paths that no model has."""

import json
from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from lifecycle import names
from lifecycle.settings import DescribeApi, Settings
from stacks.constructs import nag
from stacks.constructs.function import Function, Package
from stacks.constructs.role import Grant
from stacks.door_file import Cors, Throttle
from stacks.functions import DESCRIBE_API, REFUSE_ROUTE
from stacks.imported import regional_arn

TIMEOUT_MS: Final = 29_000
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
    """Who may use a route: `kind` is AWS_IAM, JWT or NONE. A JWT names its authorizer; one of `scopes` is enough."""

    kind: str
    authorizer_id: str | None = None
    scopes: tuple[str, ...] = ()


class FrontDoor(Construct):
    """The API with its one stage, its `$default` route and its own description; `api_id` names it."""

    def __init__(
        self, scope: Construct, package: Package, *, stage: str, throttle: Throttle, cors: Cors | None
    ) -> None:
        super().__init__(scope, "FrontDoor")
        refuse = Function(self, REFUSE_ROUTE, package, environment=Settings(stage=stage).to_env(), grants=[])
        api = gateway.CfnApi(
            self,
            "Api",
            name=f"perennial-{stage}",
            protocol_type="HTTP",
            cors_configuration=_cors(cors) if cors else None,
        )
        self.api_id = api.ref
        route = add_route(self, "Default", api.ref, "$default", refuse.arn, Authorization("NONE"))
        nag.acknowledge(route, nag.OPEN_ROUTE, "it only tells that a path does not exist; model routes are protected")
        self._describe(package, stage)
        self._stage(package, throttle)

    def _describe(self, package: Package, stage: str) -> None:
        """The whole stage's OpenAPI document, made from what the routes and the live models say."""
        live = names.predict_function(stage, "*")
        routes = f"arn:{Aws.PARTITION}:apigateway:{Aws.REGION}::/apis/{self.api_id}/routes"
        describe = Function(
            self,
            DESCRIBE_API,
            package,
            environment=DescribeApi(stage=stage, api_id=self.api_id).to_env(),
            grants=[
                Grant(actions=("apigateway:GET",), resources=(routes,)),
                Grant(
                    actions=("lambda:InvokeFunction",),
                    resources=(regional_arn("lambda", f"function:{live}:{names.LIVE}"),),
                    why="models come and go without a change of this stack; each is asked for its description only",
                ),
            ],
        )
        add_route(self, "Document", self.api_id, "GET /openapi.json", describe.arn, Authorization("AWS_IAM"))

    def _stage(self, package: Package, throttle: Throttle) -> None:
        group = logs.CfnLogGroup(self, "AccessLog", retention_in_days=package.log_days, kms_key_id=package.log_key_arn)
        group.apply_removal_policy(package.removal)
        gateway.CfnStage(
            self,
            "Stage",
            api_id=self.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=gateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=throttle.rate, throttling_burst_limit=throttle.burst
            ),
            access_log_settings=gateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=group.attr_arn, format=json.dumps(ACCESS_LOG)
            ),
        )


def _cors(cors: Cors) -> gateway.CfnApi.CorsProperty:
    return gateway.CfnApi.CorsProperty(
        allow_origins=cors.origins,
        allow_methods=list(cors.methods),
        allow_headers=list(cors.headers),
        max_age=cors.max_age,
        allow_credentials=cors.credentials,
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
        authorization_scopes=list(authorization.scopes) or None,
    )
