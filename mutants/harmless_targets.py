"""Reasons for edits of what rules and schedules send to: APIs, tasks, streams, buckets, machines and topics."""

from __future__ import annotations

from mutants.reasons import BUS_POLICY, GONE, NUDGED, REWORDED, STATEMENT, Harmless

__all__ = ["OF_TARGETS"]

STREAM = "aws_kinesis_firehose_delivery_stream"
LIFECYCLE = "aws_s3_bucket_lifecycle_configuration"
OVER = "over-long|over the maximum"

OF_TARGETS: tuple[Harmless, ...] = (
    # APIs and those who call them
    Harmless(
        "which pages of a browser may call an API is a choice",
        "aws_apigatewayv2_api",
        r"cors_configuration.*",
        f"{GONE}|emptied|element duplicated|{OVER}|{REWORDED}",
        unless_noticed=True,
    ),
    Harmless(
        "an element of a set twice is there once",
        "aws_apigatewayv2_authorizer|aws_cloudwatch_event_target",
        r"identity_sources|jwt_configuration\.audience|ecs_target\.network_configuration\.\w+",
        "element duplicated",
        unless_noticed=True,
    ),
    Harmless(
        "where a partner is, how often it may be called and by which header it knows the caller is for it to say",
        "aws_cloudwatch_event_(api_destination|connection)",
        r"invocation_(endpoint|rate_limit_per_second)|auth_parameters\.api_key\.key",
        f"{GONE}|{OVER}|{NUDGED}|{REWORDED}",
        unless_noticed=True,
    ),
    Harmless(
        "what a detail has is for its publisher to say",
        "aws_cloudwatch_event_target",
        r"http_target\.path_parameter_values\[0\]",
        OVER,
        unless_noticed=True,
    ),
    # Tasks
    Harmless(
        "a task runs where and as often as is said, and otherwise once, as its cluster and network have it",
        "aws_cloudwatch_event_target",
        r"ecs_target\.(launch_type|task_count|network_configuration\.security_groups(\[0\])?)",
        f"{GONE}|emptied|one more",
        unless_noticed=True,
    ),
    Harmless(
        "a task that is told nothing of the event runs all the same",
        "aws_cloudwatch_event_target",
        "input_transformer",
        f"{GONE}|emptied",
        unless_noticed=True,
    ),
    Harmless(
        "a function that imports nothing of a layer runs without it",
        "aws_lambda_function",
        r"layers(\[\d\])?",
        f"{GONE}|emptied",
        unless_noticed=True,
    ),
    Harmless(
        "which subnets and security groups an account has is not known here",
        "aws_cloudwatch_event_target",
        r"ecs_target\.network_configuration\.\w+\[0\]",
        "misspelt",
        unless_noticed=True,
    ),
    Harmless(
        "which roles a task definition names that no stack makes is not known: a note says that it is not judged",
        "aws_iam_role_policy",
        STATEMENT + r"Resource\[\d\]",
        "element removed|misspelt",
        unless_noticed=True,
    ),
    Harmless(
        "a role that a rule or a service of AWS alone assumes does only what that asks for",
        "aws_iam_role_policy",
        STATEMENT + r"Condition(\.\w+)?",
        "removed|emptied",
        unless_noticed=True,
    ),
    # Streams, buckets and logs
    Harmless(
        "without a path for its key a record has the event's id as key",
        "aws_cloudwatch_event_target",
        r"kinesis_target(\.partition_key_path)?",
        f"{GONE}|emptied",
        unless_noticed=True,
    ),
    Harmless(
        "what comes before a role may do it, AWS tries again for a day",
        f"aws_scheduler_schedule|{STREAM}|aws_sns_topic_subscription",
        r"depends_on(\[\d\])?",
        "removed",
        unless_noticed=True,
    ),
    Harmless(
        "how events lie in files, and where, is a choice",
        STREAM,
        r"extended_s3_configuration\.(buffering_\w+|compression_format|(error_output_)?prefix|processing_configuration.*)",
        f"{GONE}|emptied|element duplicated|zero|{OVER}|{NUDGED}|{REWORDED}|other value",
        unless_noticed=True,
    ),
    Harmless(
        "whether failures are logged and runs are traced is a choice",
        f"{STREAM}|aws_pipes_pipe|aws_sfn_state_machine",
        r"(log_configuration|extended_s3_configuration\.cloudwatch_logging_options|logging_configuration|tracing_configuration)(\.\w+)*",
        f"{GONE}|emptied|flipped|other value",
        unless_noticed=True,
    ),
    Harmless(
        "without a type a key is one of AWS, and a state machine is a standard one",
        f"{STREAM}|aws_sfn_state_machine",
        r"server_side_encryption\.key_type|type",
        GONE,
        unless_noticed=True,
    ),
    Harmless(
        "a name is free where everything refers to it by an expression",
        "aws_s3_bucket",
        "bucket",
        f"{GONE}|{REWORDED}",
        unless_noticed=True,
    ),
    Harmless(
        "how long objects are kept, and in which storage, is a choice",
        LIFECYCLE,
        "|rule.*",
        f"{GONE}|emptied|zero|{OVER}|{NUDGED}|{REWORDED}|other value",
        unless_noticed=True,
    ),
    Harmless(
        "services of AWS use TLS anyway: whom else a bucket's policy denies what is a choice",
        "aws_s3_bucket_policy",
        r"(policy\.Statement\[0\].*)?",
        f"{GONE}|element removed|negated|other action|misspelt|widened.*|narrowed|IfExists|ForAllValues|other case",
        unless_noticed=True,
    ),
    Harmless(
        "AWS encrypts with a key of its own where none is asked for",
        "aws_s3_bucket_server_side_encryption_configuration",
        r"|rule\[0\]\.bucket_key_enabled",
        f"{GONE}|flipped",
        unless_noticed=True,
    ),
    # Schedules, and queues that topics send to
    Harmless(
        "what a pipe makes of what it reads is a choice",
        "aws_pipes_pipe",
        r"target_parameters(\.input_template)?",
        f"{GONE}|emptied|{OVER}|{REWORDED}",
        unless_noticed=True,
    ),
    Harmless(
        "when a schedule calls, and with what, is a choice",
        "aws_scheduler_schedule",
        r"flexible_time_window\.maximum_window_in_minutes|schedule_expression_timezone|target\.input",
        f"{GONE}|{OVER}|{NUDGED}|{REWORDED}",
        unless_noticed=True,
    ),
    Harmless(
        "whether a message is in SNS's envelope is a choice of those who read the queue",
        "aws_sns_topic_subscription",
        "raw_message_delivery",
        f"{GONE}|flipped",
        unless_noticed=True,
    ),
    # Owners' rules on buses of others
    Harmless(
        "a rule is switched on or off as it is made, by PutRule",
        BUS_POLICY,
        STATEMENT + r"Action\[\d+\]",
        "element removed|other action",
        unless_noticed=True,
    ),
    Harmless(
        "another policy of the account allows the same",
        "aws_cloudwatch_log_resource_policy",
        STATEMENT + r"Principal\.Service\[\d\]",
        "element removed|another service",
        unless_noticed=True,
    ),
)
"""Every reason that is about what rules and schedules send to."""
