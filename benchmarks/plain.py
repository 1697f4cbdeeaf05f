"""The resources of a synthesized stack, made again by plain CDKTF with the ordinary imports.

    python benchmarks/plain.py cdktf.out/stacks/backbone/cdk.tf.json OUTPUT

What `backbone synth` is measured against: the same resources, the same bindings, none of the door's mends.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from cdktf import App
from cdktf_cdktf_provider_aws.provider import AwsProvider

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.replay import plan, replay


def binding(resource_type: str) -> Any:
    """The class of a type of resource: the only one of its module that has a type."""
    module = import_module(f"cdktf_cdktf_provider_aws.{resource_type.removeprefix('aws_')}")
    return next(each for each in vars(module).values() if getattr(each, "TF_RESOURCE_TYPE", None) == resource_type)


source, output = sys.argv[1:]
document = json.loads(Path(source).read_text())
app = App(outdir=output)
replay(app, "backbone", plan(document), [binding(each) for each in document["resource"]], AwsProvider)
app.synth()
