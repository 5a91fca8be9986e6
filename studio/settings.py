"""The page's own settings, beside the client's, read in one place into one typed value."""

from __future__ import annotations

import getpass
import os
import socket
import sys
import tempfile
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from wan_client import Backend, Settings, SettingsError
from wan_client.addresses import PORT_MAX
from wan_client.settings import (
    DEFAULT_API_BASE,
    SANDBOX_URL,
    check_base,
    check_sandbox_url,
    read_environment,
    read_number,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

KEEP_HOURS_MIN, KEEP_HOURS_MAX = 0.1, 24.0 * 365
DEFAULT_KEEP_HOURS = 24.0
COUNT_MAX = 1_000_000
AT_ONCE_MAX = 1_000
DOLLARS_MAX = 1_000_000.0
MEMORY = "memory://"
REDIS_SCHEMES = frozenset({"redis", "rediss"})
# On a Space the page's peer is Hugging Face's own proxy, at an address inside their network, and that proxy writes the
# address it was called from at the end of X-Forwarded-For. So hops at private addresses are trusted there. This was
# observed there: should it change, all visitors look like one until WAN_TRUSTED_PROXIES names the proxies.
PRIVATE_NETWORKS: Final = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 127.0.0.0/8, fc00::/7, ::1"

AUTH, SHARE = "WAN_AUTH", "GRADIO_SHARE"
HOST, PORT, FOLDER = "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "GRADIO_TEMP_DIR"
METRICS_PORT, LOG = "WAN_METRICS_PORT", "WAN_LOG"
DEFAULT_HOST = "127.0.0.1"
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
LOGS = ("text", "json")
# The variables that a Space with `hf_oauth` has.
SIGN_IN = ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")
# With the limit on guesses, a password of this length can't be guessed.
PASSWORD_MIN = 8

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class LimitSettings:
    """What strangers may spend of the owner's money and of this server. Zero is no limit.

    Attributes:
        visitor_hourly: Runs that one visitor may start in an hour.
        visitor_daily: Runs that one visitor may start in a day.
        visitor_at_once: Runs of one visitor that may be at work at once.
        hourly: Runs that all visitors together may start in an hour.
        daily: Runs that all visitors together may start in a day.
        at_once: Runs of all visitors that may be at work at once.
        budget: What all runs of a day may cost, in US dollars.
        price: What a run counts for where the catalogue names no price, in US dollars.
        uploads: Requests with pictures that one visitor may send in an hour.
        storage_uri: The Redis server that counts for all replicas; None counts in this process. May hold a password.
    """

    visitor_hourly: int = 0
    visitor_daily: int = 0
    visitor_at_once: int = 0
    hourly: int = 0
    daily: int = 0
    at_once: int = 0
    budget: float = 0.0
    price: float | None = None
    uploads: int = 0
    storage_uri: str | None = field(default=None, repr=False)

    @property
    def of_free_runs(self) -> LimitSettings:
        """The limits that hold for runs that cost the page's owner nothing: they protect this server."""
        return LimitSettings(visitor_at_once=self.visitor_at_once, at_once=self.at_once, uploads=self.uploads)

    @classmethod
    def load(cls, env: Mapping[str, str]) -> LimitSettings:
        """Read ``WAN_LIMIT_…`` and ``LIMITS_STORAGE_URI``.

        Where strangers can open the page, limits that are not set have sensible values.

        Raises:
            SettingsError: A value can't be used; the message names it.
        """
        usual = PUBLIC_LIMITS if is_public(env) else cls()
        return cls(
            visitor_hourly=_count(env, "WAN_LIMIT_VISITOR_HOURLY", usual.visitor_hourly),
            visitor_daily=_count(env, "WAN_LIMIT_VISITOR_DAILY", usual.visitor_daily),
            visitor_at_once=_count(env, "WAN_LIMIT_VISITOR_AT_ONCE", usual.visitor_at_once, AT_ONCE_MAX),
            hourly=_count(env, "WAN_LIMIT_HOURLY", usual.hourly),
            daily=_count(env, "WAN_LIMIT_DAILY", usual.daily),
            at_once=_count(env, "WAN_LIMIT_AT_ONCE", usual.at_once, AT_ONCE_MAX),
            budget=read_number(env, "WAN_LIMIT_BUDGET", usual.budget, 0, DOLLARS_MAX),
            price=read_number(env, "WAN_LIMIT_PRICE", 0, 0, DOLLARS_MAX) or None,
            uploads=_count(env, "WAN_LIMIT_UPLOADS", usual.uploads),
            storage_uri=_storage_uri(env),
        )


# `visitor_at_once` is the number of runs that one press of Generate can start.
PUBLIC_LIMITS: Final = LimitSettings(
    visitor_hourly=10,
    visitor_daily=30,
    visitor_at_once=4,
    hourly=100,
    daily=300,
    at_once=20,
    budget=10.0,
    uploads=100,
)


def is_public(env: Mapping[str, str]) -> bool:
    """Return whether others can open the page.

    They can on a Space, by a share link, where it listens beyond this machine, and where they are given a password.
    """
    return "SPACE_ID" in env or is_shared(env) or not _is_loopback(env.get(HOST, DEFAULT_HOST)) or bool(env.get(AUTH))


def is_shared(env: Mapping[str, str]) -> bool:
    """Return whether the page gets a public link: as ``GRADIO_SHARE`` says, and on hosts of notebooks as Gradio would.

    On such hosts a page can't be reached in any other way. A Space has an address of its own.
    """
    if "SPACE_ID" in env:
        return False
    if given := env.get(SHARE, ""):
        return given.lower() in {"true", "1", "yes", "on"}
    # Imported late: Gradio raises on a bad value of some variables that are checked before.
    from gradio.utils import colab_check, is_hosted_notebook  # noqa: PLC0415

    return colab_check() or is_hosted_notebook() or bool(env.get("KAGGLE_KERNEL_RUN_TYPE"))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class PageSettings:
    """How the page works.

    Attributes:
        engine: How to reach the engine: the client's settings.
        hosted_base: Where the hosted model is for those who bring a token of their own.
        keep_hours: For how many hours uploads and results stay on this server.
        limits: What strangers may spend.
        trusted_proxies: The networks whose ``X-Forwarded-For`` is trusted.
        json_log: Whether the log is for programs: one JSON object a line.
        metrics_port: Where Prometheus is answered; 0 for nowhere.
        mcp: Whether the endpoints are tools for agents as well, by the Model Context Protocol.
        share: Whether the page gets a public link through Gradio's tunnel.
        auth: The name and the password, joined by a colon, that open the page; None leaves it open to everyone.
        host: The address that the page listens on, an IPv6 one without brackets.
        port: The port that was asked for; None for the first free one from Gradio's 7860 on.
        folder: Where uploads and results lie, if not in Gradio's own folder.
        public_url: The page's address from outside, as it was set; None where it was not.
        public: Whether others than the people at this machine can open the page.
    """

    engine: Settings
    hosted_base: str = DEFAULT_API_BASE
    keep_hours: float = DEFAULT_KEEP_HOURS
    limits: LimitSettings = LimitSettings()
    trusted_proxies: tuple[Network, ...] = ()
    json_log: bool = False
    metrics_port: int = 0
    mcp: bool = False
    share: bool = False
    auth: str | None = field(default=None, repr=False)
    host: str = DEFAULT_HOST
    port: int | None = None
    folder: Path | None = None
    public_url: str | None = None
    public: bool = False

    @property
    def keep_seconds(self) -> float:
        """For how many seconds uploads and results stay on this server."""
        return self.keep_hours * 3600

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> PageSettings:
        """Read the settings; the environment wins over ``.env`` in the current folder.

        The client's (see `wan_client.Settings.load`), ``WAN_KEEP_HOURS``, ``WAN_TRUSTED_PROXIES``, ``WAN_LOG``
        (``json`` or ``text``), ``WAN_METRICS_PORT``, ``WAN_MCP`` (``1`` or ``0``), ``WAN_AUTH``, ``GRADIO_SHARE``,
        ``WAN_PUBLIC_URL``, ``WAN_SANDBOX_URL``, and what `LimitSettings` reads.

        Raises:
            SettingsError: A value can't be used; the message names it.
        """
        env = read_environment() if environ is None else environ
        host, port = _host(env), _port(env)
        return cls(
            engine=_engine(env),
            hosted_base=check_base(env.get("RUNCOMFY_API_BASE", DEFAULT_API_BASE)),
            keep_hours=read_number(env, "WAN_KEEP_HOURS", DEFAULT_KEEP_HOURS, KEEP_HOURS_MIN, KEEP_HOURS_MAX),
            trusted_proxies=_networks(env),
            json_log=_json_log(env),
            metrics_port=int(read_number(env, METRICS_PORT, 0, 0, PORT_MAX)),
            mcp=wants_tools(env),
            auth=_auth(env),
            host=host,
            port=port,
            folder=_folder(env),
            public_url=_public_url(env),
            # Last, as these import Gradio: a bad setting is reported without waiting for that.
            limits=LimitSettings.load(env),
            share=is_shared(env),
            public=is_public(env),
        )

    def export_to_environment(self, environ: MutableMapping[str, str] = os.environ) -> None:
        """Set the variables that Gradio, uvicorn and httpx read by themselves, before the page is built.

        Uvicorn, which Gradio starts without options for proxies, goes through ``X-Forwarded-For`` from its end while
        the hops are trusted; by default it would trust this machine, from which calls through a tunnel come too.
        Gradio calls its own page once when it starts, which must not go through a proxy. It sums up all events as each
        ends, for a dashboard that is closed here. It looks for a free port with an IPv4 socket at the address in
        the environment, which fails for an IPv6 one, so it is given the address as an argument alone.
        """
        environ.pop(HOST, None)
        environ["FORWARDED_ALLOW_IPS"] = ",".join(str(network) for network in self.trusted_proxies)
        environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(sys.maxsize)
        # A sandbox that replicas share is inside their network.
        sandbox = urlsplit(self.engine.api_base or "").hostname if self.engine.backend is Backend.SANDBOX else None
        given = environ.get("no_proxy") or environ.get("NO_PROXY")
        direct = ",".join(filter(None, (given, *LOOPBACK_NAMES, sandbox)))
        environ["NO_PROXY"] = environ["no_proxy"] = direct
        if self.folder:
            environ[FOLDER] = str(self.folder)


def on_a_space() -> bool:
    """Return whether this runs on a Space."""
    return bool(os.environ.get("SPACE_ID"))


def can_sign_in() -> bool:
    """Return whether visitors can sign in: on a Space with ``hf_oauth``, which brings Gradio's extra for it."""
    given = os.environ.get("SYSTEM") == "spaces" and all(os.environ.get(name) for name in SIGN_IN)
    return given and all(find_spec(module) for module in ("authlib", "itsdangerous"))


def has_own_folder() -> bool:
    """Return whether the folder for uploads is this page's alone; Gradio's default one is shared by all its apps."""
    return FOLDER in os.environ


def _engine(env: Mapping[str, str]) -> Settings:
    """Return the client's settings; without a token, with the sandbox that ``WAN_SANDBOX_URL`` names.

    The command does not read that variable: a `.env` in some folder must not send pictures to another machine.
    """
    engine = Settings.load(env)
    if engine.backend is Backend.SANDBOX and SANDBOX_URL in env:
        return replace(engine, api_base=check_sandbox_url(env[SANDBOX_URL]))
    return engine


def _host(env: Mapping[str, str]) -> str:
    """Return the address to listen on, after checking that this machine has it."""
    given = env.get(HOST, DEFAULT_HOST)
    host = given.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except (OSError, UnicodeError):
        raise SettingsError("address_unusable", name=HOST, given=given) from None
    return host


def _port(env: Mapping[str, str]) -> int | None:
    return int(read_number(env, PORT, 0, 1, PORT_MAX)) or None


def wants_json(env: Mapping[str, str]) -> bool:
    """Return whether the log is asked for as JSON, before the settings are known to be good."""
    return _log(env) == "json"


def _log(env: Mapping[str, str]) -> str:
    return env.get(LOG, "json" if "SPACE_ID" in env else "text").lower()


def _json_log(env: Mapping[str, str]) -> bool:
    if _log(env) not in LOGS:
        raise SettingsError("choice_unknown", name=LOG, given=env[LOG], choices=", ".join(LOGS))
    return wants_json(env)


def _folder(env: Mapping[str, str]) -> Path | None:
    """Return a folder for uploads and results that this user can write; None where Gradio's own is one."""
    given = env.get(FOLDER)
    folder = Path(given) if given else Path(tempfile.gettempdir()) / "gradio"
    if _is_writable(folder):
        return Path(given) if given else None
    if given:
        raise SettingsError("folder_unusable", name=FOLDER, given=given)
    # Gradio's default folder belongs to the user who first started one of its apps.
    own = Path(tempfile.gettempdir()) / f"gradio-{getpass.getuser()}"
    if not _is_writable(own):
        raise SettingsError("folder_unusable", name=FOLDER, given=str(own))
    return own


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _count(env: Mapping[str, str], name: str, default: int, high: int = COUNT_MAX) -> int:
    number = read_number(env, name, default, 0, high)
    if number != int(number):
        raise SettingsError("number_malformed", name=name, given=env[name], low="0", high=f"{high:,}")
    return int(number)


def _auth(env: Mapping[str, str]) -> str | None:
    """Return the name and password that were set. The error never repeats them."""
    given = env.get(AUTH, "")
    if not given:
        return None
    name, colon, password = given.partition(":")
    if not (name and colon and len(password) >= PASSWORD_MIN):
        raise SettingsError("auth_malformed", name=AUTH, length=PASSWORD_MIN)
    return given


def wants_tools(env: Mapping[str, str]) -> bool:
    """Return whether the endpoints shall be tools for agents.

    Raises:
        SettingsError: The value can't be used, or what it needs is not installed.
    """
    name = "WAN_MCP"
    if not _count(env, name, 0, 1):
        return False
    if find_spec("mcp") is None:
        raise SettingsError("mcp_missing", name=name)
    return True


def _public_url(env: Mapping[str, str]) -> str | None:
    """Return the page's address from outside: as it is set, or as a Space is given it."""
    name = "WAN_PUBLIC_URL"
    if name in env:
        return check_base(env[name], name)
    host = env.get("SPACE_HOST", "")
    return check_base(f"https://{host}", "SPACE_HOST") if host else None


def _networks(env: Mapping[str, str]) -> tuple[Network, ...]:
    name = "WAN_TRUSTED_PROXIES"
    given = env.get(name, PRIVATE_NETWORKS if "SPACE_ID" in env else "")
    if given.lower() == "none":
        return ()
    try:
        return tuple(ip_network(part.strip()) for part in given.split(",") if part.strip())
    except ValueError:
        raise SettingsError("networks_malformed", name=name, given=given) from None


def _storage_uri(env: Mapping[str, str]) -> str | None:
    name = "LIMITS_STORAGE_URI"
    uri = env.get(name, MEMORY).removeprefix("async+")
    if uri == MEMORY:
        return None
    try:
        parts = urlsplit(uri)
        usable = parts.scheme in REDIS_SCHEMES and (parts.hostname or "") != "" and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError("storage_malformed", name=name)
    if find_spec("redis") is None:
        raise SettingsError("storage_missing", name=name)
    return uri
