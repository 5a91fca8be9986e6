"""Who does the work: the page owner's engine, or the hosted model on a visitor's own token."""

from __future__ import annotations

import asyncio
import hmac
import math
import time
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from studio import telemetry, uploads
from wan_client import AsyncWanClient, AuthenticationError, Backend, Charged, ModelEntry, WanError
from wan_client.hosting.public_url import PublicHost, PublicUrl
from wan_client.settings import DEFAULT_API_BASE, Hosting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from studio.settings import PageSettings

SANDBOX, OWNER, VISITOR = "sandbox", "owner", "visitor"
# The greatest age of a price that is shown, and of one that a run is about to be started at.
PRICE_SECONDS = 600.0
FRESH_SECONDS = 60.0
# How long a catalogue that failed is not asked again, and how long to wait for it where an older price is known.
FAILED_SECONDS = 30.0
RENEWING_SECONDS = 3.0
# A hosted picture whose process died is removed this long after the run's deadline.
HOSTED_SECONDS = 600.0
# The number of visitors' tokens whose catalogue entry or refusal is remembered.
TOKENS_KEPT = 1000


class _Catalogue:
    """What the catalogue says of the model. It is asked by one request at a time, however many wait for the answer.

    Attributes:
        state: ``ok`` or ``unavailable``, as of the latest request; ``unknown`` before there was one.
    """

    def __init__(self) -> None:
        self.state = "unknown"
        self._model = ModelEntry()
        self._read = self._failed = -math.inf
        self._asking: asyncio.Task[None] | None = None

    def known(self) -> ModelEntry:
        """Return the entry without asking for it: an empty one where none is known."""
        return self._model if time.monotonic() - self._read <= PRICE_SECONDS else ModelEntry()

    @property
    def is_due(self) -> bool:
        """Whether what is known is too old to be shown, and asking would bring another answer."""
        now = time.monotonic()
        return now - self._read > PRICE_SECONDS and (self._asking is not None or now - self._failed > FAILED_SECONDS)

    async def entry(self, ask: Callable[[], Awaitable[ModelEntry]], age: float) -> ModelEntry:
        """Return the entry, asked for again where it is older than that: an empty one where it can't be had."""
        now = time.monotonic()
        if now - self._read > age:
            if self._asking is None and now - self._failed > FAILED_SECONDS:
                self._asking = asyncio.create_task(self._ask(ask))
            if self._asking:
                is_known = self.known() != ModelEntry()
                await asyncio.wait({self._asking}, timeout=RENEWING_SECONDS if is_known else None)
        return self.known()

    def close(self) -> None:
        """Cancel the request to the catalogue."""
        if self._asking:
            self._asking.cancel()

    async def _ask(self, ask: Callable[[], Awaitable[ModelEntry]]) -> None:
        try:
            model = await ask()
        except WanError:
            model = ModelEntry()
        finally:
            self._asking = None
        self.state = "unavailable" if model == ModelEntry() else "ok"
        # An entry without a price may be a passing failure, and a budget needs a price: ask again after a while.
        if model.price_usd:
            self._model, self._read = model, time.monotonic()
        else:
            self._failed = time.monotonic()


@dataclass
class _Token:
    """What is known of a visitor's token.

    Attributes:
        catalogue: What the catalogue says of the model to this token.
        refused: When the API refused the token.
    """

    catalogue: _Catalogue = field(default_factory=_Catalogue)
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
        self._catalogue = _Catalogue()
        self._tokens: OrderedDict[bytes, _Token] = OrderedDict()

    def name(self, token: str = "") -> str:
        """Return the name of the engine that a token chooses; no token chooses the page owner's."""
        if token:
            return VISITOR
        return SANDBOX if self._settings.engine.backend is Backend.SANDBOX else OWNER

    def base(self, engine: str) -> str:
        """Return the API base of an engine."""
        return self._settings.hosted_base if engine == VISITOR else self._settings.engine.api_base or DEFAULT_API_BASE

    def public_host(self, key: str) -> PublicHost:
        """Return the host of a run's pictures on this page, from where an engine can fetch them."""
        return PublicHost(self.pictures, key)

    async def picture_delivery(self, token: str = "") -> str:
        """Return how an engine is given pictures: ``data``, ``bucket``, ``public``, or ``fallback``.

        With ``fallback`` they travel inside the request and, only if that is refused, lie at a public address.
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

        Without it, anybody who knew an id could fetch the picture on the page owner's token.
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
        """Open the client of an engine. A visitor's client and its token live no longer than this context."""
        if token:
            hosted = replace(
                self._settings.engine, backend=Backend.RUNCOMFY, api_base=self._settings.hosted_base, token=token
            )
            async with AsyncWanClient(hosted) as client:
                client.observe_calls(telemetry.called)
                yield client
        else:
            yield await self._open()

    @property
    def api_state(self) -> str:
        """How the page owner's engine answered last: ``ok``, ``unavailable``, or ``unknown`` before it was asked."""
        return self._catalogue.state

    def is_asking(self, token: str = "") -> bool:
        """Return whether the catalogue has not answered yet."""
        if not token:
            return self._catalogue.state == "unknown"
        known = self._tokens.get(_digest(token))
        return known is None or known.catalogue.state == "unknown"

    def is_price_due(self) -> bool:
        """Return whether the catalogue has to be asked for the price on the page owner's engine."""
        return self._catalogue.is_due

    def known_model(self, token: str = "") -> ModelEntry:
        """Return the catalogue's entry of the model as far as it is known, without asking for it."""
        if not token:
            return self._catalogue.known()
        known = self._tokens.get(_digest(token))
        return known.catalogue.known() if known else ModelEntry()

    async def model(self, token: str = "", *, age: float = PRICE_SECONDS) -> ModelEntry:
        """Return the catalogue's entry of the model: an empty one where it can't be had.

        Args:
            token: The visitor's own token; none asks on the page owner's.
            age: How old, in seconds, what is known already may be.
        """

        async def ask() -> ModelEntry:
            async with self.client(token) as client:
                return await client.model()

        catalogue = self.admit(token).catalogue if token else self._catalogue
        return await catalogue.entry(ask, age)

    def is_new(self, token: str) -> bool:
        """Return whether nothing is known of a visitor's token."""
        return _digest(token) not in self._tokens

    def admit(self, token: str) -> _Token:
        """Remember a visitor's token by its hash, in place of the least recently used one."""
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
        self._catalogue.close()
        async with self._opening:
            await self._owner.aclose()

    async def _open(self) -> AsyncWanClient:
        async with self._opening:
            await self._owner.open()
            self._owner.observe_calls(telemetry.called)
        return self._owner


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
