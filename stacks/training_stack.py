"""A model's training stack: data versions come in, registered models go out."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from lifecycle import keys, names
from lifecycle import settings as environment
from stacks import functions, grants
from stacks.closers import close_executions
from stacks.constructs.function import Function, layer
from stacks.constructs.job_role import JobRole, run_jobs
from stacks.constructs.machine import Machine
from stacks.constructs.role import Grant, attach
from stacks.constructs.rules import rule_to_machine, undelivered
from stacks.deployment import Deployment
from stacks.functions import Entry
from stacks.imported import Shared, regional_arn
from stacks.jobs import Jobs
from stacks.model_assets import ModelAssets
from stacks.patterns import versions_of
from stacks.retraining import Decider
from stacks.training_machine import TrainingFunctions, training_machine

MACHINE: Final = "Training"


class TrainingStack(Stack):
    """One per model and stage."""

    def __init__(self, scope: Construct, deployment: Deployment, assets: ModelAssets) -> None:
        self._spec = spec = assets.spec
        self._stage = deployment.stage.name
        title = names.training_stack(self._stage, spec.model)
        super().__init__(scope, title, env=deployment.environment, description=f"Perennial: training of {spec.model}")
        deployment.tag(self, spec.model)
        self._deployment = deployment
        self._shared = Shared(self._stage)
        self._group = self._package_group()
        self._lost = undelivered(self)
        self._code = deployment.asset(self, "JobCode", assets.job_code)
        self._wheels = deployment.asset(self, "Wheels", deployment.wheels(spec))
        code = deployment.asset(self, "Code", assets.functions)
        layers = [
            layer(self, "LayerBase", deployment.asset(self, "LayerBaseAsset", deployment.layer_base), "powertools"),
            layer(
                self, "LayerTabular", deployment.asset(self, "LayerTabularAsset", deployment.layer_tabular), "polars"
            ),
        ]
        self._package = deployment.package(code, layers, self._shared.key_arn)
        self._machine = self._training_machine()
        # the machine needs the function first, so the function's role learns of the machine afterwards
        attach(self._start, "Executions", self._start.role, grants.executions(self._machine.arn, self._machine.name))
        self._rules()
        Decider(self, spec, self._shared, self._package, self._lost, self._machine.arn).made()
        CfnOutput(self, names.OUTPUT_TRAINING_MACHINE, value=self._machine.arn)
        CfnOutput(self, names.OUTPUT_PACKAGE_GROUP, value=self._group)
        CfnOutput(self, names.OUTPUT_SPEC_ID, value=spec.spec_id)
        CfnOutput(self, names.OUTPUT_DATASET, value=spec.dataset)

    def _package_group(self) -> str:
        name = names.package_group(self._stage, self._spec.model)
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Models",
            model_package_group_name=name,
            model_package_group_description=f"Registered models of {self._spec.model}, stage {self._stage}",
        )
        self._group_arn = group.attr_model_package_group_arn
        return name

    def _training_machine(self) -> Machine:
        start_run, profile, validate, register = (
            self._start_run(),
            self._function(functions.PROFILE_OBJECTS, self._run(), self._profiling()),
            self._function(functions.VALIDATE_VERSION, self._run(), self._validating()),
            self._register_model(),
        )
        replay = self._replay_candidate()
        jobs, role = self._jobs()
        called = (start_run, profile, validate, register, *([replay] if replay else []))
        invoke = Grant(actions=("lambda:InvokeFunction",), resources=[function.arn for function in called])
        self._start = start_run
        return Machine(
            self,
            MACHINE,
            training_machine(
                TrainingFunctions(
                    start_run=start_run.arn,
                    profile_objects=profile.arn,
                    validate_version=validate.arn,
                    register_model=register.arn,
                    replay_candidate=replay.arn if replay else None,
                ),
                jobs,
            ),
            grants=[invoke, *run_jobs(self._spec.model, role)],
            log_key_arn=self._shared.key_arn,
            removal=self._deployment.removal,
        )

    def _jobs(self) -> tuple[Jobs, str]:
        assets = [self._code, self._wheels]
        role = JobRole(self, self._spec, self._shared, assets, self._deployment.stage.region)
        training = self._spec.training
        described = Jobs(
            stage=self._stage,
            model=self._spec.model,
            spec_id=self._spec.spec_id,
            image=self._deployment.image,
            role_arn=role.arn,
            key_arn=self._shared.key_arn,
            code_uri=_uri(self._code),
            wheels_uri=_uri(self._wheels),
            instance_type=training.instance_type,
            volume_gb=training.volume_gb,
            max_minutes=training.max_minutes,
        )
        return described, role.arn

    def _run(self) -> dict[str, str]:
        """The environment of the functions of a run."""
        return environment.Run(**self._run_fields()).to_env()

    def _run_fields(self) -> dict[str, str]:
        shared = self._shared
        return {
            "stage": self._stage,
            "model": self._spec.model,
            "spec_id": self._spec.spec_id,
            "data_bucket": shared.data_bucket,
            "artifact_bucket": shared.artifact_bucket,
            "claims_table": shared.claims_table,
            "ledger_writer": shared.ledger_writer,
        }

    def _start_run(self) -> Function:
        made = environment.StartRun(
            **self._run_fields(),
            code_asset=self._code.s3_object_key,
            lock_sha256=self._deployment.project.locks_sha256,
            image=self._deployment.image,
            package_group=self._group,
        )
        predict = regional_arn("lambda", f"function:{names.predict_function(self._stage, self._spec.model)}")
        live = Grant(actions=("lambda:GetAlias",), resources=(predict,))
        asked = keys.monitoring(self._spec.model)  # why a run is wanted
        versions, own = keys.versions(self._spec.dataset), keys.runs(self._spec.model)
        profiled = grants.list_objects(self._shared.artifact_bucket, keys.PROFILES)
        return self._function(
            functions.START_RUN,
            made.to_env(),
            [*self._data(versions), *self._runs(asked, write=(own,)), *self._told(), live, profiled],
        )

    def _register_model(self) -> Function:
        made = environment.RegisterModel(
            **self._run_fields(),
            package_group=self._group,
            image=self._deployment.image,
            approval=self._deployment.stage.approval,
        )
        packages = regional_arn("sagemaker", f"model-package/{self._group}/*")
        why = "model packages get their numbers while the system runs"
        each, group = ("CreateModelPackage", "DescribeModelPackage", "UpdateModelPackage"), self._group_arn
        register = [
            Grant(actions=[f"sagemaker:{verb}" for verb in each], resources=(packages,), why=why),
            Grant(actions=("sagemaker:CreateModelPackage", "sagemaker:ListModelPackages"), resources=(group,)),
        ]
        return self._function(
            functions.REGISTER_MODEL,
            made.to_env(),
            [*self._runs(write=(keys.runs(self._spec.model),)), *self._told(claims=False), *register],
        )

    def _replay_candidate(self) -> Function | None:
        """The function that a replay gate asks for: it reads this model's prediction log."""
        if self._spec.gates.replay is None:
            return None
        data, log = self._shared.data_bucket, keys.predictions(self._spec.model)
        artifacts, own = self._shared.artifact_bucket, keys.runs(self._spec.model)
        granted = [
            grants.read_objects(data, log),
            grants.list_objects(data, log),
            grants.read_objects(artifacts, own),
            grants.list_objects(artifacts, own),
            grants.write_objects(artifacts, own),
            grants.use_key(self._shared.key_arn),
        ]
        return self._function(functions.REPLAY_CANDIDATE, self._run(), granted)

    def _profiling(self) -> list[Grant]:
        """Read copies of uploads, and keep their profiles."""
        return [
            *self._data(keys.immutable(self._spec.dataset, "")),
            *self._runs(keys.PROFILES, write=(keys.PROFILES,)),
        ]

    def _validating(self) -> list[Grant]:
        """Read a version and the profiles of its objects, keep the report, tell of a version that is rejected."""
        own = keys.runs(self._spec.model)
        versions = self._data(keys.versions(self._spec.dataset))
        return [*versions, *self._runs(keys.PROFILES, write=(own,)), *self._told(claims=False)]

    def _data(self, *prefixes: str) -> list[Grant]:
        data = self._shared.data_bucket
        return [grants.read_objects(data, *prefixes), grants.list_objects(data, *prefixes)]

    def _runs(self, *more: str, write: Sequence[str]) -> list[Grant]:
        """Read what the model's runs and `more` hold, with the key; write below the prefixes `write`."""
        artifacts, read = self._shared.artifact_bucket, (keys.runs(self._spec.model), *more)
        return [
            grants.read_objects(artifacts, *read),
            grants.list_objects(artifacts, *read),
            grants.write_objects(artifacts, *write),
            grants.use_key(self._shared.key_arn),
        ]

    def _told(self, *, claims: bool = True) -> list[Grant]:
        """Have the ledger written; with `claims`, hold them."""
        held = [grants.claim(self._shared.claims_table)] if claims else []
        return [*held, grants.record(self._shared.ledger_writer)]

    def _rules(self) -> None:
        if self._spec.retraining.on_upload:
            cut = versions_of(self._stage, self._spec.dataset)
            rule_to_machine(self, "VersionCut", cut, self._machine.arn, self._lost)
        close = self._function(
            functions.CLOSE_RUN,
            environment.CloseRun(**self._run_fields(), topic=self._shared.topic).to_env(),
            [
                *self._runs(write=(keys.runs(self._spec.model),)),
                *self._told(),
                *grants.executions(self._machine.arn, self._machine.name, start=True),
                grants.tell(self._shared.topic),
                grants.hand_over(self._lost.queue_arn),
            ],
        )
        close_executions(self, "Run", self._machine.arn, close, self._lost)

    def _function(self, entry: Entry, variables: dict[str, str], granted: list[Grant]) -> Function:
        return Function(self, entry, self._package, environment=variables, grants=granted)


def _uri(asset: Asset) -> str:
    return f"s3://{asset.s3_bucket_name}/{asset.s3_object_key}"
