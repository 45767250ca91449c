"""stages.yaml -> stages: in file order, with every mistake told."""

from pathlib import Path

import pytest

from stacks.images import ACCOUNTS, training_image
from stacks.project import SynthesisRefused
from stacks.stages import choose_stage, read_stages
from tests.infrastructure.world import FIXTURES, ROOT


def test_the_first_stage_is_the_default() -> None:
    assert choose_stage(FIXTURES / "stages.yaml", None).name == "dev"
    assert choose_stage(FIXTURES / "stages.yaml", "prod").account == "012345678901"


def test_the_laptops_stage_is_first_in_this_repository() -> None:
    stage = choose_stage(ROOT / "stages.yaml", None)
    assert (stage.name, stage.region, stage.approval) == ("dev", "us-east-1", "auto")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must name at least one stage"),
        ("dev: {}\n", "dev.region: is missing"),
        ("dev: {region: us-east-9}\n", "dev.region: the training image is not known there; regions: af-south-1"),
        ("dev: {region: us-east-1, account: 123456789012}\n", "dev.account: write the account id in quotes"),
        ('dev: {region: us-east-1, account: "12"}\n', "dev.account: "),
        ("dev: {region: us-east-1, removal: keep}\n", "dev.removal: "),
        ("dev: {region: us-east-1, approval: later}\n", "dev.approval: "),
        ("Dev-1: {region: us-east-1}\n", "Dev-1"),
        ("dev: {region: us-east-1, throttle: {rate: 0}}\n", "dev.throttle.rate: "),
        ("dev: {region: us-east-1, cors: {}}\n", "dev.cors.origins: "),
        ('dev: {region: us-east-1, cors: {origins: ["http://app.example.com"]}}\n', "dev.cors.origins.0: "),
        ('dev: {region: us-east-1, cors: {origins: ["*"], credentials: true}}\n', "credentials need names"),
        ("dev: {region: us-east-1, colour: red}\n", "dev.colour: is not a key that is known here"),
    ],
)
def test_mistakes_are_told_with_their_key(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "stages.yaml"
    path.write_text(text)
    with pytest.raises(SynthesisRefused) as caught:
        read_stages(path)
    assert told in str(caught.value)


def test_every_region_has_an_image_of_its_own_account() -> None:
    assert training_image("eu-west-1") == (
        "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
    )
    assert training_image("cn-north-1").endswith(".amazonaws.com.cn/sagemaker-scikit-learn:1.9-0-cpu-py3")
    assert all(len(account) == 12 for account in ACCOUNTS.values())
    assert len(set(ACCOUNTS.values())) == len(ACCOUNTS)
