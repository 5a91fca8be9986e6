"""Fetching a finished picture: from the API's own hosts only, without the token, bounded, checked, written whole."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import httpx
from PIL import Image

from .addresses import parse_address, without_addresses
from .api import drop_location
from .bounded_bodies import HEADERS, BodyTooLarge, read_body
from .errors import DownloadFailed, SettingsError
from .files import part_beside
from .log_privacy import unlogged
from .provenance import PREVIEW_NAME
from .settings import Timeouts, is_loopback
from .version import USER_AGENT

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

# The vendor's own nodes accept no more than this for one picture.
OUTPUT_BYTES_MAX = 32 * 1024 * 1024
OUTPUT_MEGAPIXELS_MAX = 32
# What a result usually takes on the disk.
TYPICAL_BYTES = 4 * 1024 * 1024

_HOSTS = (".runcomfy.net", ".runcomfy.com")
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
_NUMBERS_MAX = 9999
_NAME_SHOWN_MAX = 60


@dataclass(frozen=True)
class Picture:
    """A finished picture, the API's own bytes.

    Attributes:
        data: The file's bytes, untouched.
        name: A file name with the suffix of what the bytes are. It holds nothing of the address, which can be read.
        width: In pixels.
        height: In pixels.
    """

    data: bytes
    name: str
    width: int
    height: int


class Outputs:
    """Downloads finished pictures.

    Args:
        base: The API's address; its own host is allowed beside the vendor's storage.
        tls: One TLS context to share.
        timeouts: How long a download may take.
        transport: What carries the requests, if not connections of our own.
    """

    def __init__(
        self,
        base: str,
        tls: ssl.SSLContext,
        timeouts: Timeouts | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base = httpx.URL(base)
        self._timeouts = timeouts or Timeouts()
        timeout = httpx.Timeout(self._timeouts.silence, connect=self._timeouts.connect)
        outside = not is_loopback(base)
        self._client = httpx.AsyncClient(
            verify=tls,
            timeout=timeout,
            trust_env=outside,
            transport=transport,
            event_hooks={"response": [drop_location]},
            headers={"User-Agent": USER_AGENT, **HEADERS},
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def download(
        self, url: str, on_bytes: Callable[[int, int | None], None], seconds: float = float("inf")
    ) -> Picture:
        """Fetch one picture.

        Args:
            url: The address, used byte for byte.
            on_bytes: Called with the bytes received so far and, where it is known, their total.
            seconds: How long it may take, if that is less than the settings allow.

        Raises:
            DownloadFailed: Its host is not allowed, it could not be fetched, or it is no complete picture.
        """
        parsed = self._checked(url)
        try:
            with unlogged():
                data = await asyncio.wait_for(self._fetch(url, parsed, on_bytes), min(seconds, self._timeouts.download))
        except asyncio.TimeoutError:
            raise DownloadFailed("download_failed", api_message="timed out") from None
        return await asyncio.to_thread(check, data, parsed)

    async def _fetch(self, url: str, parsed: httpx.URL, on_bytes: Callable[[int, int | None], None]) -> bytes:
        target = url.split("#", maxsplit=1)[0].split("://", 1)[1].partition("/")[2]
        request = self._client.build_request("GET", parsed, extensions={"target": b"/" + target.encode("ascii")})
        data = bytearray()
        try:
            response = await self._client.send(request, stream=True)
            try:
                if response.is_redirect:
                    _fail("output_host", response.status_code)
                if not response.is_success:
                    _fail("download_failed", response.status_code)
                length = response.headers.get("Content-Length", "")
                total = int(length) if length.isascii() and length.isdigit() else None
                if (total or 0) > OUTPUT_BYTES_MAX:
                    _fail("output_too_large")
                async for part in read_body(response, OUTPUT_BYTES_MAX):
                    data += part
                    on_bytes(len(data), total)
            finally:
                await response.aclose()
        except BodyTooLarge:
            _fail("output_too_large")
        except (httpx.HTTPError, httpx.StreamError) as problem:
            raise DownloadFailed("download_failed", api_message=without_addresses(repr(problem), [url])) from None
        return bytes(data)

    def _checked(self, url: str) -> httpx.URL:
        parsed = parse_address(url)
        if parsed is not None and url.isascii() and not parsed.userinfo:
            base = self._base
            own = (parsed.scheme, parsed.host, parsed.port) == (base.scheme, base.host, base.port)
            if own or (parsed.scheme == "https" and parsed.port is None and is_vendors_host(parsed)):
                return parsed
        raise DownloadFailed("output_host")


def is_vendors_host(url: httpx.URL) -> bool:
    """Return whether a host is one of the vendor's."""
    return f".{url.host}".endswith(_HOSTS)


