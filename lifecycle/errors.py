"""The error family. Class names are API: Step Functions matches them by bare name, problem documents carry them.

LifecycleError
 +- Rejected            the input is wrong; trying again cannot help            HTTP 4xx, Catch without Retry
 |   +- SpecRejected            a model.yaml or a spec file
 |   +- DatasetRejected         a data version, an object of it, or a file
 |   +- RequestRejected         an HTTP request
 |   +- ModelRejected           a compiled model that cannot be trusted or does not fit
 |   +- PromotionRejected       a candidate that may not be registered or deployed
 |   +- Overtaken               somebody else moved the alias while a deployment ran: it gives way
 |   +- TrainingFailed          a candidate family, or all of them
 |   +- MissingSetting          a function was deployed without a variable it needs
 +- Unavailable         the cloud is busy or not ready; trying again may help    HTTP 503, Retry with backoff
     +- Throttled
     +- ClaimHeld               somebody else holds the claim now
     +- NotReady                a resource is not in the state that the next call needs
"""


class LifecycleError(Exception):
    """Root of all errors that Perennial raises on purpose."""


class Rejected(LifecycleError):
    """The input is wrong; trying again cannot help."""


class SpecRejected(Rejected):
    """A model.yaml, or the spec file made from it, is not valid."""


class DatasetRejected(Rejected):
    """A data version, one of its objects, or a file cannot be used."""


class RequestRejected(Rejected):
    """An HTTP request does not satisfy the contract of the live model."""


class ModelRejected(Rejected):
    """A compiled model is damaged, of an unknown format, or does not equal the fitted estimator."""


class PromotionRejected(Rejected):
    """A candidate may not be registered or deployed."""


class Overtaken(Rejected):
    """Somebody else moved the alias since this deployment touched it; a deployment never overwrites that."""


class TrainingFailed(Rejected):
    """A candidate family could not be trained, or no family could."""


class MissingSetting(Rejected):
    """A function lacks environment variables that its settings need."""


class Unavailable(LifecycleError):
    """The cloud is busy or not ready; trying again may help."""


class Throttled(Unavailable):
    """An AWS service asked us to slow down."""


class ClaimHeld(Unavailable):
    """Somebody else holds the claim and its lease has not expired."""


class NotReady(Unavailable):
    """A resource is not yet in the state that the next call needs."""


def names_of(family: type[LifecycleError]) -> list[str]:
    """Return the bare class names of `family` and all its subclasses, sorted, as `ErrorEquals` wants them.

    >>> names_of(Unavailable)
    ['ClaimHeld', 'NotReady', 'Throttled', 'Unavailable']
    """
    found = {family.__name__}
    for child in family.__subclasses__():
        found.update(names_of(child))
    return sorted(found)
