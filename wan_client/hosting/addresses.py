"""A prepared picture → a URI for ``image_urls``.

The API has no upload call. By default the picture travels inside the request as a data URI, as the vendor's own
nodes send it. With a bucket of the user's own it lies there while the run needs it, private, under an unguessable
name, and the API is given a signed address. An address that anyone can open is passed on as given.
"""

from __future__ import annotations

import base64
import logging
import secrets
from typing import TYPE_CHECKING, Any, TypeGuard

from wan_client.addresses import parse_address
from wan_client.errors import ImageError, SettingsError
from wan_client.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wan_client.images import PreparedImage
    from wan_client.settings import BucketSettings

log = logging.getLogger(__name__)

# The vendor's own nodes keep each picture inside a request at or under 6 MiB.
DATA_URI_BYTES_MAX = 6 * 1024 * 1024


def is_address(source: object) -> TypeGuard[str]:
    """Whether the source is an address for the API to fetch, rather than a picture in hand."""
    return isinstance(source, str) and source[:8].lower().startswith(("https://", "http://"))


def check_address(address: str, *, number: int) -> str:
    """The address, if the API can be given it: ``https``, or ``http`` on this machine.

    Raises:
        ImageError: It is another kind of address, or names a user.
    """
    url = parse_address(address)
    allowed = url is not None and (url.scheme == "https" or (url.scheme == "http" and is_loopback(address)))
    if url is not None and allowed and not url.userinfo:
        return address
    raise ImageError("image_url_refused", field="images", number=number)


def data_uri(image: PreparedImage) -> str:
    """The picture itself, as a ``data:`` URI."""
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


class Bucket:
    """Where prepared pictures lie for as long as a run needs them: any S3-compatible store.

    Its methods block; call them in a thread.

    Args:
        settings: Which bucket. Credentials come the standard way: environment, profile or role.

    Raises:
        SettingsError: The extra ``s3`` is not installed, or a setting can't be used.
    """

    def __init__(self, settings: BucketSettings) -> None:
        try:
            import boto3  # noqa: PLC0415  # optional, and slow to import
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        except ImportError:
            raise SettingsError("s3_missing", name="WAN_S3_BUCKET") from None
        self._settings = settings
        self._errors = (BotoCoreError, ClientError, ValueError)
        style = {"addressing_style": "path" if settings.endpoint else "auto"}
        config = Config(signature_version="s3v4", s3=style, retries={"mode": "standard"}, connect_timeout=15)
        try:
            self._client: Any = boto3.client(
                "s3", endpoint_url=settings.endpoint, region_name=settings.region, config=config
            )
        except self._errors as problem:
            raise self._failed(problem) from None

    def put(self, image: PreparedImage) -> tuple[str, str]:
        """Store a picture.

        Returns:
            Its name in the bucket, and an address that opens it until it expires.

        Raises:
            SettingsError: The store did not take it.
        """
        where = {
            "Bucket": self._settings.name,
            "Key": f"{self._settings.prefix}{secrets.token_urlsafe(24)}.{image.media_type.rpartition('/')[2]}",
        }
        try:
            self._client.put_object(**where, Body=image.data, ContentType=image.media_type)
            address = self._client.generate_presigned_url("get_object", Params=where, ExpiresIn=self._settings.expiry)
        except self._errors as problem:
            raise self._failed(problem) from None
        return where["Key"], str(address)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove pictures. What can't be removed is logged; its address expires all the same."""
        for key in keys:
            try:
                self._client.delete_object(Bucket=self._settings.name, Key=key)
            except self._errors as problem:  # each on its own
                log.warning("%s could not be removed from the bucket: %s", key, self._reason(problem))

    def _failed(self, problem: Exception) -> SettingsError:
        return SettingsError(
            "s3_failed", name="WAN_S3_BUCKET", bucket=self._settings.name, reason=self._reason(problem)
        )

    @staticmethod
    def _reason(problem: Exception) -> str:
        # The store's own code, such as AccessDenied; its longer words may name keys.
        code = getattr(problem, "response", {}).get("Error", {}).get("Code")
        return str(code or type(problem).__name__)
