"""Who may do what: the policies of the stacks evaluated for every call that a role or an AWS service makes."""

from local.clients import Clients
from local.dispatch import Dispatcher
from local.iam.authority import Authority, OfFunction
from local.iam.grants import granted
from local.iam.policies import OBSERVED

__all__ = ["Authority", "enforced", "granted"]


def enforced(dispatch: Dispatcher, clients: Clients, of_function: OfFunction) -> Authority:
    """Let the policies of the account decide about every call to `dispatch`.

    `of_function` returns the statements of the policy of a function, version or alias.
    """
    authority = Authority(clients, clients.region, of_function)
    dispatch.guard(authority)
    for service in OBSERVED:
        dispatch.observe(service, authority.policies)
    return authority
