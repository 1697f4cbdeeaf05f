"""`backbone key-policy` and `backbone bus-policy`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.cli import completion
from backbone.cli.app import app, errors, load_topology, print_json
from backbone.errors import BackboneError

__all__ = ["bus_policy", "key_policy"]


@app.command("key-policy")
def key_policy(
    account: Annotated[
        str, typer.Argument(help="The name of the account in the file.", autocompletion=completion.accounts)
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            help="The file that declares the backbone.", show_default="$BACKBONE_FILE, else backbone.yaml here"
        ),
    ] = None,
) -> None:
    """Print what the policy of a key of yours must say.

    The statements let AWS's services use the key for what the backbone has in an account. Add them to those of the key.
    """
    from backbone.aws.arn import Arn
    from backbone.aws.key_policies import statements
    from backbone.topology import find
    from backbone.topology.keys import key_use

    topology = load_topology(file or find(Path()))
    if account not in topology.accounts_in_use:
        raise BackboneError(f"key-policy: got the account {account!r}; allowed: {', '.join(topology.accounts_in_use)}")
    key = topology.kms_key_of(account)
    owner = topology.accounts[account].id if key in (None, "create") else Arn.parse(str(key)).account_id
    print_json(statements(key_use(topology, account), key_account=owner))
    if key is None:
        errors.print(
            f"{account} has no kms_key: name one in the file, or let it be made by kms_key: create", soft_wrap=True
        )
    elif key == "create":
        errors.print(f"the key of {account} is made with these statements: there is nothing to do", soft_wrap=True)
    else:
        errors.print(f"next: add these statements to the policy of {key}", soft_wrap=True)


@app.command("bus-policy")
def bus_policy(
    bus: Annotated[
        str | None, typer.Option(help="The global bus, as the file calls it, where several exist already.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="The file that declares the backbone.", show_default="$BACKBONE_FILE, else backbone.yaml here"
        ),
    ] = None,
) -> None:
    """Print what the policy of a global bus that exists must say.

    The statements let the services' accounts publish on it and have their forwarding rules on it. Its owner adds them
    to those that its policy has.
    """
    from backbone.topology import find, quotas
    from backbone.topology.source import suggestion

    topology = load_topology(file or find(Path()))
    if bus is not None and bus not in topology.hubs:
        raise BackboneError(
            f"bus-policy: got the bus {bus!r}; allowed: {', '.join(topology.hubs)}{suggestion(bus, topology.hubs)}"
        )
    existing = [hub for hub in topology.hubs.values() if not hub.is_made] or [topology.main]
    if bus is None and len(existing) > 1:
        names = [hub.key for hub in existing]
        raise BackboneError(f"bus-policy: the file has several: {', '.join(names)}; say which, as in --bus {names[0]}")
    hub = topology.hubs[bus] if bus else existing[0]
    print_json(quotas.policy(topology, hub)["Statement"])
    if hub.is_made:
        errors.print(f"{hub.arn} is made with its policy: there is nothing to do", soft_wrap=True)
    else:
        errors.print(f"next: have the owner of {hub.arn} add these statements to its policy", soft_wrap=True)
