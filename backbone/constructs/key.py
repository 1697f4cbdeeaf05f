"""A key of KMS."""

from __future__ import annotations

from backbone.aws.policies import Document, to_json
from backbone.cdk import AwsProvider, Construct, KmsAlias, KmsKey

__all__ = ["Key"]

DAYS_TO_REGRET = 30
"""How long a key that is to be deleted can still be saved: with it goes all that it encrypts (KMS allows 7 to 30)."""


class Key(Construct):
    """A symmetric key whose material AWS replaces each year, and its alias."""

    def __init__(
        self, scope: Construct, id: str, *, provider: AwsProvider, alias: str, description: str, policy: Document
    ) -> None:
        super().__init__(scope, id)
        self._policy = policy
        self._key = key = KmsKey(
            self,
            "Default",
            provider=provider,
            description=description,
            enable_key_rotation=True,
            deletion_window_in_days=DAYS_TO_REGRET,
            policy=to_json(policy),
        )
        KmsAlias(self, "alias", provider=provider, name=alias, target_key_id=key.key_id)
        self.arn = key.arn

    def let_use(self, statement: Document) -> None:
        """Let others use the key, as a statement of its policy says."""
        self._policy = {**self._policy, "Statement": [*self._policy["Statement"], statement]}
        self._key.policy = to_json(self._policy)
