"""A bucket of the user's own: a picture lies there while its run needs it, private, under an unguessable name."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

from wan_client.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wan_client.images import PreparedImage
    from wan_client.settings import BucketSettings

log = logging.getLogger(__name__)


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


class BucketHost:
    """The pictures of one run in a bucket.

    Args:
        bucket: Which one.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._keys: list[str] = []

    def host(self, picture: PreparedImage) -> str:
        """Store a picture, and return a signed address.

        Raises:
            SettingsError: The store did not take it.
        """
        key, address = self._bucket.put(picture)
        self._keys.append(key)
        return address

    def release(self) -> None:
        """Remove the pictures. What can't be removed is logged; its address expires all the same."""
        keys, self._keys = self._keys, []
        self._bucket.delete(keys)
