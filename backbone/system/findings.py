"""What is wrong with a system, told before anything runs, and the catalogue of all that can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CATALOGUE", "SEVERITIES", "Entry", "Finding", "Severity", "finding"]

Severity = Literal["error", "warning", "note"]
"""An error is what AWS refuses or what loses events, a warning is most likely a mistake, a note changes no status."""

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Entry:
    """A kind of finding: what it is, how severe, what it does to events, and how to fix it."""

    title: str
    severity: Severity
    effect: str
    fix: str


@dataclass(frozen=True)
class Finding:
    """Something wrong: the id of its kind, the address of the resource block, and what it is there."""

    rule: str
    severity: Severity
    address: str
    message: str

    @property
    def entry(self) -> Entry:
        """The kind of finding, as the catalogue has it."""
        return CATALOGUE[self.rule]

    def __str__(self) -> str:
        return f"{self.address}: {self.message}"


def finding(rule: str, address: str, message: str, *, severity: Severity | None = None) -> Finding:
    """A finding of a kind, with the severity that the catalogue gives it unless another is said."""
    return Finding(rule, severity or CATALOGUE[rule].severity, address, message)


_REFUSED = "The apply fails there, and what depends on the resource is not made."
_LOST = "Events are lost without a trace."

CATALOGUE: dict[str, Entry] = {
    # The Terraform itself
    "BB101": Entry("A block cannot be read", "error", _REFUSED, "Write the argument as its message says."),
    "BB102": Entry("Two blocks make one resource", "error", _REFUSED, "Give one of them another name."),
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
    "BB105": Entry("A reference to nothing", "error", _REFUSED, "Make the resource, or name one that the stacks make."),
    "BB106": Entry("An argument that AWS refuses", "error", _REFUSED, "Write a value that is allowed."),
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
    # Rules, targets, buses
    "BB201": Entry(
        "A target that is not allowed to receive",
        "error",
        "Every event that the rule matches goes to the dead-letter queue, or is lost.",
        "Grant what the message says is missing.",
    ),
    "BB202": Entry("A target without a dead-letter queue", "error", _LOST, "Give the target a dead_letter_config."),
    "BB203": Entry(
        "A dead-letter queue that EventBridge may not send to",
        "error",
        _LOST,
        "Let events.amazonaws.com send to the queue for this rule, in the queue's policy.",
    ),
    "BB204": Entry(
        "A target that is made too early",
        "error",
        "The first apply can fail: AWS tries the bus's policy when the target is made.",
        "Add the policy to depends_on.",
    ),
    "BB205": Entry(
        "A rule that is switched off",
        "error",
        "Nothing is delivered by it, and nothing says so.",
        "Set state to ENABLED, or remove the rule.",
    ),
    "BB206": Entry(
        "A rule without a target",
        "error",
        "What it matches goes nowhere.",
        "Give the rule a target, or remove it.",
    ),
    "BB207": Entry(
        "A target input that EventBridge refuses or drops",
        "error",
        "The target is refused, or nothing is delivered.",
        "Write the input as the message says.",
    ),
    "BB208": Entry(
        "A field that no event has",
        "warning",
        "The pattern matches nothing, or the input lacks what the field was to give.",
        "Name a field of the event, or one within detail.",
    ),
    # Functions
    "BB301": Entry("A function without a role", "error", _REFUSED, "Name a role that the stacks make."),
    "BB302": Entry(
        "A function that may not send to its destination or dead-letter queue",
        "error",
        "What the function fails at is lost.",
        "Grant the action that the message names.",
    ),
    "BB303": Entry(
        "A function without a failure destination",
        "error",
        "What the function fails at is lost.",
        "Give it an aws_lambda_function_event_invoke_config with an on_failure destination.",
    ),
    "BB304": Entry(
        "A function that may not read its queue or stream",
        "error",
        "Messages wait until the queue's retention ends.",
        "Grant what the message says is missing.",
    ),
    "BB305": Entry(
        "An event source mapping that is disabled",
        "error",
        "Messages wait until the queue's retention ends, and are lost then.",
        "Set enabled to true, or remove the mapping.",
    ),
    "BB306": Entry(
        "A function that never runs",
        "error",
        "Events go to its failure destination or are lost; calls of its API are refused.",
        "Raise reserved_concurrent_executions, or leave it out.",
    ),
    "BB310": Entry("A function without code", "error", _REFUSED, "Synthesize anew."),
    "BB311": Entry(
        "A handler that is not there",
        "error",
        "Every invocation fails.",
        "Name a function of a module in the zip, as in services.order.handlers.api.",
    ),
    "BB312": Entry(
        "Code that is too large",
        "error",
        _REFUSED,
        "Ship less: fewer or smaller packages, or data from elsewhere.",
    ),
    "BB313": Entry(
        "A source_code_hash that is not the zip's",
        "error",
        "Terraform does not see which code is new: it deploys at every apply, or not at all.",
        "Synthesize anew.",
    ),
    "BB314": Entry(
        "A deprecated runtime",
        "warning",
        "AWS patches it no more, and later refuses to make or change functions that have it.",
        "Name a later runtime.",
    ),
    "BB315": Entry(
        "Code that the runtime cannot read",
        "error",
        "Every invocation fails once the module is imported.",
        "Write it for the function's runtime, or name a later runtime.",
    ),
    "BB316": Entry(
        "A layer that does not fit its function",
        "error",
        "AWS refuses the function, or imports of what the layer has fail.",
        "Name the layer for the function's region, architecture and runtime.",
    ),
    "BB317": Entry(
        "A layer of which nothing is known",
        "warning",
        "Functions that need it fail here, though they may work on AWS.",
        "Say in the file what the layer has, under layers.",
    ),
    "BB319": Entry(
        "A function that may not use what it is told of",
        "error",
        "The function is denied when it uses it.",
        "Grant the function what it does with the resource, or name one that it may use.",
    ),
    # What was declared
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
    # APIs
    "BB401": Entry("A route that leads nowhere", "error", "Calls are answered with 500.", "Let it lead to a function."),
    "BB403": Entry("A route twice", "error", _REFUSED, "Keep one of the routes."),
    "BB404": Entry(
        "An API that is no HTTP API", "error", "Nothing of it is simulated.", "Use protocol_type HTTP, or accept it."
    ),
    "BB405": Entry(
        "An API that answers nobody",
        "error",
        "Every call is refused.",
        "Deploy a stage with auto_deploy, raise its throttling, and leave the endpoint enabled.",
    ),
    "BB407": Entry(
        "A route that anyone may call",
        "warning",
        "Whoever knows the address can call it.",
        "Ask for IAM or for a token; accept the finding where everyone is meant.",
    ),
    "BB406": Entry(
        "A route whose tokens cannot be checked",
        "error",
        "Every call is answered with 401.",
        "Give the route a JWT authorizer with issuer and audience.",
    ),
    "BB402": Entry(
        "An API that may not invoke its function",
        "error",
        "Calls are answered with 500.",
        "Permit apigateway.amazonaws.com to invoke the function for this API.",
    ),
    # Policies
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
    "BB510": Entry(
        "A policy that allows more than it needs to",
        "warning",
        "Somebody else can send, read or publish where nobody should.",
        "Narrow the statement as the message says.",
    ),
    # What buses report of themselves
    "BB601": Entry(
        "A bus whose reports are delivered nowhere",
        "warning",
        "What the bus would tell of failed deliveries is lost.",
        "Add a delivery source and a delivery for the level, or lower the level.",
    ),
    "BB602": Entry(
        "A delivery source without reports",
        "warning",
        "Nothing arrives there.",
        "Raise the level of the bus's log_config, or remove the source.",
    ),
    "BB603": Entry(
        "Deliveries that are made at once",
        "error",
        "AWS answers one of them with a conflict: the apply fails.",
        "Let one depend on the other.",
    ),
    "BB604": Entry(
        "A function whose log or traces are lost",
        "warning",
        "The function runs, and nothing tells what it did.",
        "Grant what the message says is missing, or name a log group that the stacks make.",
    ),
    "BB605": Entry(
        "A bus that loses what it cannot encrypt",
        "error",
        "Events are lost without a trace while EventBridge may not use the key.",
        "Give the bus a dead_letter_config whose queue lets events.amazonaws.com send for the bus.",
    ),
}
"""Every kind of finding, by its id."""
