"""Every name that two sides must agree on, written once: events, tags, families, limits, stack and resource names."""

from typing import Final

PRODUCT: Final = "perennial"
PROBE: Final = "probe"  # requestContext[PRODUCT] of an invocation by which a deployment asks a version it published

# Tags on every resource (destroy finds what is left by them).
TAG_STAGE: Final = "perennial:stage"
TAG_MODEL: Final = "perennial:model"

# Events. Ours carry `stage` in the detail, because all stages of an account share the default bus.
SOURCE: Final = "perennial"
VERSION_CUT: Final = "Data Version Cut"
MODEL_LIVE: Final = "Model Live"
MODEL_MONITORED: Final = "Model Monitored"
OBJECT_CREATED: Final = "Object Created"
OBJECT_DELETED: Final = "Object Deleted"
MODEL_PACKAGE_CHANGED: Final = "SageMaker Model Package State Change"
EXECUTION_CHANGED: Final = "Step Functions Execution Status Change"
STACK_CHANGED: Final = "CloudFormation Stack Status Change"
ALARM_CHANGED: Final = "CloudWatch Alarm State Change"

# Metrics: one namespace; dimensions are Stage and Model, never a version.
METRIC_NAMESPACE: Final = "Perennial"
METRIC_REQUESTS_FAILED: Final = "RequestsFailed"
METRIC_COLD_STARTS: Final = "ColdStarts"
COLD_START_PATTERN: Final = '"REPORT RequestId:" "Init Duration:"'  # both terms, in Lambda's own last line
METRIC_FEATURES_DRIFTED: Final = "FeaturesDrifted"
METRIC_WORST_MISSING: Final = "WorstMissing"
METRIC_SCORE_DRIFT: Final = "ScoreDrift"
METRIC_QUALITY: Final = "Quality"
METRIC_QUALITY_DROP: Final = "QualityDrop"
METRIC_ESTIMATED_QUALITY: Final = "EstimatedQuality"
METRIC_LABEL_COVERAGE: Final = "LabelCoverage"
METRIC_STALENESS: Final = "Staleness"

# What monitoring may raise; each is an alarm of its own.
ALERT_DRIFT: Final = "drift"
ALERT_SCORES: Final = "scores"
ALERT_QUALITY: Final = "quality"
ALERT_STALE: Final = "stale"
ALERTS: Final = (ALERT_DRIFT, ALERT_SCORES, ALERT_QUALITY, ALERT_STALE)

# Lambda alias that API Gateway calls.
LIVE: Final = "live"

# CloudFormation outputs of the shared stack, read by the model stacks (as exports) and by the command line.
OUTPUT_DATA_BUCKET: Final = "DataBucket"
OUTPUT_ARTIFACT_BUCKET: Final = "ArtifactBucket"
OUTPUT_LOG_BUCKET: Final = "LogBucket"
OUTPUT_KEY: Final = "KeyArn"
OUTPUT_LEDGER_TABLE: Final = "LedgerTable"
OUTPUT_LEDGER_WRITER: Final = "LedgerWriterArn"
OUTPUT_CLAIMS_TABLE: Final = "ClaimsTable"
OUTPUT_LABELS_TABLE: Final = "LabelsTable"
OUTPUT_TOPIC: Final = "TopicArn"
OUTPUT_API_ID: Final = "ApiId"
OUTPUT_API_URL: Final = "ApiUrl"
OUTPUT_LOOK_QUEUE: Final = "LookQueueUrl"
OUTPUT_TRAINING_MACHINE: Final = "TrainingMachineArn"
OUTPUT_DEPLOYMENT_MACHINE: Final = "DeploymentMachineArn"
OUTPUT_PACKAGE_GROUP: Final = "PackageGroup"
OUTPUT_SPEC_ID: Final = "SpecId"
OUTPUT_DATASET: Final = "Dataset"
OUTPUT_PREDICT_FUNCTION: Final = "PredictFunction"
OUTPUT_PREDICTION_STREAM: Final = "PredictionStream"
OUTPUT_ROLL_BACK: Final = "RollBackFunction"
OUTPUT_MONITOR: Final = "MonitorFunction"
OUTPUT_RETRAIN: Final = "RetrainFunction"

