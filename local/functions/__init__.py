"""AWS Lambda on the laptop: control plane (`control`), packages, workers and invocation; `Functions` is its face.

The whole control plane is the engine's own, moto's Lambda is not used: moto 5.2.5 has no workers, publishes unchanged
code again, ignores RevisionId and drops layers, and an alias, a version and the worker that runs it must agree.
"""

from local.functions.functions import Functions

__all__ = ["Functions"]
