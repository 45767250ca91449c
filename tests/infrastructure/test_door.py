"""What the command line reads of synthesized stacks: which models are open, and what each of them will take."""

from openapi_spec_validator import OpenAPIV31SpecValidator

from cli.commands.openapi import specs_of
from cli.open_models import open_models, warning
from lifecycle import openapi
from tests.infrastructure.world import Assembly


def test_open_models_are_found_and_told(assembly: Assembly) -> None:
    assert open_models(assembly.folder) == open_models(assembly.folder, "dev") == ["segment"]
    assert open_models(assembly.folder, "prod") == []
    assert "anybody" in warning(["segment"])


def test_models_are_described_before_anything_is_deployed(assembly: Assembly) -> None:
    specs = specs_of(assembly.folder)
    assert list(specs) == ["churn", "price", "segment"]
    documents = [openapi.document(openapi.planned(spec, name)) for name, spec in specs.items()]
    together = openapi.merged("as planned", documents)
    OpenAPIV31SpecValidator(together).validate()
    price = together["paths"]["/models/price/predictions"]["post"]
    assert price["security"] == [{"jwt-price": ["score"]}]
    assert together["components"]["securitySchemes"]["jwt-price"]["openIdConnectUrl"].startswith("https://issuer.")
