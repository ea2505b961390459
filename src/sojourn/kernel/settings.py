"""Settings from the environment (`SOJOURN_*`) and from `sojourn.toml`; the environment wins.

The table in docs/reference/settings.md is generated from this model, and a test holds the two equal.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class SmsGateway(BaseModel):
    """How a message is handed to an HTTP gateway for SMS. `{phone}`, `{text}` and `{key}` are filled in."""

    method: Literal["GET", "POST"] = "POST"
    headers: dict[str, str] = {}
    body: str | None = '{"to": "{phone}", "text": "{text}", "reference": "{key}"}'
    content_type: str = "application/json"


class Settings(BaseSettings):
    """All settings of an installation."""

    model_config = SettingsConfigDict(env_prefix="SOJOURN_", env_nested_delimiter="__", extra="forbid")

    home: Path = Field(
        Path("~/.local/share/sojourn"), description="Data folder: own database, files, secret key, journals."
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the web server listens on.")
    public_url: str | None = Field(
        None,
        description="Address under which recipients reach this server; stands in every link. Default: http://HOST:PORT.",
    )
    database_url: str | None = Field(
        None, description="A PostgreSQL 18 to use instead of the own one (postgresql://…)."
    )
    database_memory: int = Field(128, ge=16, description="Shared buffers of the own database, in MB.")
    smtp_url: str | None = Field(
        None,
        description="Where e-mail is handed over: smtp://user:password@host:587, smtps://…; `?starttls=never` switches TLS off. None: the built-in sandbox mailbox.",
    )
    smtp_connections: int = Field(
        2, ge=1, le=50, description="Connections that each delivery worker holds to the mail server."
    )
    sms_url: str | None = Field(
        None, description="Address of the HTTP gateway for SMS. None: the built-in sandbox mailbox."
    )
    sms: SmsGateway = Field(SmsGateway(), description="Method, headers and body of the call to the SMS gateway.")
    sender_email: str = Field("news@localhost", description="From address where neither template nor resource has one.")
    sender_name: str = Field("", description="From name where neither template nor resource has one.")
    admin_email: str | None = Field(None, description="E-mail of the first account, made at the first start.")
    admin_password: str | None = Field(
        None, description="Password of the first account. None: one is made up and printed once."
    )
    api_token: str | None = Field(None, description="A token of the HTTP API that is valid from the first start.")
    web_processes: int = Field(1, ge=1, le=64, description="Web processes that `sojourn up` starts.")
    engine_processes: int = Field(1, ge=0, le=64, description="Engine processes that `sojourn up` starts.")
    worker_processes: int = Field(1, ge=0, le=64, description="Delivery workers that `sojourn up` starts.")
    private_hosts: list[str] = Field(
        [],
        description="Private hosts (`host` or `host:port`) that scenarios may call; all others in private networks are refused.",
    )
    request_timeout: float = Field(10.0, gt=0, le=120, description="Seconds that an outgoing HTTP call may take.")
    upload_limit: int = Field(200, ge=1, description="Largest upload of a file, in MB.")
    opt_in_days: int = Field(30, ge=1, description="Days for which the link of a confirmation letter is valid.")
    repeat_window_hours: int = Field(
        24,
        ge=0,
        description="Hours in which a repeated call with the same Request-ID is answered from memory; 0 switches it off.",
    )
    log_format: Literal["text", "json"] = Field("text", description="Shape of log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least important log line that is written."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = Path(os.environ.get("SOJOURN_CONFIG", "sojourn.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    @property
    def data(self) -> Path:
        """The data folder, made if missing."""
        path = self.home.expanduser().absolute()
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def base_url(self) -> str:
        """The address that stands in links, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
