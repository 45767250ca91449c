"""A model's serving stack: the function behind the front door, and how a new model gets into it."""

from dataclasses import replace
from typing import Final

from aws_cdk import Annotations, CfnOutput, Stack
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from lifecycle import names
from lifecycle import settings as environment
from stacks import functions
from stacks.constructs import endpoint_role, nag
from stacks.constructs.front_door import Authorization, add_route
from stacks.constructs.function import Function, Package, layer
from stacks.constructs.prediction_stream import PredictionStream
from stacks.constructs.rules import undelivered
from stacks.deployment import Deployment
from stacks.feedback import Feedback
from stacks.imported import Shared
from stacks.model_assets import ModelAssets
from stacks.releases import Releases

OPEN: Final = "model.yaml says `auth: none`: its owner wants an open API"


class ServingStack(Stack):
    """One per model and stage."""

    def __init__(self, scope: Construct, deployment: Deployment, assets: ModelAssets) -> None:
        self._spec = spec = assets.spec
        self._stage = deployment.stage.name
        self._title = names.serving_stack(self._stage, spec.model)
        super().__init__(
            scope, self._title, env=deployment.environment, description=f"Perennial: serving of {spec.model}"
        )
        deployment.tag(self, spec.model)
        self._deployment = deployment
        self._shared = Shared(self._stage)
        self._name = names.predict_function(self._stage, spec.model)
        self._lost = undelivered(self)
        self._predict_code = deployment.asset(self, "PredictCode", assets.predict)
        base = layer(self, "LayerBase", deployment.asset(self, "LayerBaseAsset", deployment.layer_base), "powertools")
        own = deployment.asset(self, "Code", assets.functions)
        self._package = deployment.package(own, [base], self._shared.key_arn)
        self._live = self._predict(deployment.package(self._predict_code, [base], self._shared.key_arn))
        self._routes()
        machine, back = Releases(
            stack=self,
            spec=spec,
            shared=self._shared,
            package=self._package,
            predict_code=self._predict_code,
            lost=self._lost,
            removal=deployment.removal,
            image=deployment.image,
            region=deployment.stage.region,
        ).made()
        CfnOutput(self, names.OUTPUT_DEPLOYMENT_MACHINE, value=machine.arn)
        CfnOutput(self, names.OUTPUT_ROLL_BACK, value=back.resource.ref)
        CfnOutput(self, names.OUTPUT_PREDICT_FUNCTION, value=self._name)

    def _predict(self, package: Package) -> lambda_.CfnAlias:
        predict = Function(
            self,
            functions.predict(self._spec.serving.memory_mb),
            package,
            environment=environment.Predict(stage=self._stage, model=self._spec.model).to_env(),
            grants=[endpoint_role.invoke(self._stage, self._spec.model)],
            name=self._name,
        )
        if self._spec.monitoring.prediction_log:
            PredictionStream(self, self._spec.model, predict.log_group, self._shared, package)
        logs.CfnMetricFilter(
            self,
            "ColdStarts",
            log_group_name=predict.log_group.ref,
            filter_pattern=names.COLD_START_PATTERN,
            metric_transformations=[
                logs.CfnMetricFilter.MetricTransformationProperty(
                    metric_namespace=names.METRIC_NAMESPACE,
                    metric_name=names.cold_starts(self._stage, self._spec.model),
                    metric_value="1",
                )
            ],
        )
        # Both are constant for ever: deployments publish and move the alias outside of CloudFormation, and whatever
        # changed here would make CloudFormation send its own state, the version without a model, again.
        first = lambda_.CfnVersion(self, "FirstVersion", function_name=predict.resource.ref)
        return lambda_.CfnAlias(
            self,
            "Live",
            name=names.LIVE,
            function_name=predict.resource.ref,
            function_version=first.attr_version,
        )

    def _routes(self) -> None:
        allowed = self._authorization()
        if self._spec.serving.auth == "none":
            said = f"model {self._spec.model} is open: anybody who finds its address may ask it ({OPEN})"
            Annotations.of(self).add_warning_v2("perennial:open-model", said)
        path = f"/models/{self._spec.model}"
        for title, key in (
            ("Predictions", f"POST {path}/predictions"),
            ("Describe", f"GET {path}"),
            ("Document", f"GET {path}/openapi.json"),
        ):
            route = add_route(self, title, self._shared.api_id, key, self._live.ref, allowed)
            if self._spec.serving.auth == "none":
                nag.acknowledge(route, nag.OPEN_ROUTE, OPEN)
        if self._spec.monitoring.prediction_log:  # without it no label could ever be joined with its prediction
            self._feedback(allowed)

    def _feedback(self, allowed: Authorization) -> None:
        data_frames = self._deployment.asset(self, "LayerTabularAsset", self._deployment.layer_tabular)
        tabular = layer(self, "LayerTabular", data_frames, "polars")
        record = Feedback(
            stack=self,
            model=self._spec.model,
            shared=self._shared,
            package=self._package,
            reading=replace(self._package, layers=[*self._package.layers, tabular]),
            lost=self._lost,
        ).made()
        key = f"POST /models/{self._spec.model}/feedback"
        route = add_route(self, "Feedback", self._shared.api_id, key, record.arn, allowed)
        if self._spec.serving.auth == "none":
            nag.acknowledge(route, nag.OPEN_ROUTE, OPEN)

    def _authorization(self) -> Authorization:
        serving = self._spec.serving
        if serving.auth == "iam":
            return Authorization("AWS_IAM")
        if serving.auth == "none":
            return Authorization("NONE")
        authorizer = gateway.CfnAuthorizer(
            self,
            "Authorizer",
            api_id=self._shared.api_id,
            authorizer_type="JWT",
            name=f"{self._spec.model}-{self._stage}",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=gateway.CfnAuthorizer.JWTConfigurationProperty(
                issuer=serving.jwt_issuer, audience=list(serving.jwt_audience)
            ),
        )
        return Authorization("JWT", authorizer.ref, serving.jwt_scopes)
