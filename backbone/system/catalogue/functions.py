"""Functions and the APIs that call them."""

from __future__ import annotations

from backbone.system.catalogue.entry import REFUSED, Entry

__all__ = ["ENTRIES"]

ENTRIES: dict[str, Entry] = {
    "BB301": Entry("A function without a role", "error", REFUSED, "Name a role that the stacks make."),
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
    "BB307": Entry(
        "A queue or stream that its function does not read",
        "error",
        "What comes there waits until it is no longer kept, and is lost.",
        "Restore the aws_lambda_event_source_mapping, or take the permission to read from the role.",
    ),
    "BB308": Entry(
        "A filter that lets nothing through",
        "error",
        "The function gets nothing, and what it was to get is gone.",
        "Correct the filter, or give the stream the view type that it asks for.",
    ),
    "BB309": Entry(
        "A queue that functions read without a dead-letter queue",
        "warning",
        "A message that the function fails at comes again until the queue's retention ends, and is lost.",
        "Give the queue a redrive_policy.",
    ),
    "BB310": Entry("A function without code", "error", REFUSED, "Synthesize anew."),
    "BB311": Entry(
        "A handler that is not there",
        "error",
        "Every invocation fails.",
        "Name a function of a module in the zip, as in services.order.handlers.api.",
    ),
    "BB312": Entry(
        "Code that is too large",
        "error",
        REFUSED,
        "Ship less: fewer or smaller packages, or data from elsewhere.",
    ),
    "BB313": Entry(
        "A source_code_hash that is missing or not the zip's",
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
    "BB318": Entry(
        "A zip that is not as synth made it",
        "warning",
        "What is deployed is not what the sources say, and what was tested is not what runs.",
        "Change the sources and synthesize anew.",
    ),
    "BB319": Entry(
        "A function that may not use what it is told of",
        "error",
        "The function is denied when it uses it.",
        "Grant the function what it does with the resource, or name one that it may use.",
    ),
    "BB320": Entry(
        "A mapping that does not ask which records failed",
        "error",
        "Lambda takes every answer for a success: records that failed are deleted, and lost.",
        "Set function_response_types to ReportBatchItemFailures.",
    ),
    "BB401": Entry("A route that leads nowhere", "error", "Calls are answered with 500.", "Let it lead to a function."),
    "BB402": Entry(
        "An API that may not invoke its function",
        "error",
        "Calls are answered with 500.",
        "Permit apigateway.amazonaws.com to invoke the function for this API.",
    ),
    "BB403": Entry("A route twice", "error", REFUSED, "Keep one of the routes."),
    "BB404": Entry(
        "An API that is no HTTP API", "error", "Nothing of it is simulated.", "Use protocol_type HTTP, or accept it."
    ),
    "BB405": Entry(
        "An API that answers nobody",
        "error",
        "Every call is refused.",
        "Deploy a stage with auto_deploy, raise its throttling, and leave the endpoint enabled.",
    ),
    "BB406": Entry(
        "A route whose tokens cannot be checked",
        "error",
        "Every call is answered with 401.",
        "Give the route a JWT authorizer with issuer and audience.",
    ),
    "BB408": Entry(
        "A route that asks who calls, though its module lets anyone",
        "warning",
        "Callers that were to be let in are refused.",
        "Restore the route's authorization.",
    ),
    "BB407": Entry(
        "A route that anyone may call",
        "warning",
        "Whoever knows the address can call it.",
        "Restore the route's authorization; where everyone is meant, give the HttpApi the authorization none.",
    ),
}
