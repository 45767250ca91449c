"""Published versions that nobody needs any more go: never one that is live, has traffic, or is the way back."""

from lambdas import wiring
from lambdas.observability import note
from lambdas.standing import alias_of, said_by
from lifecycle import deployment
from lifecycle.settings import Deploy


def prune(settings: Deploy) -> None:
    """Delete old versions; the alias is read anew, since it may have moved meanwhile."""
    functions, alias = wiring.functions(), alias_of(settings)
    said = said_by(alias)
    needed = {alias.version, *alias.weights, *([said.back] if said and said.back else [])}
    versions = [int(version.number) for version in functions.versions(settings.predict_function)]
    keep = wiring.packaged_spec().serving.keep_versions
    for number in deployment.to_prune(versions, keep, needed):
        if not functions.delete(settings.predict_function, number):
            note("version kept", version=number)  # an alias points at it by now
