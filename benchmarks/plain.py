"""The resources of a synthesized stack, made again by plain CDKTF with the ordinary imports.

    python benchmarks/plain.py cdktf.out/stacks/backbone/cdk.tf.json OUTPUT

What `backbone synth` is measured against: the same resources, the same bindings, none of the door's mends.
"""

import json
import sys
from pathlib import Path

from cdktf import App
from cdktf_cdktf_provider_aws.apigatewayv2_api import Apigatewayv2Api
from cdktf_cdktf_provider_aws.apigatewayv2_integration import Apigatewayv2Integration
from cdktf_cdktf_provider_aws.apigatewayv2_route import Apigatewayv2Route
from cdktf_cdktf_provider_aws.apigatewayv2_stage import Apigatewayv2Stage
from cdktf_cdktf_provider_aws.cloudwatch_event_archive import CloudwatchEventArchive
from cdktf_cdktf_provider_aws.cloudwatch_event_bus import CloudwatchEventBus
from cdktf_cdktf_provider_aws.cloudwatch_event_bus_policy import CloudwatchEventBusPolicy
from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.cloudwatch_log_resource_policy import CloudwatchLogResourcePolicy
from cdktf_cdktf_provider_aws.dynamodb_table import DynamodbTable
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.lambda_event_source_mapping import LambdaEventSourceMapping
from cdktf_cdktf_provider_aws.lambda_function import LambdaFunction
from cdktf_cdktf_provider_aws.lambda_function_event_invoke_config import LambdaFunctionEventInvokeConfig
from cdktf_cdktf_provider_aws.lambda_permission import LambdaPermission
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_aws.sqs_queue import SqsQueue
from cdktf_cdktf_provider_aws.sqs_queue_policy import SqsQueuePolicy

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.replay import plan, replay

CLASSES = [
    Apigatewayv2Api,
    Apigatewayv2Integration,
    Apigatewayv2Route,
    Apigatewayv2Stage,
    DynamodbTable,
    LambdaEventSourceMapping,
    LambdaFunction,
    LambdaFunctionEventInvokeConfig,
    LambdaPermission,
    CloudwatchEventArchive,
    CloudwatchEventBus,
    CloudwatchEventBusPolicy,
    CloudwatchEventRule,
    CloudwatchEventTarget,
    CloudwatchLogGroup,
    CloudwatchLogResourcePolicy,
    IamRole,
    IamRolePolicy,
    SqsQueue,
    SqsQueuePolicy,
]

source, output = sys.argv[1:]
app = App(outdir=output)
replay(app, "backbone", plan(json.loads(Path(source).read_text())), CLASSES, AwsProvider)
app.synth()
