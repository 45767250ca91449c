"""SageMaker training and processing jobs: the containers' documented contract as process groups."""

from local.jobs.service import Jobs

__all__ = ["Jobs"]
