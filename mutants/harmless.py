"""Edits that AWS takes, and that lose nothing and change no security: each with the reason."""

from __future__ import annotations

from mutants.edits import Edit
from mutants.harmless_targets import OF_TARGETS
from mutants.reasons import BUS_POLICY, GONE, NUDGED, POLICY, REWORDED, STATEMENT, Harmless

__all__ = ["HARMLESS", "reason"]


HARMLESS: tuple[Harmless, ...] = (
    # What is for people only
    Harmless("a description may say anything", ".*", "description", f"{GONE}|emptied|{REWORDED}"),
    Harmless("a key's description may be that long", "aws_kms_key", "description", "over-long", unless_noticed=True),
    Harmless("an alias of a key that nothing refers to", "aws_kms_alias", "", "removed|made zero times"),
    Harmless(
        "a tag tells people something",
        "provider",
        r"\[\d\]\.default_tags.*",
        f"{GONE}|emptied|misspelt|other case|key misspelt|unknown argument",
        unless_noticed=True,
    ),
    Harmless("an output changes no resource", "output", ".*", "to another .*", unless_noticed=True),
    Harmless(
        "the names of services and metrics are labels",
        "aws_lambda_function",
        r"environment\.variables\.POWERTOOLS_\w+",
        f"{GONE}|key misspelt|emptied|{REWORDED}",
    ),
    Harmless("a variable that nobody reads", "aws_lambda_function", r"environment\.variables\.no_such_argument"),
    Harmless(
        "a variable that this function does not read",
        "aws_lambda_function",
        r"environment\.variables(\.\w+)?",
        f"{GONE}|key misspelt|emptied|to another attribute",
        unless_noticed=True,
    ),
    Harmless(
        "where and as whom a function publishes, which this one leaves to another",
        "aws_lambda_function",
        r"environment\.variables\.EVENT_(BUS_ARN|SOURCE)",
        unless_noticed=True,
    ),
    Harmless(
        "what the code does not do need not be allowed",
        "aws_iam_role_policy",
        STATEMENT + r"Action\[\d\]",
        "element removed|other action",
        unless_noticed=True,
    ),
    Harmless(
        "what the code does not do need not be allowed",
        "aws_iam_role_policy",
        STATEMENT + r"(Effect|Condition\.\w+\.events:source)",
        f"flipped|{REWORDED}",
        unless_noticed=True,
    ),
    # Names
    Harmless(
        "a name is free where everything refers to it by an expression",
        ".*",
        "(name|function_name|policy_name|target_id)",
        f"{REWORDED}|{GONE}|over-long|another resource's name",
        unless_noticed=True,
    ),
    Harmless(
        "AWS takes a second one beside the first",
        "aws_apigatewayv2_(api|integration)|aws_kms_key|aws_lambda_permission",
        "",
        "made twice",
        unless_noticed=True,
    ),
    # What means the same
    Harmless(
        "a rule or target that names no bus is one of the default bus",
        "aws_cloudwatch_event_(rule|target)",
        "event_bus_name",
        GONE,
        unless_noticed=True,
    ),
    Harmless("an action is the same in any case", ".*", STATEMENT + r"Action(\[\d+\])?", "other case.*"),
    Harmless("a list of one is the same as the one", ".*", POLICY + "Statement.*", "(in|without) a list.*"),
    Harmless("an element of a set twice is there once", ".*", STATEMENT + ".*", "element duplicated.*"),
    Harmless("a value of a pattern twice is there once", ".*", r"event_pattern\..*", "value duplicated"),
    Harmless("a Sid is a label", ".*", STATEMENT + "Sid", "(removed|emptied|wrong characters).*", unless_noticed=True),
    Harmless("an Id is a label", ".*", POLICY + "Id", "id added", unless_noticed=True),
    Harmless(
        "without a Sid two alike statements are one", ".*", POLICY + "Statement", "duplicated", unless_noticed=True
    ),
    Harmless(
        "the older version differs in variables, and there are none",
        ".*",
        POLICY + "Version",
        "version 2008|removed",
        unless_noticed=True,
    ),
    Harmless("an account's id stands for its root", ".*", STATEMENT + r"Principal\.AWS.*", "account by its id.*"),
    Harmless(
        "the other attribute or resource has the same value",
        ".*",
        ".*",
        "to another .* of the same value",
        unless_noticed=True,
    ),
    Harmless(
        "AWS takes the ARN as well as the name",
        ".*",
        r"function_name|event_bus_name|target_key_id|environment\.variables\.\w+_TABLE",
        "to another attribute",
        unless_noticed=True,
    ),
    Harmless("of one value, any is the value", ".*", STATEMENT + r"Condition\.\w+", "ForAnyValue.*"),
    Harmless(
        "AWS does not ask whether it is there, or another reference makes Terraform wait",
        ".*",
        ".*",
        "written out",
        unless_noticed=True,
    ),
    # What other parts say as well
    Harmless(
        "in a resource's own policy, everything is the resource",
        f"{BUS_POLICY}|aws_sns_topic_policy|aws_sqs_queue_policy",
        STATEMENT + "Resource",
        "widened.*",
        unless_noticed=True,
    ),
    Harmless(
        "a condition on the ARN says who may ask, whoever the principal is",
        f"{BUS_POLICY}|aws_iam_role|aws_kms_key|aws_sns_topic_policy|aws_sqs_queue_policy",
        STATEMENT + r"Principal(\.AWS|\.Service)?",
        "widened.*",
        unless_noticed=True,
    ),
    Harmless(
        "another condition names the account as well",
        "aws_iam_role|aws_cloudwatch_log_resource_policy",
        STATEMENT + r"Condition\.\w+(\.aws:Source(Arn|Account))?",
        "removed",
        unless_noticed=True,
    ),
    Harmless(
        "an account in the principal is of its organization",
        BUS_POLICY,
        STATEMENT + r"Condition\.StringEquals\.aws:PrincipalOrgID",
        "removed",
        unless_noticed=True,
    ),
    Harmless(
        "a service may be bound to its source only (pin_detail_types: false)",
        BUS_POLICY,
        STATEMENT + r"Condition\.StringEquals\.events:detail-type",
        "removed",
        unless_noticed=True,
    ),
    Harmless(
        "in its own account a bus takes what identities are allowed",
        BUS_POLICY,
        r"(policy\.Statement\[\d\].*)?",
        ".* for its own account|removed",
        unless_noticed=True,
    ),
    Harmless(
        "what is left out or asked for would not have come anyway",
        "aws_cloudwatch_event_rule",
        r"event_pattern\..*\.anything-but.*|event_pattern\.\$or\[\d\]\..*",
        f"emptied|{REWORDED}|number for an operand|other account",
        unless_noticed=True,
    ),
    Harmless(
        "more is matched, of which there is nothing",
        "aws_cloudwatch_event_rule",
        r"event_pattern\..*",
        "value added|operator added|removed|emptied",
        unless_noticed=True,
    ),
    Harmless(
        "another statement of the key's policy allows it as well",
        "aws_kms_key",
        STATEMENT.removesuffix(r"\.") + r".*",
        f"{GONE}|element removed|emptied|{REWORDED}|(key|service) misspelt|(an)?other (key|service|account|region)",
        unless_noticed=True,
    ),
    Harmless(
        "of a key, all actions are those of KMS",
        "aws_kms_key",
        STATEMENT + "Action",
        "misspelt for its own account",
        unless_noticed=True,
    ),
    Harmless(
        "an empty suffix is in every text, as an empty prefix is",
        "aws_cloudwatch_event_rule",
        r"event_pattern\..*\.prefix",
        "other operator",
        unless_noticed=True,
    ),
    Harmless(
        "logs are written by the policy of the log groups, not by a role",
        "aws_cloudwatch_event_target",
        "role_arn",
        "added",
        unless_noticed=True,
    ),
    # What is a choice
    Harmless(
        "how long a key can be restored, and whether AWS rotates it, is a choice",
        "aws_kms_key",
        "deletion_window_in_days|enable_key_rotation",
        f"{GONE}|flipped|{NUDGED}",
        unless_noticed=True,
    ),
    Harmless(
        "who deploys is for each machine to say; allowed_account_ids holds the account",
        "provider",
        r"\[\d\]\.(assume_role|profile).*",
        f"{GONE}|emptied|over-long|{REWORDED}",
        unless_noticed=True,
    ),
    Harmless(
        "how long things are kept is a choice, and without it AWS has one",
        "aws_cloudwatch_event_archive|aws_cloudwatch_log_group|aws_kinesis_stream|aws_sqs_queue",
        "retention_days|retention_in_days|message_retention_seconds|retention_period",
        f"{GONE}|zero|{NUDGED}|over the maximum",
        unless_noticed=True,
    ),
    Harmless(
        "how often and how long something is tried again is a choice",
        "aws_cloudwatch_event_target|aws_lambda_function_event_invoke_config|aws_scheduler_schedule",
        r"((target\.)?retry_policy\.?)?(maximum_\w+)?",
        f"{GONE}|emptied|zero|{NUDGED}",
        unless_noticed=True,
    ),
    Harmless(
        "how much a function may take is a choice, and without it AWS has one",
        "aws_lambda_function",
        "memory_size|reserved_concurrent_executions|timeout",
        f"{GONE}|negative|{NUDGED}",
        unless_noticed=True,
    ),
    Harmless(
        "how long a message is hidden while it is worked on is a choice, as long as AWS advises or longer",
        "aws_sqs_queue",
        "visibility_timeout_seconds",
        "one more",
        unless_noticed=True,
    ),
    Harmless(
        "after how many tries a function gives up is a choice, within those of its queue",
        "aws_lambda_function",
        r"environment\.variables\.BUFFER_MAX_RECEIVES",
        "misspelt",
        unless_noticed=True,
    ),
    Harmless(
        "an HTTP API takes a function's ARN as well as the ARN to invoke it by",
        "aws_apigatewayv2_integration",
        "integration_uri",
        "to another attribute",
        unless_noticed=True,
    ),
    Harmless(
        "how many records a function is given at once is a choice, and without it AWS has one",
        "aws_lambda_event_source_mapping|aws_pipes_pipe",
        r"batch_size|bisect_batch_on_function_error|maximum_record_age_in_seconds|scaling_config(\.maximum_concurrency)?"
        r"|source_parameters(\.(dynamodb_stream|sqs_queue)_parameters(\.\w+)?)?",
        f"{GONE}|emptied|flipped|zero|negative|{NUDGED}",
        unless_noticed=True,
    ),
    Harmless(
        "a function may be given records that it leaves alone",
        "aws_lambda_event_source_mapping|aws_pipes_pipe",
        r"(source_parameters\.)?filter_criteria.*",
        f"{GONE}|emptied|element duplicated|value added|operator added",
        unless_noticed=True,
    ),
    Harmless(
        "what a table remembers of handled events may be kept for longer",
        "aws_dynamodb_table",
        r"ttl(\.\w+)?",
        f"{GONE}|emptied|flipped|{REWORDED}|over-long",
        unless_noticed=True,
    ),
    Harmless(
        "another Python that runs the code is a choice",
        "aws_lambda_function",
        r"runtime|architectures(\[0\])?",
        f"other value|emptied|{GONE}",
        unless_noticed=True,
    ),
    Harmless(
        "whether calls are traced, and how lines are written, is a choice",
        "aws_lambda_function",
        r"tracing_config(\.mode)?|logging_config(\.\w+)?",
        f"{GONE}|other value",
        unless_noticed=True,
    ),
    Harmless(
        "the log group of a function that names none has the same name",
        "aws_lambda_function",
        r"logging_config(\.log_group)?",
        GONE,
        unless_noticed=True,
    ),
    Harmless(
        "what is written of HTTP calls is a choice",
        "aws_apigatewayv2_stage",
        r"access_log_settings(\.format)?|default_route_settings\.detailed_metrics_enabled",
        f"{GONE}|flipped|{REWORDED}",
        unless_noticed=True,
    ),
    Harmless(
        "logs in another group are logs",
        "aws_apigatewayv2_stage|aws_cloudwatch_(event_target|log_delivery_destination)|aws_lambda_function"
        "|aws_pipes_pipe|aws_sfn_state_machine",
        r"arn|.*destination_arn|.*log_group_arn|.*destination_resource_arn|logging_config\.log_group|.*log_destination",
        "to another resource",
        unless_noticed=True,
    ),
    Harmless(
        "how many calls are let through is a choice, and without it AWS has one",
        "aws_apigatewayv2_stage",
        r"default_route_settings(\.throttling_\w+)?",
        f"{GONE}|{NUDGED}|over the maximum|a fraction",
        unless_noticed=True,
    ),
    Harmless("an argument for imports only", "aws_apigatewayv2_api", "fail_on_warnings", "added"),
    Harmless(
        "what a bus reports of events is a choice",
        "aws_cloudwatch_event_bus",
        r"log_config\.include_detail",
        f"{GONE}|other value",
        unless_noticed=True,
    ),
    Harmless(
        "deletion protection and backups are choices",
        "aws_dynamodb_table",
        r"deletion_protection_enabled|point_in_time_recovery(\.enabled)?",
        f"{GONE}|flipped",
        unless_noticed=True,
    ),
    Harmless("whether Terraform deletes a group is a choice", "aws_cloudwatch_log_group", "skip_destroy", "added"),
    Harmless(
        "AWS encrypts with a key of its own where none is asked for",
        "aws_dynamodb_table|aws_sqs_queue",
        r"server_side_encryption(\.enabled)?|sqs_managed_sse_enabled",
        f"{GONE}|flipped",
        unless_noticed=True,
    ),
    Harmless("a time to live that is no number deletes nothing", "aws_dynamodb_table", "ttl", "added"),
    *OF_TARGETS,
)
"""Every reason, the special ones first."""


def reason(edit: Edit, *, noticed: bool) -> str | None:
    """Why an edit is harmless, when it is noticed and when it is not; None when it is not known to be."""
    return next(
        (entry.reason for entry in HARMLESS if entry.covers(edit) and not (noticed and entry.unless_noticed)), None
    )
