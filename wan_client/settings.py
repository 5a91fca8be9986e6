"""The client's settings, read from the environment and ``.env`` in one place into one typed value."""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import ip_address
from typing import TYPE_CHECKING

import httpx
from dotenv import dotenv_values

from .addresses import parse_address
from .errors import SettingsError
from .schema import MODEL_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_API_BASE = "https://model-api.runcomfy.net"
DEFAULT_DEADLINE = 900.0
DEADLINE_MIN, DEADLINE_MAX = 1.0, 86_400.0
EXPIRY_MIN, EXPIRY_MAX = 60, 604_800
MODEL_ID_MAX = 200
PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
TOKEN_NAMES = ("RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN")
SANDBOX_URL = "WAN_SANDBOX_URL"
# The sandbox takes any token, and is never shown a real one. This one is no word that occurs in a text: wherever the
# token stands in one, it is taken out.
SANDBOX_TOKEN = "no-token-3b7f41c0"  # noqa: S105


_MODEL_ID = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class Backend(str, Enum):
    """Which engine does the work."""

    RUNCOMFY = "runcomfy"
    SANDBOX = "sandbox"


class Hosting(str, Enum):
    """How a local picture reaches the API."""

    DATA = "data"
    PUBLIC = "public"
    BUCKET = "bucket"
    AUTO = "auto"


@dataclass(frozen=True)
class Timeouts:
    """How long a single call may take, in seconds. The deadline of a run shortens them, and never the submit's.

    Attributes:
        connect: Making a connection.
        read: A call that only reads.
        submit: Sending a request with its pictures: how long the connection may stand still.
        sending: The same, all in all, with its answer.
        cancel: Cancelling, all in all.
        silence: How long a download may stand still.
        download: One picture, all in all.
    """

    connect: float = 15.0
    read: float = 20.0
    submit: float = 180.0
    sending: float = 600.0
    cancel: float = 5.0
    silence: float = 30.0
    download: float = 180.0


@dataclass(frozen=True)
class BucketSettings:
    """An S3-compatible bucket that pictures pass through.

    Attributes:
        name: The bucket.
        endpoint: The store's address; None for Amazon's own.
        region: Its region, where it has one.
        prefix: What names in it begin with.
        expiry: For how many seconds a signed address can be opened.
    """

    name: str
    endpoint: str | None = None
    region: str | None = None
    prefix: str = "wan-client/"
    expiry: int = 3600


