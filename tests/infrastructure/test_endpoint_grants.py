"""Who may make, see, ask and delete a model's endpoints, and that it is that model's alone."""

from fnmatch import fnmatchcase

from lifecycle import names
from tests.infrastructure.test_releases import granted, who_may
from tests.infrastructure.world import Assembly, flat, listed, statements

STACK = "perennial-dev-churn-serving"


def test_predict_may_ask_the_endpoints_of_its_own_model_and_no_others(assembly: Assembly) -> None:
    [pattern] = {arn for action, arn in granted(assembly, "Predict") if action == "sagemaker:InvokeEndpoint"}
    place = pattern.rpartition("endpoint/")[0]
    own = f"{names.endpoints('dev', 'churn')}12-0a1b2c3d"
    assert fnmatchcase(f"{place}endpoint/{own}", pattern)
    for other in ("churn-b", "churn-1", "b-churn", "chur"):
        assert not fnmatchcase(f"{place}endpoint/{names.endpoints('dev', other)}1-0a1b2c3d", pattern)


def test_only_publishing_makes_endpoints_and_only_who_ends_a_rollout_deletes_them(assembly: Assembly) -> None:
    for verb in ("CreateEndpoint", "CreateEndpointConfig", "CreateModel", "AddTags"):
        assert who_may(assembly, f"sagemaker:{verb}") == {"PublishModel"}, verb
    for verb in ("DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"):
        # publishing deletes what failed, so that another try is not stopped by it
        assert who_may(assembly, f"sagemaker:{verb}") == {"PublishModel", "PromoteModel", "WithdrawVersion"}, verb
    assert who_may(assembly, "sagemaker:InvokeEndpoint") == {"Predict"}
    assert who_may(assembly, "sagemaker:ListEndpoints") == {"PromoteModel", "WithdrawVersion"}


def test_every_grant_on_endpoints_is_on_the_models_own(assembly: Assembly) -> None:
    functions = ("PublishModel", "PromoteModel", "WithdrawVersion", "RollBack", "Predict")
    found = {
        arn.rsplit(":", 1)[1]
        for name in functions
        for action, arn in granted(assembly, name)
        if action.startswith("sagemaker:") and action != "sagemaker:ListEndpoints" and "model-package" not in arn
    }
    begins = names.endpoints("dev", "churn")
    assert found == {f"{kind}/{begins}*" for kind in ("endpoint", "endpoint-config", "model")}


def test_an_endpoints_role_reads_archives_of_its_models_runs_and_writes_nothing_but_its_log(assembly: Assembly) -> None:
    [role] = [
        resource
        for name, resource in assembly.template(STACK)["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and name.startswith("EndpointRole")
    ]
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    may = [(action, flat(arn)) for s in statements(role) for action in listed(s["Action"])
           for arn in listed(s["Resource"])]  # fmt: skip
    assert {action for action, _ in may if action.startswith("s3:")} == {"s3:GetObject", "s3:ListBucket"}
    assert all("/runs/churn/" in arn for action, arn in may if action == "s3:GetObject")
    assert {action.split(":")[0] for action, _ in may} == {"s3", "kms", "ecr", "logs"}
    assert all(
        f"/aws/sagemaker/Endpoints/{names.endpoints('dev', 'churn')}*" in arn
        for action, arn in may
        if action.startswith("logs:")
    )
