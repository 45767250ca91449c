"""AWS Lambda on the laptop: control plane (`control`), packages, workers, invocation. Its face: `functions.Functions`.

The whole control plane is the engine's own, moto's Lambda is not used: moto 5.2.5 has no workers, publishes unchanged
code again, ignores RevisionId and drops layers, and an alias, a version and the worker that runs it must agree.

Nothing is imported here: `worker` and `launching` are also used where there is no moto, or another one (the test lane
on LocalStack).
"""
