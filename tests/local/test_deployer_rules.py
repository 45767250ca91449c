"""What the deployer does with changed properties, against CloudFormation's registry schemas and the page about it."""

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from local.resources.catalogue import KINDS
from scripts.deployer_doc import DOCUMENT, change_of, names_of, table


def create_only(kind: str, *which: str) -> set[str]:
    """Return the properties that CloudFormation does not change in place: "Update requires: Replacement"."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return {path.split("/")[2] for name in which for path in schema.get(name, [])}


@pytest.mark.parametrize("name", KINDS)
def test_a_property_is_changed_as_cloudformation_changes_it_or_not_at_all(name: str) -> None:
    never = create_only(name, "createOnlyProperties")
    replaced = never | create_only(name, "conditionalCreateOnlyProperties")
    changes = {one: change_of(KINDS[name], one) for one in names_of(KINDS[name])}

    assert {one for one, change in changes.items() if change == "update"} & never == set()
    assert {one for one, change in changes.items() if change == "replace"} - replaced == set()


def test_the_page_says_what_a_changed_property_does() -> None:
    assert table() in DOCUMENT.read_text(), "run `python -m scripts.deployer_doc`"
