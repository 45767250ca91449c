"""What a model.yaml may say: its keys and their values, each checked on its own (pydantic).

What keys mean together is checked in `model_checks`. Descriptions end up in the JSON Schema that editors show.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from lifecycle.metrics import OF_DECISIONS
from lifecycle.names import MODEL_NAME_LENGTH
from lifecycle.spec import Task
from stacks.column_rules import Column, DerivedWord, Keys, Preparing, Share
from stacks.loop_file import MonitoringKeys, ObjectiveKeys, RetrainingKeys
from stacks.refusals import refuse_instance, refuse_task
from stacks.rollout_file import RolloutWord

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"  # without two hyphens in a row: lifecycle.names.endpoints
Positive = Annotated[float, Field(gt=0)]


def _text(value: Any) -> Any:
    """Labels are text; YAML reads true and 1 as something else, which has one spelling only."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


class SplitKeys(Keys):
    """How rows are divided into training, validation and holdout."""

    by: Literal["hash", "time"] = "hash"
    """time: the newest rows are the holdout; hash: a row's side follows from `key` and never changes"""
    key: str | None = None
    """column whose value decides the side, so that rows of one customer stay together (hash)"""
    holdout: Annotated[float, Field(gt=0, lt=0.9)] = 0.2
    """share of rows that judge the candidates"""
    validation: Annotated[float, Field(gt=0, lt=0.9)] = 0.2
    """share of rows that the search and the threshold use"""
    gap_days: Annotated[float, Field(ge=0)] = 0.0
    """days left out before validation and holdout (time)"""


class CandidateKeys(Preparing):
    """One family to train."""

    family: str | None = None
    """a built-in family"""
    estimator: str | None = None
    """estimators:<function>: a function of estimators.py that returns a scikit-learn estimator"""
    search: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    """hyperparameter -> values to try"""


def _one_word(value: Any) -> Any:
    if isinstance(value, str):
        return {"estimator": value} if ":" in value else {"family": value}
    return value


CandidateWord = Annotated[CandidateKeys, BeforeValidator(_one_word, json_schema_input_type=str | CandidateKeys)]


class TrainingKeys(Keys):
    """How candidates are trained."""

    trials: Annotated[int, Field(ge=1, le=100)] = 6
    """hyperparameter settings tried per family"""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 7
    """the same seed gives the same model"""
    metric: str | None = None
    """what the search and the choice of the winner go by"""
    instance_type: Annotated[str, AfterValidator(refuse_instance)] = "ml.m5.large"
    """SageMaker instance type of the jobs"""
    volume_gb: Annotated[int, Field(ge=5, le=1000)] = 30
    """disk of a job"""
    max_minutes: Annotated[int, Field(ge=1, le=600)] = 60
    """a job that runs longer is stopped"""


class DecisionKeys(Keys):
    """How a probability becomes a decision (binary): by one of metric, threshold, or the two costs."""

    metric: Literal[OF_DECISIONS] | None = None  # type: ignore[valid-type]
    """the threshold that is best for this metric on validation data"""
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """a fixed threshold"""
    false_positive: Positive | None = None
    """cost of a false alarm"""
    false_negative: Positive | None = None
    """cost of a miss"""


class MetricGateKeys(Keys):
    """A bound on a metric of the holdout."""

    metric: str
    min: float | None = None
    max: float | None = None


class SliceGateKeys(Keys):
    """No value of a column may be served much worse than all rows together."""

    column: str
    metric: str
    max_ratio: Annotated[float, Field(ge=1)]
    """worst loss allowed, as a multiple of the overall one"""
    min_rows: Annotated[int, Field(ge=10)] = 200
    """values with fewer holdout rows are not judged"""


class ReplayGateKeys(Keys):
    """A candidate answers logged traffic before it is registered; it may not differ too much."""

    days: Annotated[float, Field(gt=0, le=30)] = 7.0
    """how far back"""
    min_rows: Annotated[int, Field(ge=1, le=100_000)] = 500
    """with fewer logged rows nothing is judged"""
    max_changed_decisions: Share | None = None
    """largest share of rows that may be decided otherwise (binary, multiclass)"""
    max_mean_difference: Positive | None = None
    """largest mean absolute difference of scores: probabilities, or values (regression)"""
    max_refused: Share = 0.0
    """largest share of logged rows that the candidate's contract may refuse"""


