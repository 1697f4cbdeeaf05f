"""What Terraform refuses, and what is not as elsewhere."""

from __future__ import annotations

from backbone.system.catalogue.entry import REFUSED, Entry

__all__ = ["ENTRIES"]

ENTRIES: dict[str, Entry] = {
    "BB101": Entry("A block cannot be read", "error", REFUSED, "Write the argument as its message says."),
    "BB102": Entry("Two blocks make one resource", "error", REFUSED, "Give one of them another name."),
    "BB103": Entry(
        "Two policies for one resource",
        "error",
        "Each apply replaces one by the other: senders are admitted and shut out in turn.",
        "Put the statements into one policy.",
    ),
    "BB104": Entry(
        "A pattern over AWS's quota",
        "error",
        "The rule is refused: nothing is forwarded by it.",
        "Split the rule, subscribe to fewer detail-types, or have AWS raise the quota.",
    ),
    "BB105": Entry("A reference to nothing", "error", REFUSED, "Make the resource, or name one that the stacks make."),
    "BB106": Entry("An argument that AWS refuses", "error", REFUSED, "Write a value that is allowed."),
    "BB107": Entry(
        "An argument that is most likely a mistake", "warning", "It works otherwise than it reads.", "Correct it."
    ),
    "BB108": Entry(
        "A resource of another account or region",
        "error",
        "AWS refuses the reference, or nothing is delivered over it.",
        "Refer to a resource of the account and region that the message names.",
    ),
    "BB110": Entry(
        "A reference or dependency that Terraform refuses",
        "error",
        "Nothing is planned or applied.",
        "Name a resource of the stack, as TYPE.NAME.",
    ),
    "BB111": Entry(
        "A resource that is named by a text",
        "error",
        "Terraform may make the block before it: the first apply fails.",
        "Write a reference such as ${aws_sqs_queue.name.arn}, or add the resource to depends_on.",
    ),
    "BB112": Entry("A provider that cannot work", "error", "Nothing is planned or applied.", "Correct the provider."),
    "BB113": Entry(
        "A permission that may come late",
        "warning",
        "Events that come before the permission is made are not delivered.",
        "Add the permission to depends_on.",
    ),
    "BB114": Entry(
        "More resources than AWS allows",
        "error",
        REFUSED,
        "Put the statements of several policies into one, or use what the account has already.",
    ),
    "BB115": Entry(
        "Settings that Terraform refuses", "error", "Nothing is planned or applied.", "Correct the terraform block."
    ),
    "BB190": Entry(
        "Not simulated", "note", "What it does on AWS is not shown here.", "Nothing: keep it in mind when you test."
    ),
    "BB191": Entry(
        "This machine is not as Lambda",
        "note",
        "A function may do otherwise here than on AWS.",
        "Install here what the message names, or keep it in mind when you test.",
    ),
    "BB192": Entry(
        "An acceptance that nothing needs",
        "warning",
        "It would hide a finding that comes later.",
        "Remove it from the file.",
    ),
    "BB193": Entry("What terraform validate says", "error", "terraform plan fails.", "Correct what Terraform names."),
}
