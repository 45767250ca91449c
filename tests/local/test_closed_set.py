"""docs/engine.md is what the product calls and the templates hold, and the engine has nothing besides."""

import json
from typing import Any

import pytest

from lifecycle.names import PRODUCT
from local.api import ENGINE, ApiError, Asked, Caller
from local.closed_set import FILE, LOOKING, ClosedSet, paths_of, strangers, tree_of
from local.cloudwatch.alarm_rules import COMPARISONS, TREATMENTS
from local.cloudwatch.metrics import STATISTICS
from local.intrinsics import FUNCTIONS, PSEUDO_PARAMETERS
from local.resources.catalogue import KINDS
from local.service_models import input_shape
from local.states import allowed
from scripts.engine_doc import DOCUMENT, document, lines_of, own_operations, plain, recorded

KEPT_FIELDS = {"Map": {"End"}, "Pass": {"Next"}, "Wait": {"End", "Seconds"}}
"""Next and End are one rule for all states; a wait of fixed length is what the interpreter's own tests are made of."""

CONTENT: dict[str, Any] = json.loads(FILE.read_bytes())
TEMPLATES: dict[str, dict[str, list[str]]] = CONTENT["templates"]


def asked(operation: str, app: str, **parameters: Any) -> Asked:
    return Asked("dynamodb", operation, "us-east-1", Caller("key"), parameters, app)


SET = ClosedSet({"dynamodb": {"GetItem": ["TableName", "Key"], "TransactWriteItems": ["TransactItems[].Put.Item"]}})


@pytest.mark.parametrize("app", [PRODUCT, ENGINE, ""])
def test_operations_outside_the_set_are_refused_to_everybody_by_name(app: str) -> None:
    SET(asked("GetItem", app, TableName="a"))
    with pytest.raises(ApiError, match="dynamodb:DeleteTable") as refused:
        SET(asked("DeleteTable", app, TableName="a"))
    assert refused.value.code == "InvalidAction"


@pytest.mark.parametrize("app", [PRODUCT, ENGINE])
def test_the_product_is_refused_parameters_that_it_did_not_use(app: str) -> None:
    with pytest.raises(ApiError, match=r"TransactItems\[\]\.Delete"):
        SET(asked("TransactWriteItems", app, TransactItems=[{"Put": {"Item": {"a": {"S": "b"}}}}, {"Delete": {}}]))
    with pytest.raises(ApiError, match="ConsistentRead"):
        SET(asked("GetItem", app, TableName="a", Key={"a": {"S": "b"}}, ConsistentRead=True))


def test_people_may_look_in_their_own_way() -> None:
    SET(asked("GetItem", "", TableName="a", ConsistentRead=True))
    SET(asked("Scan", "", TableName="a"))
    with pytest.raises(ApiError, match="dynamodb:Scan"):
        SET(asked("Scan", PRODUCT, TableName="a"))


def test_a_path_of_parameters_ends_where_the_caller_chooses_the_names() -> None:
    given = {"TransactItems": [{"Put": {"TableName": "a", "Item": {"x": {"S": "1"}, "y": {"M": {"z": {"N": "1"}}}}}}]}
    found = set(paths_of(input_shape("dynamodb", "TransactWriteItems"), given))
    assert found == {"TransactItems[].Put.TableName", "TransactItems[].Put.Item.*"}
    assert list(strangers(tree_of(found), given)) == []


def test_the_document_is_what_is_written_now() -> None:
    assert DOCUMENT.read_text() == document(CONTENT), "docs/engine.md is not current: python -m scripts.engine_doc"


def test_a_record_can_be_read_back() -> None:
    assert plain(recorded(lines_of(CONTENT))) == {name: CONTENT[name] for name in ("calls", "events")}


def test_the_engine_answers_nothing_that_nobody_calls() -> None:
    own = own_operations()
    assert own == CONTENT["own"]
    called = {
        service: set(CONTENT["calls"].get(service, {})) | set(LOOKING.get(service, ()))
        for service in {*CONTENT["calls"], *LOOKING}
    }
    assert {f"{s}:{name}" for s, names in own.items() for name in names if name not in called.get(s, ())} == set()


def test_each_operation_that_people_may_look_with_exists() -> None:
    for service, names in LOOKING.items():
        for name in names:
            input_shape(service, name)
            assert name not in CONTENT["calls"].get(service, {}), f"{service}:{name} is called by the product anyway"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_each_resource_type_has_only_properties_and_attributes_that_the_templates_use(kind: Any) -> None:
    used = TEMPLATES["resources"][kind.type]
    named = [name.removesuffix(".*") for name in kind.properties.split()]
    assert [n for n in named if not any(u == n or u.startswith(f"{n}.") or n.startswith(f"{u}.") for u in used)] == []
    assert [a for a in kind.attribute_names.split() if a not in TEMPLATES["attributes"].get(kind.type, [])] == []


def test_the_engine_has_only_functions_of_templates_that_are_used() -> None:
    assert set(TEMPLATES["functions"]) == set(FUNCTIONS)
    assert {name for names in TEMPLATES["functions"].values() for name in names} == set(PSEUDO_PARAMETERS)


def test_the_engine_has_only_states_and_fields_that_the_machines_use() -> None:
    fields = {
        **allowed.STATE_FIELDS,
        "machine": allowed.MACHINE_FIELDS,
        "processor": allowed.PROCESSOR_FIELDS,
        "retrier": allowed.RETRY_FIELDS,
        "catcher": allowed.CATCH_FIELDS,
        "choice": allowed.CHOICE_FIELDS,
        "function": allowed.INTRINSICS,
    }
    used = {name: set(TEMPLATES["states"].get(name, ())) | KEPT_FIELDS.get(name, set()) for name in fields}
    assert used == {name: set(known) for name, known in fields.items()}
    assert set(allowed.SYNC_JOBS) == {name for name in TEMPLATES["states"]["resource"] if ":::" in name}


def test_the_engine_has_only_forms_of_alarms_that_are_used() -> None:
    forms = [form.split(", ") for form in TEMPLATES["alarms"]]
    assert {form[0] for form in forms} <= set(STATISTICS)
    assert {form[1] for form in forms} == set(COMPARISONS)
    assert {form[2] for form in forms} | {"missing"} == set(TREATMENTS), "missing is what CloudWatch takes by itself"
