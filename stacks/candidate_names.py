"""A candidate of model.yaml -> the family name that jobs, reports and records use."""

from stacks.model_file import CandidateKeys


def family_of(entry: CandidateKeys) -> str:
    """Return the built-in family, or the name made from the estimator's function.

    >>> family_of(CandidateKeys(estimator="estimators:make_model"))
    'make-model'
    """
    if entry.estimator is None:
        return entry.family or ""
    return entry.estimator.partition(":")[2].strip("_").lower().replace("_", "-")
