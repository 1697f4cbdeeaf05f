"""The Terraform against what was declared."""

from __future__ import annotations

from backbone.system.catalogue.entry import Entry

__all__ = ["ENTRIES"]

ENTRIES: dict[str, Entry] = {
    "BB701": Entry(
        "The global bus is gone", "error", "Nothing can be published.", "Synthesize anew, or restore the bus."
    ),
    "BB702": Entry(
        "A declared subscription that no rule forwards",
        "error",
        "The service never gets the event, and nothing says so.",
        "Restore the forwarding rule, its pattern and its target.",
    ),
    "BB703": Entry(
        "A declared subscription that nothing handles",
        "error",
        "The event ends on the local bus: it is logged and otherwise gone.",
        "Restore the rule on the local bus, its pattern and its target.",
    ),
    "BB704": Entry(
        "Events that go back to their sender",
        "error",
        "A service gets its own events, and may answer itself without end.",
        "Restore the forwarding rule's pattern.",
    ),
    "BB705": Entry(
        "A rule that nobody declared",
        "warning",
        "Events leave the backbone for a bus that no service owns.",
        "Declare the service, or remove the target.",
    ),
    "BB706": Entry(
        "A service that may not publish what it is declared to",
        "error",
        "Its events are denied.",
        "Restore the statement of its account in the global bus's policy.",
    ),
    "BB707": Entry(
        "An account that can publish as another service",
        "warning",
        "Receivers cannot trust the source of events.",
        "Pin each account to its services' sources in the global bus's policy.",
    ),
    "BB708": Entry(
        "A bus that is open to others",
        "error",
        "Whoever is let in can send any event to every receiver.",
        "Restore the bus's policy.",
    ),
    "BB709": Entry(
        "A bus that does not log every event",
        "warning",
        "Events pass it without a record.",
        "Restore the logging rule, its pattern and its target.",
    ),
    "BB710": Entry(
        "Events for a service that does not subscribe to them",
        "warning",
        "The service's bus gets what it did not ask for, and each delivery costs.",
        "Narrow the rule's pattern to what the service subscribes to, or declare the subscription.",
    ),
    "BB711": Entry(
        "A resource that is not under its account's key",
        "warning",
        "What it keeps is encrypted with another key than declared, or with AWS's own.",
        "Give it the key that the account, or the file as a whole, declares as kms_key.",
    ),
    "BB712": Entry(
        "A confidential event in a log",
        "error",
        "Whoever may read the log reads what was to stay out of it.",
        "Leave the event out of the rule's pattern, or give the target an input without the detail.",
    ),
    "BB713": Entry(
        "A filter on a field that the events do not have",
        "warning",
        "No event of this publisher matches what the field must be, so the service does not get it.",
        "Correct the field in the subscription's `detail`, or have the publisher's schema tell the field.",
    ),
    "BB720": Entry(
        "A rule on another account's bus that may not be made",
        "error",
        "AWS refuses the rule or its targets at the apply, so nothing is forwarded.",
        "Let the rule's account call these actions, by the bus's policy, for the rules that it made itself.",
    ),
    "BB714": Entry(
        "A relay that does not publish what it takes",
        "error",
        "What it is declared to relay from the account's default bus never gets to the global bus.",
        "Restore the relay's rule, its pattern and target, and what its function may publish.",
    ),
}
