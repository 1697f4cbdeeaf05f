"""Who deploys: a model for each kind of pipeline that a file may choose."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from backbone.topology.fields import AccountId, Matching, Model, RoleArn

__all__ = ["AssumedRole", "CodePipeline", "GitHub", "GitLab"]

Branch = Annotated[str, Matching("a branch's name", r"[A-Za-z0-9][A-Za-z0-9._/-]*")]


class GitHub(Model):
    """GitHub Actions, by OpenID Connect: jobs of one branch or environment deploy, and pull requests only plan."""

    by: Literal["github"]
    """Lets GitHub Actions deploy."""

    repository: Annotated[str, Matching("OWNER/NAME", r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")] = Field(
        examples=["acme/backbone"]
    )
    """The repository whose jobs may deploy."""

    branch: Branch = "main"
    """The branch whose jobs may deploy, and plan."""

    environment: Annotated[str, Matching("an environment's name", r"[A-Za-z0-9._-]+")] | None = None
    """The only environment in which jobs may deploy. GitHub then tells AWS the environment in place of the branch, so
    limit the environment to the branch in the repository's settings."""

    account: AccountId | None = None
    """The account with the state's bucket and the pipeline's roles. The default is that of the global bus."""

    @property
    def issuer(self) -> str:
        """Who vouches for the jobs."""
        return "https://token.actions.githubusercontent.com"

    @property
    def audience(self) -> str:
        """Whom the jobs' tokens are for."""
        return "sts.amazonaws.com"

    @property
    def deploying(self) -> tuple[str, ...]:
        """The subjects of tokens that may deploy (GitHub's documentation, "OpenID Connect reference")."""
        where = f"environment:{self.environment}" if self.environment else f"ref:refs/heads/{self.branch}"
        return (f"repo:{self.repository}:{where}",)

    @property
    def planning(self) -> tuple[str, ...]:
        """The subjects of tokens that may plan."""
        return (f"repo:{self.repository}:pull_request", f"repo:{self.repository}:ref:refs/heads/{self.branch}")


class GitLab(Model):
    """GitLab CI, by OpenID Connect: jobs of one branch deploy, and those of all branches plan."""

    by: Literal["gitlab"]
    """Lets GitLab CI deploy."""

    project: Annotated[str, Matching("GROUP/NAME", r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)+")] = Field(
        examples=["acme/backbone"]
    )
    """The project whose jobs may deploy, with the groups that it is in."""

    branch: Branch = "main"
    """The branch whose jobs may deploy. Protect it in the project's settings."""

    host: Annotated[str, Matching("a host's name", r"[a-z0-9-]+(\.[a-z0-9-]+)+")] = "gitlab.com"
    """The host of GitLab, which AWS must reach."""

    account: AccountId | None = None
    """The account with the state's bucket and the pipeline's roles. The default is that of the global bus."""

    @property
    def issuer(self) -> str:
        """Who vouches for the jobs."""
        return f"https://{self.host}"

    @property
    def audience(self) -> str:
        """Whom the jobs' tokens are for."""
        return self.issuer

    @property
    def deploying(self) -> tuple[str, ...]:
        """The subjects of tokens that may deploy (GitLab's documentation, "ID token authentication")."""
        return (f"project_path:{self.project}:ref_type:branch:ref:{self.branch}",)

    @property
    def planning(self) -> tuple[str, ...]:
        """The subjects of tokens that may plan: those of a merge request have its branch."""
        return (f"project_path:{self.project}:ref_type:branch:ref:*",)


class CodePipeline(Model):
    """AWS CodePipeline in an account for deployment: what is pushed to a branch is planned, approved and applied."""

    by: Literal["codepipeline"]
    """Lets a pipeline deploy that `backbone bootstrap` makes."""

    repository: Annotated[str, Matching("OWNER/NAME", r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)+")] = Field(
        examples=["acme/backbone"]
    )
    """The repository, as the connection knows it."""

    branch: Branch = "main"
    """The branch that is deployed."""

    connection_arn: Annotated[
        str,
        Matching(
            "the ARN of a connection",
            r"arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[A-Za-z0-9-]+",
        ),
    ] = Field(
        examples=["arn:aws:codeconnections:eu-west-1:444444444444:connection/11111111-2222-3333-4444-555555555555"]
    )
    """The connection of CodeConnections to the repository's host, which somebody must have confirmed in the console."""

    install: Annotated[str, Matching("a command in one line", r"\S.*")] = "python -m pip install -r requirements.txt"
    """The command that installs event-backbone, of the version that the repository says."""

    account: AccountId | None = None
    """The account with the pipeline, its roles and the state's bucket. The default is that of the connection."""

    issuer: ClassVar[None] = None
    audience: ClassVar[None] = None
    deploying: ClassVar[tuple[str, ...]] = ()
    planning: ClassVar[tuple[str, ...]] = ()


class AssumedRole(Model):
    """A pipeline that has a role already, such as one of Jenkins in an account for deployment."""

    by: Literal["role"]
    """Lets a role deploy."""

    role: RoleArn = Field(examples=["arn:aws:iam::444444444444:role/pipeline"])
    """The role that deploys."""

    plan_role: RoleArn | None = None
    """The role that only plans. The default is `role`."""

    account: AccountId | None = None
    """The account with the state's bucket. The default is that of the role."""

    issuer: ClassVar[None] = None
    audience: ClassVar[None] = None

    @property
    def deploying(self) -> tuple[str, ...]:
        """The roles that may deploy."""
        return (self.role,)

    @property
    def planning(self) -> tuple[str, ...]:
        """The roles that may plan."""
        return (self.plan_role or self.role,)
