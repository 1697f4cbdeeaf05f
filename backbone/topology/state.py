"""Where Terraform keeps its state: a model for each backend that a file may choose."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from backbone.topology.fields import KmsKey, Matching, Model, RoleArn


class Local(Model):
    """State in files beside `cdktf.out`: to try the backbone out, not for a team."""

    backend: Literal["local"] = "local"
    """Keeps the state in files."""


class S3(Model):
    """State in an S3 bucket, locked by a file beside it. This needs Terraform 1.10 or newer."""

    backend: Literal["s3"]
    """Keeps the state in a bucket."""

    bucket: Annotated[str, Matching("the name of an S3 bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")] = Field(
        examples=["example-terraform-state"]
    )
    """The bucket, which must exist."""

    region: str | None = None
    """The bucket's region. The default is the backbone's region."""

    prefix: Annotated[str, Matching("a key without / at its ends", r"[^/\s]\S*[^/\s]|[^/\s]")] | None = None
    """What the keys of all states begin with. The default is `backbone/` and the backbone's name, account and
    region."""

    kms_key: KmsKey | None = None
    """The key that encrypts the state. The default is the bucket's."""

    role: RoleArn | None = None
    """The role that Terraform assumes to reach the bucket."""

    profile: str | None = None
    """The profile in AWS's configuration files that Terraform uses to reach the bucket."""


class Remote(Model):
    """State in HCP Terraform or Terraform Enterprise, in a workspace for each stack, by the older backend `remote`."""

    backend: Literal["remote"]
    """Keeps the state in workspaces."""

    organization: Annotated[str, Matching("an organization's name", r"\S+")] = Field(examples=["example"])
    """The organization that the workspaces are in."""

    hostname: str | None = None
    """The host of Terraform Enterprise. The default is HCP Terraform."""


class Cloud(Model):
    """State in HCP Terraform or Terraform Enterprise, in a workspace for each stack."""

    backend: Literal["cloud"]
    """Keeps the state in workspaces."""

    organization: Annotated[str, Matching("an organization's name", r"\S+")] = Field(examples=["example"])
    """The organization that the workspaces are in."""

    project: str | None = None
    """The project that the workspaces are in. The default is the organization's own default."""

    hostname: str | None = None
    """The host of Terraform Enterprise. The default is HCP Terraform."""
