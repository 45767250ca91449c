"""A model's serving stack: the function behind the front door, and how a new model gets into it."""

from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lifecycle import keys, names
from lifecycle import settings as environment
from stacks import functions, grants
from stacks.constructs import nag
from stacks.constructs.front_door import Authorization, add_route
from stacks.constructs.function import Function, Package, layer
from stacks.constructs.machine import Machine
from stacks.constructs.prediction_stream import PredictionStream
from stacks.constructs.role import Grant, attach
from stacks.constructs.rules import rule_to_machine, rule_to_own_function, undelivered
from stacks.deployment import Deployment
from stacks.deployment_machine import DeploymentFunctions, deployment_machine
from stacks.functions import Entry
from stacks.imported import Shared, regional_arn
from stacks.model_assets import ModelAssets
from stacks.patterns import approvals_in, executions_of, updates_of

MACHINE: Final = "Deployment"


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
        self._group = names.package_group(self._stage, spec.model)
        self._lost = undelivered(self)
        self._predict_code = deployment.asset(self, "PredictCode", assets.predict)
        base = layer(self, "LayerBase", deployment.asset(self, "LayerBaseAsset", deployment.layer_base), "powertools")
        own = deployment.asset(self, "Code", assets.functions)
        self._package = deployment.package(own, [base], self._shared.key_arn)
        self._live = self._predict(deployment.package(self._predict_code, [base], self._shared.key_arn))
        self._routes()
        self._machine = self._deployment_machine()
        # the machine needs the function first, so the function's role learns of the machine afterwards
        attach(self._plan, "Executions", self._plan.role, [self._executions("DescribeExecution")])
        self._rules()
        CfnOutput(self, names.OUTPUT_DEPLOYMENT_MACHINE, value=self._machine.arn)
        CfnOutput(self, names.OUTPUT_PREDICT_FUNCTION, value=self._name)

    def _predict(self, package: Package) -> lambda_.CfnAlias:
        predict = Function(
            self,
            functions.predict(self._spec.serving.memory_mb),
            package,
            environment=environment.Predict(stage=self._stage, model=self._spec.model).to_env(),
            grants=[],
            name=self._name,
        )
        if self._spec.monitoring.prediction_log:
            PredictionStream(self, self._spec.model, predict.log_group, self._shared, package)
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
        path = f"/models/{self._spec.model}"
        for title, key in (("Predictions", f"POST {path}/predictions"), ("Describe", f"GET {path}")):
            route = add_route(self, title, self._shared.api_id, key, self._live.ref, allowed)
            if self._spec.serving.auth == "none":
                nag.acknowledge(route, nag.OPEN_ROUTE, "model.yaml says `auth: none`: its owner wants an open API")

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
        return Authorization("JWT", authorizer.ref)

    def _deployment_machine(self) -> Machine:
        plan = self._function(functions.PLAN_DEPLOYMENT, [*self._own(), self._packages(), self._versions(READ)])
        self._plan = plan
        asset = grants.read_asset(self._predict_code.s3_bucket_name, self._predict_code.s3_object_key)
        publish = self._function(functions.PUBLISH_MODEL, [*self._own(), asset, self._versions(READ + PUBLISH)])
        promote = self._function(
            functions.PROMOTE_MODEL, [*self._own(), self._packages(), grants.announce(), self._versions(READ + PROMOTE)]
        )
        invoke = Grant(actions=("lambda:InvokeFunction",), resources=[made.arn for made in (plan, publish, promote)])
        called = DeploymentFunctions(plan_deployment=plan.arn, publish_model=publish.arn, promote_model=promote.arn)
        return Machine(
            self,
            MACHINE,
            deployment_machine(called),
            grants=[invoke],
            log_key_arn=self._shared.key_arn,
            removal=self._deployment.removal,
        )

    def _own(self) -> list[Grant]:
        """What every step of a deployment may do: read the model's runs, claim, and have the ledger written."""
        artifacts, own = self._shared.artifact_bucket, keys.runs(self._spec.model)
        return [
            grants.read_objects(artifacts, own),
            grants.list_objects(artifacts, own),
            grants.use_key(self._shared.key_arn),
            grants.claim(self._shared.claims_table),
            grants.record(self._shared.ledger_writer),
        ]

    def _packages(self) -> Grant:
        return Grant(
            actions=("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"),
            resources=(
                regional_arn("sagemaker", f"model-package-group/{self._group}"),
                regional_arn("sagemaker", f"model-package/{self._group}/*"),
            ),
            why="model packages get their numbers while the system runs",
        )

    def _executions(self, *actions: str) -> Grant:
        executions = regional_arn("states", f"execution:{self._machine.name}:*")
        return Grant(
            actions=[f"states:{action}" for action in actions],
            resources=(self._machine.arn, executions),
            why="executions get their names while the system runs",
        )

    def _versions(self, actions: tuple[str, ...]) -> Grant:
        function = regional_arn("lambda", f"function:{self._name}")
        return Grant(
            actions=[f"lambda:{action}" for action in actions],
            resources=(function, f"{function}:*"),
            why="versions of the function get their numbers while the system runs",
        )

    def _rules(self) -> None:
        machine = self._machine.arn
        rule_to_machine(self, "Approved", approvals_in(self._group), machine, self._lost)
        rule_to_machine(self, "Updated", updates_of(self._title), machine, self._lost)
        close = self._function(
            functions.CLOSE_DEPLOYMENT,
            [
                *self._own(),
                self._packages(),
                self._versions(READ),
                self._executions("DescribeExecution", "StartExecution"),
                grants.tell(self._shared.topic),
                grants.hand_over(self._lost.queue_arn),
            ],
        )
        rule_to_own_function(self, "DeploymentEnded", executions_of(machine), close, self._lost)

    def _function(self, entry: Entry, granted: list[Grant]) -> Function:
        variables = environment.Deploy(
            stage=self._stage,
            model=self._spec.model,
            artifact_bucket=self._shared.artifact_bucket,
            claims_table=self._shared.claims_table,
            ledger_writer=self._shared.ledger_writer,
            package_group=self._group,
            predict_function=self._name,
            asset_bucket=self._predict_code.s3_bucket_name,
            asset_key=self._predict_code.s3_object_key,
            topic=self._shared.topic,
        )
        return Function(self, entry, self._package, environment=variables.to_env(), grants=granted)


READ: Final = ("GetAlias", "GetFunction", "GetFunctionConfiguration", "ListVersionsByFunction")
PUBLISH: Final = ("PublishVersion", "UpdateFunctionCode")
PROMOTE: Final = ("DeleteFunction", "UpdateAlias")
