"""AWS's numbers, each stated once, with the page of AWS's documentation that gives it.

A number that AWS raises on request is marked "adjustable": beyond it is a warning here, unless AWS refuses.
"""

from __future__ import annotations

# Amazon EventBridge
BUS_NAME_CHARACTERS = 256
"""API reference, CreateEventBus."""

RULE_NAME_CHARACTERS = 64
"""API reference, PutRule."""

ARCHIVE_NAME_CHARACTERS = 48
"""API reference, CreateArchive."""

SOURCE_CHARACTERS = 256
"""API reference, PutEventsRequestEntry."""

DETAIL_TYPE_CHARACTERS = 128
"""API reference, PutEventsRequestEntry."""

PUT_EVENTS_ENTRIES = 10
"""Entries of one call (API reference, PutEvents)."""

PUT_EVENTS_BYTES = 1024 * 1024
"""All entries of one call together (user guide, "PutEvents event entry size"; 256 KB before 29 January 2026)."""

TARGET_INPUT_CHARACTERS = 8_192
TARGET_PATH_CHARACTERS = 256
TARGET_PATHS = 100
"""A target's constant or template, each of its JSON paths, and the paths of a template (API reference, Target and
InputTransformer)."""

RETRY_MAX_AGE_SECONDS = 86_400
RETRY_MIN_AGE_SECONDS = 60
RETRY_MAX_ATTEMPTS = 185
"""How long and how often a target may be tried; the maxima are AWS's defaults (API reference, RetryPolicy)."""

PATTERN_CHARACTERS = 2_048
"""Quotas, "Event pattern size"; adjustable."""

KEY_POLICY_BYTES = 32_768
"""KMS quotas, "Key policy document size"."""

BUS_POLICY_CHARACTERS = 10_240
"""Quotas, "Event bus policy size"; adjustable."""

BUSES_PER_ACCOUNT = 100
"""Quotas, "Event buses"; adjustable."""

RULES_PER_BUS = 300
RULES_PER_BUS_IN_REGION = {"af-south-1": 100, "eu-south-1": 100}
"""Quotas, "Number of rules"; adjustable. The regions named have fewer than the others."""

TARGETS_PER_RULE = 5
"""Quotas, "Targets per rule"."""

# AWS Lambda
FUNCTION_NAME_CHARACTERS = 64
"""API reference, CreateFunction."""

ENVIRONMENT_BYTES = 4_096
"""All environment variables of a function together (quotas, "Environment variables")."""

ASYNC_MAX_AGE_SECONDS = 21_600
ASYNC_MAX_RETRY_ATTEMPTS = 2
"""How long and how often an asynchronous invocation may be retried; both are AWS's defaults (API reference,
PutFunctionEventInvokeConfig)."""

ASYNC_RETRY_SECONDS = (60, 120)
"""Pauses between the attempts of an asynchronous invocation (developer guide, "Asynchronous invocation")."""

INVOCATION_BYTES = 6 * 1024 * 1024
"""What a function is given in one synchronous invocation (quotas, "Invocation payload"): a batch has no more."""

CODE_ZIPPED_BYTES = 50 * 1024**2
CODE_UNZIPPED_BYTES = 250 * 1024**2
"""A zip that is uploaded directly, and what is in it together with all layers (Lambda quotas)."""

# Amazon SQS
QUEUE_NAME_CHARACTERS = 80
"""API reference, CreateQueue."""

QUEUE_RETENTION_SECONDS = 14 * 24 * 3_600
"""The longest that a queue keeps a message (API reference, CreateQueue, MessageRetentionPeriod)."""

QUEUE_RETENTION_SECONDS_BY_DEFAULT = 4 * 24 * 3_600
VISIBILITY_SECONDS_BY_DEFAULT = 30
"""API reference, CreateQueue."""

MESSAGE_BYTES = 1024 * 1024
"""The largest message and the largest batch, attributes included (API reference, SendMessage; 256 KiB before August
2025)."""

MESSAGE_BYTES_OF_TERRAFORM = 256 * 1024
"""The largest message of a queue that Terraform makes without max_message_size: the provider kept its default when AWS
raised the service's (provider documentation, aws_sqs_queue)."""

MESSAGE_ATTRIBUTES = 10
BATCH_ENTRIES = 10
"""Attributes of a message, and entries of a batch (developer guide, "Amazon SQS message quotas")."""

DEDUPLICATION_SECONDS = 300
"""How long a FIFO queue knows what was sent (developer guide, "Exactly-once processing")."""

MAX_VISIBILITY_SECONDS = 12 * 3_600
MAX_DELAY_SECONDS = 900
MAX_WAIT_SECONDS = 20
"""API reference, ReceiveMessage and SendMessage."""

# Amazon Kinesis
SHARDS_ON_DEMAND = 4
"""Shards that a stream on demand begins with (developer guide, "Choose the right mode")."""

# EventBridge Scheduler
SCHEDULE_NAME_CHARACTERS = 64
"""API reference, CreateSchedule and CreateScheduleGroup."""

# Amazon S3
BUCKET_NAME_CHARACTERS = 63
"""User guide, "General purpose bucket naming rules"."""

# AWS IAM
ROLE_NAME_CHARACTERS = 64
"""API reference, CreateRole."""

# Amazon CloudWatch Logs
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""API reference, PutRetentionPolicy."""

LOG_RESOURCE_POLICIES = 10
"""CloudWatch Logs quotas, "Resource policies", in an account and region; not adjustable."""

LOGS_POLICY_CHARACTERS = 5_120
"""A resource policy (API reference, PutResourcePolicy)."""

LOG_DELIVERY_NAME_CHARACTERS = 60
"""API reference, PutDeliverySource and PutDeliveryDestination."""

# Tags
TAGS_PER_RESOURCE = 50
TAG_KEY_CHARACTERS = 128
TAG_VALUE_CHARACTERS = 256
"""Tagging AWS resources user guide, "Tag naming limits and requirements"."""
