"""Step Functions: an interpreter of the states that the stacks use, on the engine's clock, and its API."""

from local.states.service import StateMachines

__all__ = ["StateMachines"]
