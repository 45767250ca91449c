"""Who scores a model: the predict function itself, or a SageMaker serverless endpoint of this size."""

from dataclasses import dataclass

LAMBDA = "lambda"
SERVERLESS = "serverless"


@dataclass(frozen=True, kw_only=True)
class Serverless:
    """Size of an endpoint: memory in MB, and how many requests it takes at once."""

    memory_mb: int = 2048
    max_concurrency: int = 5


USUAL = Serverless()