@dataclass(frozen=True)
class Settings:
    """How to reach the engine. The values are checked, wherever they come from.

    Attributes:
        backend: The hosted model, or the sandbox on this machine.
        api_base: Where the API is, without a slash at its end. None with the sandbox, until it has started.
        token: The bearer token. Sent in the Authorization header to `api_base`, and nowhere else.
        deadline: How long a run is waited for, in seconds. Past it nothing is lost: it can be resumed.
        timeouts: How long a single call may take.
        bucket: A bucket of the user's own, where there is one.
        model: The id of the model.
        hosting: How pictures reach the API. By default through the bucket where there is one, else inside the request,
            and where the API refuses that, by a public address of the page's own, if it has one.

    Raises:
        SettingsError: A value can't be used; the message names it.
    """

    backend: Backend
    api_base: str | None = DEFAULT_API_BASE
    token: str = field(default=SANDBOX_TOKEN, repr=False)
    deadline: float = DEFAULT_DEADLINE
    timeouts: Timeouts = field(default_factory=Timeouts)
    bucket: BucketSettings | None = None
    model: str = MODEL_ID
    hosting: Hosting = Hosting.AUTO

    def __post_init__(self) -> None:
        check_model(self.model)
        if self.hosting is Hosting.BUCKET and self.bucket is None:
            raise SettingsError("bucket_missing", name="WAN_HOSTING")
        object.__setattr__(self, "token", check_token(self.token))
        if self.api_base is not None:
            check = check_sandbox_url if self.backend is Backend.SANDBOX else check_base
            object.__setattr__(self, "api_base", check(self.api_base))
        if not DEADLINE_MIN <= self.deadline <= DEADLINE_MAX:
            raise _out_of_range("WAN_DEADLINE", str(self.deadline), DEADLINE_MIN, DEADLINE_MAX)

    @property
    def by_address(self) -> bool:
        """Whether pictures are prepared to be fetched from an address, and not to travel inside the request."""
        return self.hosting in {Hosting.PUBLIC, Hosting.BUCKET} or self.passes_through_bucket

    @property
    def passes_through_bucket(self) -> bool:
        """Whether pictures lie in the bucket."""
        return self.bucket is not None and self.hosting in {Hosting.BUCKET, Hosting.AUTO}

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; the environment wins over ``.env`` in the current folder.

        ``RUNCOMFY_API_TOKEN`` (or ``RUNCOMFY_TOKEN``), ``RUNCOMFY_API_BASE``, ``WAN_BACKEND`` (``runcomfy`` or
        ``sandbox``; by default what the token's presence suggests), ``WAN_MODEL``, ``WAN_DEADLINE`` (seconds),
        ``WAN_HOSTING`` (``data``, ``public``, ``bucket`` or ``auto``), and for pictures that pass through a bucket
        ``WAN_S3_BUCKET``, ``WAN_S3_ENDPOINT``, ``WAN_S3_REGION``, ``WAN_S3_PREFIX`` and ``WAN_S3_EXPIRY`` (seconds).

        Raises:
            SettingsError: A value can't be used; the message names it.
        """
        env = read_environment() if environ is None else {k: v.strip() for k, v in environ.items() if v.strip()}
        token_name = next((name for name in TOKEN_NAMES if name in env), None)
        token = check_token(env[token_name], token_name) if token_name else None
        given = env.get("WAN_BACKEND", Backend.RUNCOMFY.value if token else Backend.SANDBOX.value).lower()
        try:
            backend = Backend(given)
        except ValueError:
            raise SettingsError("backend_unknown", name="WAN_BACKEND", given=given) from None
        base = check_base(env["RUNCOMFY_API_BASE"]) if "RUNCOMFY_API_BASE" in env else None
        deadline = read_number(env, "WAN_DEADLINE", DEFAULT_DEADLINE, DEADLINE_MIN, DEADLINE_MAX)
        if backend is Backend.SANDBOX:
            return cls(backend, base if base and is_loopback(base) else None, deadline=deadline)
        if token is None:
            raise SettingsError("token_missing", name=TOKEN_NAMES[0])
        return cls(
            backend,
            base or DEFAULT_API_BASE,
            token,
            deadline,
            bucket=_bucket(env),
            model=env.get("WAN_MODEL", MODEL_ID),
            hosting=_hosting(env),
        )


def _hosting(env: Mapping[str, str]) -> Hosting:
    given = env.get("WAN_HOSTING", Hosting.AUTO.value)
    try:
        return Hosting(given.lower())
    except ValueError:
        raise SettingsError("hosting_unknown", name="WAN_HOSTING", given=given) from None


def _bucket(env: Mapping[str, str]) -> BucketSettings | None:
    if "WAN_S3_BUCKET" not in env:
        return None
    return BucketSettings(
        name=env["WAN_S3_BUCKET"],
        endpoint=check_base(env["WAN_S3_ENDPOINT"], "WAN_S3_ENDPOINT") if "WAN_S3_ENDPOINT" in env else None,
        region=env.get("WAN_S3_REGION"),
        prefix=env.get("WAN_S3_PREFIX", BucketSettings.prefix),
        expiry=int(read_number(env, "WAN_S3_EXPIRY", BucketSettings.expiry, EXPIRY_MIN, EXPIRY_MAX)),
    )


def read_environment() -> dict[str, str]:
    """Return the variables that are set to something, in the environment or in ``.env`` of the current folder.

    Raises:
        SettingsError: The file is no text, or a variable that connections are made by can't be used; or the token and
            the API's address are not of one place.
    """
    check_network(os.environ)
    try:
        file = _without_blanks(dotenv_values(".env", interpolate=False))
    except (OSError, UnicodeDecodeError):
        raise SettingsError("env_file_unreadable", name=".env") from None
    environment = _without_blanks(os.environ)
    merged = {**file, **environment}
    _check_places(merged, environment)
    return merged


def _without_blanks(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value.strip() for name, value in values.items() if value and value.strip()}


def _check_places(merged: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Keep a token of the environment from a foreign host: a folder may contain a ``.env`` that others wrote.

    Raises:
        SettingsError: The token is set in one place, the API's address in the other, and it is neither the vendor's
            nor on this machine.
    """
    token = next((name for name in TOKEN_NAMES if name in merged), None)
    base = merged.get("RUNCOMFY_API_BASE")
    if token is None or base is None or merged.get("WAN_BACKEND", "").lower() == Backend.SANDBOX.value:
        return
    of_one_place = (token in environment) == ("RUNCOMFY_API_BASE" in environment)
    if not of_one_place and not is_loopback(base) and check_base(base) != DEFAULT_API_BASE:
        raise SettingsError("base_of_another_place", name="RUNCOMFY_API_BASE", token=token)


def check_network(env: Mapping[str, str]) -> None:
    """Check the variables for httpx's proxies and certificates: it raises on the first use of an invalid one.

    Raises:
        SettingsError: A value can't be used; the message names the variable.
    """
    for name in PROXY_NAMES:
        for spelling in (name, name.lower()):
            if env.get(spelling):
                _check_proxy(spelling, env[spelling])
    for spelling in ("NO_PROXY", "no_proxy"):
        for host in filter(None, (host.strip() for host in env.get(spelling, "").split(","))):
            if not _is_host_pattern(host):
                raise SettingsError("no_proxy_malformed", name=spelling, given=host)
    if env.get("SSL_CERT_FILE"):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=env["SSL_CERT_FILE"])
        except OSError:
            raise SettingsError("certificates_unusable", name="SSL_CERT_FILE", given=env["SSL_CERT_FILE"]) from None


