"""Takes one registry's webhooks: what is genuine, timely and new makes its poller look.

And keeps MLflow told of where to send them, where the ModelRegistry asks for that.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pennant_operator.decide.registry.health import WebhookHealth
from pennant_operator.decide.registry.registries import RegistrySpec
from pennant_operator.decide.seen.spec import Watch
from pennant_operator.observe.mlflow.connection import Count, ReadSecret, connect, read_credentials
from pennant_operator.observe.mlflow.trouble import RegistryTroubleError
from pennant_operator.observe.webhook.delivery import TagsChanged, delivery, hint
from pennant_operator.observe.webhook.remembered import Remembered
from pennant_operator.observe.webhook.signing_secret import SigningSecret
from pennant_operator.observe.webhook.subscription import NEEDS, Wanted, subscribe, unsubscribe

LOG = logging.getLogger(__name__)
# between two comparisons of a registry's webhook with its spec and Secret
SETTLE_INTERVAL_SECONDS = 60.0
SETTLE_RETRY_SECONDS = 15.0  # until the next one after one that failed


class Outcome(StrEnum):
    """What became of a hook."""

    ACCEPTED = "accepted"  # the registry is looked at
    UNWATCHED = "unwatched"  # genuine, about what nobody follows
    IGNORED = "ignored"  # genuine, an event that changes nothing here
    DUPLICATE = "duplicate"  # genuine, and taken before
    FORGED = "forged"
    UNTIMELY = "untimely"
    MALFORMED = "malformed"
    NO_SECRET = "no_secret"  # noqa: S105 - a word for that there is none


@dataclass(frozen=True)
class WebhookDependencies:
    """What a webhook needs of the rest."""

    owner: str  # namespace and name of the ModelRegistry
    ask_soon: Callable[[Watch], bool]  # whether anybody wants to know
    tags_changed: Callable[[str, str], bool]  # likewise, of a model's version
    read_secret: ReadSecret  # its credentials
    read_signing: ReadSecret
    report: Callable[[], Awaitable[None]]
    count: Count
    now: Callable[[], datetime]


class Webhook:
    """One ModelRegistry's."""

    def __init__(
        self,
        spec: RegistrySpec,
        dependencies: WebhookDependencies,
        known: WebhookHealth,
        remembered: Remembered,
    ) -> None:
        self._spec = spec
        self._dependencies = dependencies
        self._health = known
        self.remembered = remembered
        self._secret: SigningSecret | None = None
        if spec.webhook is not None:
            self._secret = SigningSecret(spec.webhook.secret, dependencies.read_signing)
        self._settled: Wanted | None = None
        self._unsettled = asyncio.Event()

    @property
    def health(self) -> WebhookHealth | None:
        """For the status; None when nobody asks for webhooks, and MLflow was told of none."""
        wanted = self._spec.webhook is not None or self._health.registered
        return self._health if wanted else None

    @property
    def wanted(self) -> bool:
        """Whether hooks are taken at all."""
        return self._secret is not None

    async def take(self, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Look where a hook points, if MLflow sent it, just now and for the first time."""
        hook, now = delivery(headers, body), self._dependencies.now().timestamp()
        if hook is None or self._secret is None:
            return Outcome.MALFORMED
        if not hook.timely(now):
            return Outcome.UNTIMELY
        try:
            if not await self._secret.signed(hook):
                return Outcome.FORGED
        except RegistryTroubleError:  # `run` says so
            return Outcome.NO_SECRET
        if not self.remembered.take(hook.id, hook.sent, now):
            return Outcome.DUPLICATE
        question = hint(self._spec.name, body)
        if question is None:
            return Outcome.IGNORED
        if not self._ask(question):
            return Outcome.UNWATCHED
        LOG.info("registry %s: a webhook tells of %s", self._spec.name, question.title)
        return Outcome.ACCEPTED

    def _ask(self, question: Watch | TagsChanged) -> bool:
        if isinstance(question, TagsChanged):
            return self._dependencies.tags_changed(question.model, question.version)
        return self._dependencies.ask_soon(question)

    def settle_again(self) -> None:
        """The server was away: it may know nothing of us any more."""
        self._settled = None
        self._unsettled.set()

    async def run(self) -> None:
        """Keep the secret and MLflow's webhook right until cancelled."""
        while True:
            self._unsettled.clear()
            try:
                await self._settle()
            except RegistryTroubleError as error:
                LOG.warning("webhook of registry %s: %s", self._spec.name, error)
                self._troubled(str(error))
            await self._dependencies.report()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(
                    SETTLE_RETRY_SECONDS if self._health.trouble else SETTLE_INTERVAL_SECONDS
                ):
                    await self._unsettled.wait()

    async def fault(self, trouble: str) -> None:
        """`run` raised: whether hooks come is not known until it runs again."""
        self._troubled(trouble)
        await self._dependencies.report()

    def _troubled(self, trouble: str) -> None:
        known = self._health
        self._health = WebhookHealth(trouble, known.registered, known.url)

    async def _settle(self) -> None:
        secret = await self._secret.value() if self._secret else ""
        url = self._spec.webhook.url if self._spec.webhook else None
        wanted = Wanted(self._dependencies.owner, url, secret) if url else None
        known = self._health
        if wanted != self._settled or (wanted is None and known.registered):
            known = await self._register(wanted)
            self._settled = wanted
        self._health = WebhookHealth(None, known.registered, known.url)

    async def _register(self, wanted: Wanted | None) -> WebhookHealth:
        secret = await read_credentials(self._spec, self._dependencies.read_secret)
        http = connect(self._spec, secret, self._dependencies.count)
        try:
            if wanted is not None:
                hook_id = await subscribe(http, wanted, self._health.registered)
                return WebhookHealth(None, hook_id, wanted.url)
            await unsubscribe(http, self._health.registered)
            return WebhookHealth()
        except RegistryTroubleError as error:
            raise RegistryTroubleError(f"MLflow keeps no webhook: {error} {NEEDS}") from error
        finally:
            await http.close()