def check(data: bytes, url: httpx.URL) -> Picture:
    """Return the picture, if the bytes are a complete one of an accepted kind and size.

    Raises:
        DownloadFailed: They are not.
    """
    try:
        with Image.open(io.BytesIO(data), formats=list(_SUFFIXES)) as image:
            if image.width * image.height > OUTPUT_MEGAPIXELS_MAX * 1_000_000:
                _fail("output_too_large")
            image.load()
            suffix = _SUFFIXES[image.format or ""]
            return Picture(data, _stem(url) + suffix, image.width, image.height)
    except DownloadFailed:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        _fail("output_too_large")
    except Exception:  # noqa: BLE001  # a broken file makes a decoder raise anything at all
        _fail("output_not_image")


def write(picture: Picture, file: Path, *, named: bool = True) -> Path:
    """Write the picture so that the file is whole or not there, and return where it lies.

    A suffix that says another kind of picture than the bytes are is replaced. A file that is there is replaced only
    if a person named that very file; otherwise the picture gets a name beside it.

    Args:
        picture: What to write.
        file: Where to.
        named: Whether a person gave that name.

    Raises:
        DownloadFailed: The folder can't be written.
    """
    target = _with_suffix_of(picture, file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part_beside(file) as part:
            part.write_bytes(picture.data)
            if named and target == file:
                part.replace(target)
            else:
                target = _write_beside(part, picture.data, target)
    except (OSError, ValueError) as problem:
        raise DownloadFailed("not_writable", file=file.name) from problem
    return target


def numbered(file: Path, number: int) -> Path:
    """Return the name of one of several files; the first has the name itself."""
    return file if number == 1 else file.with_stem(f"{file.stem}_{number}")


def _with_suffix_of(picture: Picture, file: Path) -> Path:
    suffix = Path(picture.name).suffix
    same = {".jpg", ".jpeg"} if suffix == ".jpg" else {suffix}
    if file.suffix.lower() in same:
        return file
    bare = without_suffix(file)
    return bare.with_name(bare.name + suffix)


def _write_beside(whole: Path, data: bytes, wanted: Path) -> Path:
    """Give a complete file the first free name; a file of the same bytes is the picture already."""
    for number in count(1):
        target = numbered(wanted, number)
        try:
            _create(whole, data, target)
        except FileExistsError:
            if _holds(target, data):
                return target
        else:
            return target
    raise AssertionError


def _create(whole: Path, data: bytes, target: Path) -> None:
    """Give a complete file a name that nothing has, without a moment in which another program could take it."""
    try:
        os.link(whole, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        with target.open("xb") as stream:
            try:
                stream.write(data)
            except OSError:
                target.unlink(missing_ok=True)
                raise


def _holds(file: Path, data: bytes) -> bool:
    try:
        return file.is_file() and file.stat().st_size == len(data) and file.read_bytes() == data
    except OSError:
        return False


def without_suffix(file: Path) -> Path:
    """Return the file without a suffix that says that it is a picture."""
    known = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic"}
    return file.with_suffix("") if file.suffix.lower() in known else file


def check_target(file: Path | None, folder: Path) -> None:
    """Make sure, before anything is paid, that the result can be written.

    Args:
        file: The file that was named, if one was.
        folder: Where the result goes otherwise.

    Raises:
        SettingsError: The folder can't be made or written, or no file can have that name.
    """
    check_writable(file.parent if file else folder)
    if file:
        check_name(file)


def check_name(file: Path) -> None:
    """Make sure that a file can have the name. Nothing is written.

    Raises:
        SettingsError: It can't, or there is a folder of that name.
    """
    # The longest name that the result may get, when a file is there already and the format is another.
    bare = without_suffix(file)
    names = [f"{bare.name}_{_NUMBERS_MAX}{max(_SUFFIXES.values(), key=len)}"]
    folder = bare.parent
    while not os.path.lexists(folder) and folder.name:
        names.append(folder.name)
        folder = folder.parent
    for name in names:
        try:
            (folder / name).lstat()
        except FileNotFoundError:
            pass
        except (OSError, ValueError):
            raise SettingsError("out_not_writable", file=_shortened(file.name)) from None
    if file.is_dir():
        raise SettingsError("out_is_folder", file=_shortened(file.name))


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_SHOWN_MAX else f"{name[:_NAME_SHOWN_MAX]}…"


def check_writable(folder: Path) -> None:
    """Make sure, before anything is paid, that the result can be written.

    Raises:
        SettingsError: The folder can't be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # On a full disk an empty file can still be made.
            file.write(bytes(TYPICAL_BYTES))
            file.flush()
    except (OSError, ValueError):
        raise SettingsError("folder_not_writable", folder=_shortened(folder.name or str(folder))) from None


def _stem(url: httpx.URL) -> str:
    """Return a stem for the file's name. Nothing of the address goes into it: that identifies the account."""
    return PREVIEW_NAME if url.path.rsplit("/", 1)[-1].startswith(PREVIEW_NAME) else "output"


def _fail(code: str, http_status: int | None = None) -> NoReturn:
    raise DownloadFailed(code, http_status=http_status)
