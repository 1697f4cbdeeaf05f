"""Policies."""

from __future__ import annotations

from backbone.system.catalogue.entry import Entry

__all__ = ["ENTRIES"]

ENTRIES: dict[str, Entry] = {
    "BB501": Entry(
        "A policy with a mistake",
        "error",
        "AWS refuses the document, which then grants nothing, or a statement of it never takes effect.",
        "Write the element that the message names as it says.",
    ),
    "BB502": Entry(
        "A policy of AWS's that is not known here",
        "warning",
        "Here it counts as allowing nothing; on AWS it may allow more.",
        "Check its name; to test with it, give the role a policy of your own with its statements.",
    ),
    "BB503": Entry(
        "A role that its function cannot have",
        "error",
        "Lambda refuses to make the function, or cannot run it.",
        "Let lambda.amazonaws.com assume the role, in the role's assume_role_policy.",
    ),
    "BB504": Entry(
        "A key that cannot be used by who needs it",
        "error",
        "What is under the key cannot be written or read: events go to a dead-letter queue, or are lost.",
        "Add what the message names to the key's policy (`backbone key-policy` prints it), or to the role's.",
    ),
    "BB505": Entry(
        "A key of another account",
        "note",
        "Whether its policy lets AWS's services use it is not seen here.",
        "Add the statements that `backbone key-policy` prints to the key's policy.",
    ),
    "BB510": Entry(
        "A policy that allows more than it needs to",
        "warning",
        "Somebody else can send, read or publish where nobody should.",
        "Narrow the statement as the message says.",
    ),
    "BB520": Entry(
        "Bootstrap must run first",
        "error",
        "The pipeline is denied half-way through the deployment, or a role can do less than it is granted.",
        "Run `backbone bootstrap`, review and apply what it changes, and deploy then.",
    ),
}
