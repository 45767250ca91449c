"""What moto answers otherwise than AWS where the product meets it, and what the engine makes of it."""

from local import moto_state
from local.clients import Clients
from local.dispatch import Dispatcher
from local.identity import Identity


def test_a_package_group_says_who_made_it_as_the_model_requires() -> None:
    moto_state.reset()
    client = Clients(Dispatcher(Identity()), "us-east-1").client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="group")
    described = client.describe_model_package_group(ModelPackageGroupName="group")
    assert described["CreatedBy"] == {}
    assert described["ModelPackageGroupStatus"] == "Completed"
