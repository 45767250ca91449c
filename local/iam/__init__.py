"""Who may do what: the policies of the stacks evaluated for every call that a role or an AWS service makes."""

from local.iam.authority import Authority

__all__ = ["Authority"]
