"""Who does the work: the page owner's engine, or the hosted model on a visitor's own token."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from studio import uploads
from wan_client import AsyncWanClient, AuthenticationError, Backend, Charged
from wan_client.hosting.public_url import PublicHost, PublicUrl
from wan_client.settings import DEFAULT_API_BASE, Hosting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from studio.settings import PageSettings
    from wan_client import ModelEntry

SANDBOX, OWNER, VISITOR = "sandbox", "owner", "visitor"
PRICE_SECONDS = 600.0
# Beyond a run's deadline: how long a picture may lie on this server that no process is left to remove.
HOSTED_SECONDS = 600.0
# Of how many visitors' tokens it is remembered what came of them.
TOKENS_KEPT = 1000


@dataclass
class _Token:
    """What is known of a visitor's token.

    Attributes:
        model: The catalogue's entry, and when it was asked for with the token, on the monotonic clock.
        refused: When the API refused the token.
    """

    model: tuple[float, ModelEntry] | None = None
    refused: float | None = None


class Engines:
    """The engines of this server.

    Attributes:
        pictures: Where pictures lie for an engine to fetch.

    Args:
        settings: The page's settings.
    """

    def __init__(self, settings: PageSettings) -> None:
        self._settings = settings
        self._owner = AsyncWanClient(settings.engine)
        self.pictures = PublicUrl(uploads.hosted_folder(), seconds=settings.engine.deadline + HOSTED_SECONDS)
        self.pictures.base = settings.public_url
        self._opening = asyncio.Lock()
        self._model: tuple[float, ModelEntry] | None = None
        self._tokens: OrderedDict[bytes, _Token] = OrderedDict()

    def name(self, token: str = "") -> str:
        """Which engine a token chooses; none chooses the page owner's."""
        if token:
            return VISITOR
        return SANDBOX if self._settings.engine.backend is Backend.SANDBOX else OWNER

    def base(self, engine: str) -> str:
        """Where an engine is."""
        return self._settings.hosted_base if engine == VISITOR else self._settings.engine.api_base or DEFAULT_API_BASE

    def public_host(self, key: str) -> PublicHost:
        """Return where the pictures of a run can be fetched from."""
        return PublicHost(self.pictures, key)

    async def handing_over(self, token: str = "") -> str:
        """Return how an engine is given pictures: ``data``, ``bucket``, ``public``, or ``fallback``.

        The last says that they travel inside the request and, only where that is refused, lie at a public address.
        """
        engine, api = self._settings.engine, self.base(self.name(token))
        if engine.by_address:
            return "bucket" if engine.hosting is not Hosting.PUBLIC else "public"
        usable = engine.hosting is Hosting.AUTO and await asyncio.to_thread(self.pictures.is_usable, api)
        if not usable:
            return "data"
        return "public" if self.pictures.is_preferred(f"{api}/v1/models/{engine.model}") else "fallback"

    def proof(self, token: str, key: str, request_id: str) -> str:
        """Return the proof that this page gave a run's id to the holder of its key, on any replica, after any restart.

        Without it, anybody who came to know an id could fetch the picture on the page owner's token.
        """
        secret = token or self._settings.engine.token
        return hmac.new(secret.encode(), f"{key} {request_id}".encode(), "sha256").hexdigest()

    @property
    def account(self) -> bytes:
        """A secret of the page owner's account, the same on every replica."""
        engine = self._settings.engine
        return sha256(f"account {self.base(self.name())} {engine.token}".encode()).digest()

    @asynccontextmanager
    async def client(self, token: str = "") -> AsyncIterator[AsyncWanClient]:
        """The client of an engine. A visitor's lives, and knows the token, no longer than this context."""
        if token:
            hosted = replace(
                self._settings.engine, backend=Backend.RUNCOMFY, api_base=self._settings.hosted_base, token=token
            )
            async with AsyncWanClient(hosted) as client:
                yield client
        else:
            yield await self._open()

    async def model(self, token: str = "") -> ModelEntry:
        """The catalogue's entry of the model; of the page owner's engine asked for every ten minutes at the most."""
        now = time.monotonic()
        if token:
            known = self.admit(token)
            if known.model is None or now - known.model[0] > PRICE_SECONDS:
                async with self.client(token) as client:
                    known.model = now, await client.model()
            return known.model[1]
        if self._model and now - self._model[0] <= PRICE_SECONDS:
            return self._model[1]
        model = await (await self._open()).model()
        # One without a price may be the trouble of a moment, and a budget can't be kept by it.
        self._model = (now, model) if model.price_usd else None
        return model

    def is_new(self, token: str) -> bool:
        """Whether nothing is known of a visitor's token."""
        return _digest(token) not in self._tokens

    def admit(self, token: str) -> _Token:
        """Remember a visitor's token, by its hash, in place of one that was not used for long."""
        known = self._tokens[_digest(token)] = self._tokens.pop(_digest(token), _Token())
        if len(self._tokens) > TOKENS_KEPT:
            self._tokens.popitem(last=False)
        return known

    def refuse(self, token: str) -> None:
        """Remember that the API has refused a visitor's token."""
        self.admit(token).refused = time.monotonic()

    def check(self, token: str) -> None:
        """Check that a token is not one that the API refused a short while ago.

        Raises:
            AuthenticationError: It is.
        """
        known = self._tokens.get(_digest(token))
        if known and known.refused is not None and time.monotonic() - known.refused <= PRICE_SECONDS:
            raise AuthenticationError("authentication", charged=Charged.NO)

    async def close(self) -> None:
        """Close the connections. Runs at the API go on."""
        async with self._opening:
            await self._owner.aclose()

    async def _open(self) -> AsyncWanClient:
        async with self._opening:
            await self._owner.open()
        return self._owner


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