# Candidate families that are built in; `module:function` names are the user's own.
LOGISTIC_REGRESSION: Final = "logistic-regression"
LINEAR_REGRESSION: Final = "linear-regression"
RIDGE: Final = "ridge"
LASSO: Final = "lasso"
ELASTIC_NET: Final = "elastic-net"
SGD: Final = "sgd"
DECISION_TREE: Final = "decision-tree"
RANDOM_FOREST: Final = "random-forest"
EXTRA_TREES: Final = "extra-trees"
GRADIENT_BOOSTING: Final = "gradient-boosting"
HIST_GRADIENT_BOOSTING: Final = "hist-gradient-boosting"
XGBOOST: Final = "xgboost"
LIGHTGBM: Final = "lightgbm"
CLASSIFIERS_ONLY: Final = (LOGISTIC_REGRESSION,)
REGRESSORS_ONLY: Final = (LINEAR_REGRESSION, RIDGE, LASSO, ELASTIC_NET)
FAMILIES: Final = (
    *(*CLASSIFIERS_ONLY, *REGRESSORS_ONLY, SGD, DECISION_TREE, RANDOM_FOREST, EXTRA_TREES, GRADIENT_BOOSTING),
    *(HIST_GRADIENT_BOOSTING, XGBOOST, LIGHTGBM),
)

# Limits of AWS that several parts respect.
MODEL_NAME_LENGTH: Final = 20  # so that <run>-<family>-<attempt> stays within SageMaker's 63 characters
FAMILY_NAME_LENGTH: Final = 22
JOB_NAME_LENGTH: Final = 63
STATE_BYTES: Final = 262_144  # Step Functions, one state's input or output
ENVIRONMENT_BYTES: Final = 4_096  # Lambda, all variables together
BODY_BYTES: Final = 4_194_304  # our own limit of a request body, DESIGN section 5
BODY_BYTES_UNZIPPED: Final = 20_971_520
COPY_BYTES: Final = 5_368_709_120  # S3 CopyObject, one call


def shared_stack(stage: str) -> str:
    """Return the name of the stage-wide stack."""
    return f"{PRODUCT}-{stage}-shared"


def training_stack(stage: str, model: str) -> str:
    """Return the name of a model's training stack."""
    return f"{PRODUCT}-{stage}-{model}-training"


def serving_stack(stage: str, model: str) -> str:
    """Return the name of a model's serving stack."""
    return f"{PRODUCT}-{stage}-{model}-serving"


def monitoring_stack(stage: str, model: str) -> str:
    """Return the name of a model's monitoring stack."""
    return f"{PRODUCT}-{stage}-{model}-monitoring"


def export(stage: str, output: str) -> str:
    """Return the CloudFormation export name of an output of the shared stack."""
    return f"{shared_stack(stage)}-{output}"


def predict_function(stage: str, model: str) -> str:
    """Return the physical name of a model's predict function (fixed: a deployment outside CloudFormation finds it)."""
    return f"{PRODUCT}-{stage}-{model}-predict"


def cold_starts(stage: str, model: str) -> str:
    """Return the name of the metric of a model's cold starts: a filter on log lines cannot give it dimensions."""
    return f"{METRIC_COLD_STARTS}-{stage}-{model}"


def alarm(stage: str, model: str, what: str) -> str:
    """Return the name of a model's alarm.

    `what` is "errors" (Lambda's own), "failures" (5xx that we answered), one of `ALERTS`, or "monitor" (it fails).
    """
    return f"{PRODUCT}-{stage}-{model}-{what}"


def endpoints(stage: str, model: str) -> str:
    """Return what the names of a model's serverless endpoints, their configurations and models begin with."""
    return of_endpoints(package_group(stage, model))


def of_endpoints(group: str) -> str:
    """Return the same, for the model of a package group. No model's name holds two hyphens: no other begins alike."""
    return f"{group}--"


def package_group(stage: str, model: str) -> str:
    """Return the name of a model's SageMaker model package group."""
    return f"{PRODUCT}-{stage}-{model}"
