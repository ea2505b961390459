"""S3, of Amazon or of anybody who speaks its protocol."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field, field_validator

from sojourn.connections.kind import (
    CONNECT_SECONDS,
    MOST_FILES,
    FileKind,
    KindSettings,
    Opened,
    RemoteFile,
    Text,
    Write,
    chosen,
    plain_name,
)
from sojourn.kernel.errors import SojournError

_ERRORS = (BotoCoreError, ClientError)
_PIECE = 1 << 16


class S3Settings(KindSettings):
    """A bucket, and the beginning of the names of its files."""

    bucket: str = Field(title="Bucket", min_length=3, max_length=255)
    prefix: str = Field(
        "", title="Folder", description="The beginning of the names, such as `exports/`.", max_length=1_000
    )
    region: str = Field("us-east-1", title="Region", max_length=50)
    endpoint: str = Field("", title="Address", description="Of another provider than Amazon.", max_length=500)
    access_key: str = Field("", title="Access key", max_length=200)

    @field_validator("endpoint")
    @classmethod
    def _address(cls, endpoint: str) -> str:
        if endpoint and (urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).hostname):
            raise ValueError("An address begins with http:// or https://")
        return endpoint


class S3Secret(KindSettings):
    """The secret key."""

    secret_key: str = Field("", title="Secret key", max_length=1_000)


class S3(FileKind):
    """Files under a prefix."""

    code: ClassVar[str] = "s3"
    title: ClassVar[Text] = {"en": "S3 bucket", "ru": "Хранилище S3"}
    settings: ClassVar[type[KindSettings]] = S3Settings
    secret: ClassVar[type[KindSettings]] = S3Secret

    def test(self, opened: Opened) -> dict[str, Any]:
        return {"files": [one.name for one in self.files(opened, "*")][:20]}

    def files(self, opened: Opened, mask: str) -> list[RemoteFile]:
        prefix = _prefix(opened)
        found: list[RemoteFile] = []
        try:
            pages = (
                _client(opened)
                .get_paginator("list_objects_v2")
                .paginate(Bucket=opened.settings.bucket, Prefix=prefix, Delimiter="/")
            )
            for page in pages:
                for one in page.get("Contents", ()):
                    name = one["Key"].removeprefix(prefix)
                    if name:
                        found.append(RemoteFile(name, one["Size"], one["LastModified"], one["ETag"]))
                if len(found) > MOST_FILES * 2:
                    break
        except _ERRORS as error:
            raise opened.failure(error) from None
        return chosen(found, mask)

    def fetch(self, opened: Opened, name: str, write: Write) -> None:
        try:
            body = _client(opened).get_object(Bucket=opened.settings.bucket, Key=_prefix(opened) + plain_name(name))[
                "Body"
            ]
            for piece in body.iter_chunks(_PIECE):
                write(piece)
        except _ERRORS as error:
            raise opened.failure(error) from None

    def remove(self, opened: Opened, name: str) -> None:
        try:
            _client(opened).delete_object(Bucket=opened.settings.bucket, Key=_prefix(opened) + plain_name(name))
        except _ERRORS as error:
            raise opened.failure(error) from None

    def move(self, opened: Opened, name: str, folder: str) -> None:
        bucket, key = opened.settings.bucket, _prefix(opened) + plain_name(name)
        target = f"{_prefix(opened)}{folder.strip('/')}/{plain_name(name)}"
        try:
            client = _client(opened)
            client.copy_object(Bucket=bucket, Key=target, CopySource={"Bucket": bucket, "Key": key})
            client.delete_object(Bucket=bucket, Key=key)
        except _ERRORS as error:
            raise opened.failure(error) from None


def _prefix(opened: Opened) -> str:
    prefix: str = opened.settings.prefix.lstrip("/")
    return prefix if not prefix or prefix.endswith("/") else prefix + "/"


def _client(opened: Opened) -> Any:
    given: S3Settings = opened.settings
    if given.endpoint:
        parts = urlsplit(given.endpoint)
        assert parts.hostname
        opened.around.address(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
    if not given.access_key or not opened.secret.secret_key:
        raise SojournError("connection_failed", "Access key and secret key are needed.", "secret.secret_key")
    config = Config(
        connect_timeout=CONNECT_SECONDS, read_timeout=60, retries={"max_attempts": 3}, s3={"addressing_style": "path" if given.endpoint else "auto"},
    )  # fmt: skip
    try:
        return boto3.session.Session().client(
            "s3", region_name=given.region or None, endpoint_url=given.endpoint or None, aws_access_key_id=given.access_key,
            aws_secret_access_key=opened.secret.secret_key, config=config,
        )  # fmt: skip
    except (*_ERRORS, ValueError) as error:
        raise opened.failure(error) from None