def _check_proxy(name: str, address: str) -> None:
    try:
        httpx.HTTPTransport(proxy=address if "://" in address else f"http://{address}", verify=False, trust_env=False)
    except ImportError:
        raise SettingsError("proxy_socks", name=name) from None
    except (httpx.InvalidURL, ValueError):
        # The address may hold a password, so it is not repeated.
        raise SettingsError("proxy_malformed", name=name) from None


def _is_host_pattern(host: str) -> bool:
    """Return whether httpx can read one entry of NO_PROXY: a name, an address, or an address with a scheme."""
    try:
        ip_address(host)
    except ValueError:
        try:
            httpx.URL(host if "://" in host else f"all://*{host}")
        except httpx.InvalidURL:
            return False
    return True


def read_number(env: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    """Return a number among the variables.

    Raises:
        SettingsError: It is no number from low to high.
    """
    if name not in env:
        return default
    try:
        number = float(env[name])
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise _out_of_range(name, env[name], low, high)
    return number


def _out_of_range(name: str, given: str, low: float, high: float) -> SettingsError:
    return SettingsError("number_malformed", name=name, given=given, low=f"{low:g}", high=f"{high:g}")


def check_token(token: str, name: str = TOKEN_NAMES[0]) -> str:
    """Return the token, if it can stand in a header.

    Raises:
        SettingsError: It can't. The message does not repeat it.
    """
    token = token.strip()
    if not token or not all("!" <= char <= "~" for char in token):
        raise SettingsError("token_malformed", name=name)
    return token


def check_model(model: str) -> str:
    """Return the model's id, if it can stand in a path: words with slashes between them.

    Raises:
        SettingsError: It can't.
    """
    if len(model) > MODEL_ID_MAX or not _MODEL_ID.fullmatch(model):
        raise SettingsError("model_malformed", name="WAN_MODEL", given=model[:MODEL_ID_MAX])
    return model


def check_base(base: str, name: str = "RUNCOMFY_API_BASE") -> str:
    """Return an API's address, if it is https, or http on this machine.

    Raises:
        SettingsError: It is anything else, or holds a user, a query or a fragment.
    """
    url = parse_address(base)
    allowed = url is not None and (url.scheme == "https" or (url.scheme == "http" and is_loopback(base)))
    return _normalised(url if allowed else None, base, "base_malformed", name)


def check_sandbox_url(address: str) -> str:
    """Return a sandbox's address. It gets no token, so it may be http on another machine, as in Compose's network.

    Raises:
        SettingsError: It is anything else, or holds a user, a query or a fragment.
    """
    url = parse_address(address)
    allowed = url is not None and url.scheme in {"http", "https"}
    return _normalised(url if allowed else None, address, "sandbox_url_malformed", SANDBOX_URL)


def _normalised(url: httpx.URL | None, given: str, code: str, name: str) -> str:
    if url is None or url.userinfo or {"?", "#"} & set(given):
        raise SettingsError(code, name=name, given=url.host if url and url.userinfo else given)
    return str(url).rstrip("/")


def is_loopback(address: str) -> bool:
    """Return whether the address is on this machine, judged by its name alone."""
    url = parse_address(address)
    try:
        return url is not None and ip_address(url.host).is_loopback
    except ValueError:
        return url is not None and url.host == "localhost"
