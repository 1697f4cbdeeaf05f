"""AWS's numbers: each stands here once, with where it comes from."""

from __future__ import annotations

RULE = 64
ROLE = 64
FUNCTION = 64
QUEUE = 80
ARCHIVE = 48
DELIVERY = 60
"""The longest names, in characters (API references of EventBridge, IAM, Lambda, SQS and CloudWatch Logs)."""

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The retentions that CloudWatch Logs accepts (PutRetentionPolicy API reference)."""

BUSES_PER_ACCOUNT = 100  # EventBridge quotas, "Event buses"; adjustable
RULES_PER_BUS = {
    "af-south-1": 100,
    "eu-south-1": 100,
}  # EventBridge quotas, "Number of rules"; adjustable
RULES_PER_BUS_ELSEWHERE = 300


BUS_POLICY_CHARACTERS = 10_240
"""The longest policy of an event bus (EventBridge quotas, "Event bus policy size"; adjustable)."""

PUT_EVENTS_ENTRIES = 10
"""Entries of one call (API reference, PutEvents)."""

PUT_EVENTS_BYTES = 1024 * 1024
"""All entries of one call together (user guide, "PutEvents event entry size"; 256 KB before 29 January 2026)."""

DETAIL_TYPE_CHARACTERS = 128
"""API reference, PutEventsRequestEntry."""

RETRY_MAX_AGE_SECONDS = 86_400
RETRY_MAX_ATTEMPTS = 185
ASYNC_MAX_AGE_SECONDS = 21_600
ASYNC_MAX_RETRY_ATTEMPTS = 2
ASYNC_RETRY_SECONDS = (60, 120)
"""Pauses between the attempts of an asynchronous invocation (Lambda developer guide, "Asynchronous invocation")."""
