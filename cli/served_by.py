"""A model package -> who scores it: the predict function, or an endpoint and why."""

from cloud.packages import Package


def served_by(package: Package) -> str:
    """Return `lambda`, or `endpoint: <why>`."""
    if "endpoint" not in package.properties:
        return "lambda"
    return f"endpoint: {package.properties.get('serverless_because', 'no reason was registered')}"
