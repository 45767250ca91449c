"""SageMaker serverless endpoints: models, configurations and endpoints by name, each endpoint a process on demand."""

from local.endpoints.service import Endpoints

__all__ = ["Endpoints"]
