"""Our table of training images beside the SDK's own."""

import json
import subprocess

from stacks.images import ACCOUNTS, TAG, training_image
from tests.clients.conftest import lane

ASK = """
import json, sys
from sagemaker.core import image_uris
version, processor, python = sys.argv[1].rsplit("-", 2)
regions = json.load(sys.stdin)
uris = {}
for region in regions:
    uris[region] = image_uris.retrieve(
        "sklearn", region=region, version=version, py_version=python, instance_type="ml.m5.large"
    )
print(json.dumps(uris))
"""


def test_the_sdk_names_the_same_image_in_every_region_of_our_table() -> None:
    python = lane("sagemaker") / "bin/python"
    ran = subprocess.run(
        [str(python), "-W", "ignore", "-c", ASK, TAG],
        input=json.dumps(sorted(ACCOUNTS)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == {region: training_image(region) for region in ACCOUNTS}