class GateKeys(Keys):
    """What a candidate must satisfy; beating the dummy always is one of it."""

    metrics: list[MetricGateKeys] = Field(default_factory=list)
    slices: list[SliceGateKeys] = Field(default_factory=list)
    confidence: Annotated[float, Field(ge=0.5, le=0.999)] = 0.95
    """of the comparison with the live model"""
    require_improvement: bool = False
    """true asks for a significant gain; false for no significant loss"""
    max_model_kb: Annotated[int, Field(ge=1, le=40_000)] = 8192
    """largest compiled model"""
    replay: ReplayGateKeys | None = None
    """how far a candidate's answers may differ from the logged ones"""


class ServerlessKeys(Keys):
    """Size of the SageMaker serverless endpoint, where one serves the model."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    """memory; CPU grows with it"""
    max_concurrency: Annotated[int, Field(ge=1, le=200)] = 5
    """requests answered at once; more are refused with 503 (the account's quota is shared by all endpoints)"""


class ServingKeys(Keys):
    """How the model is served."""

    auth: Literal["iam", "jwt", "none"] = "iam"
    """iam: signed requests; jwt: bearer tokens of jwt_issuer for jwt_audience; none: open to everybody"""
    jwt_issuer: str | None = None
    """https address of the token's issuer"""
    jwt_audience: list[str] = Field(default_factory=list)
    """audiences that tokens may have"""
    jwt_scopes: list[Annotated[str, Field(pattern=r"^[!#-\[\]-~]{1,64}$")]] = Field(default_factory=list, max_length=10)
    """scopes of which a token must have one; none asks for no scope"""
    memory_mb: Annotated[int, Field(ge=128, le=10_240)] = 512
    """Lambda memory; CPU grows with it (accounts that are new get at most 3008)"""
    max_rows: Annotated[int, Field(ge=1, le=10_000)] = 1000
    """rows in one request"""
    rollout: RolloutWord = "canary"
    """how traffic moves to a new version: in steps that are judged, or all at once after the probe"""
    keep_versions: Annotated[int, Field(ge=2, le=100)] = 20
    """published versions that are kept for a rollback"""
    feedback_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """labels for older predictions are stored without looking for the prediction"""
    target: Literal["lambda", "serverless"] = "lambda"
    """lambda: the function scores; an endpoint only where a model cannot be compiled. serverless: always an endpoint"""
    serverless: ServerlessKeys = ServerlessKeys()


class ModelFile(Keys):
    """models/<name>/model.yaml of Perennial."""

    model: Annotated[str, Field(pattern=NAME, max_length=MODEL_NAME_LENGTH)]
    """the folder's name"""
    dataset: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] | None = None
    """uploads to incoming/<dataset>/ feed this model (default: the model's name)"""
    task: Annotated[Task, BeforeValidator(refuse_task)]
    """binary, multiclass or regression"""
    target: str
    """the column to predict"""
    positive: Annotated[str | None, BeforeValidator(_text)] = None
    """the label whose probability is answered (binary)"""
    id: str | None = None
    """column that names a row; a repeated value refuses the data version"""
    time: str | None = None
    """column that orders rows"""
    weight: str | None = None
    """column that weighs rows in training"""
    missing_label: Literal["drop", "reject"] = "reject"
    """what happens to rows without a label"""
    extra_columns: Literal["ignore", "reject"] = "ignore"
    """what happens to columns that are not listed"""
    max_invalid_share: Share = 0.0
    """share of rows that may hold an unreadable or out-of-range value"""
    min_rows: Annotated[int, Field(ge=1)] = 50
    """a data version with fewer rows is refused"""
    max_age_days: Positive | None = None
    """a data version whose newest row is older is refused (needs time)"""
    columns: dict[str, Column] = Field(default_factory=dict)
    """column -> kind, or a mapping of rules"""
    groups: dict[str, Column] = Field(default_factory=dict)
    """s_001..s_300 -> rules that all columns of the range share"""
    derived: dict[str, DerivedWord] = Field(default_factory=dict)
    """what features.py returns -> its kind, or a mapping of rules"""
    split: SplitKeys = SplitKeys()
    candidates: list[CandidateWord] | None = None
    """families to train (default: a linear one, a random forest and hist gradient boosting)"""
    objective: ObjectiveKeys = ObjectiveKeys()
    training: TrainingKeys = TrainingKeys()
    decision: DecisionKeys = DecisionKeys()
    gates: GateKeys = GateKeys()
    serving: ServingKeys = ServingKeys()
    monitoring: MonitoringKeys = MonitoringKeys()
    retraining: RetrainingKeys = RetrainingKeys()
