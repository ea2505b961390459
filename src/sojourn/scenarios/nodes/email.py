"""E-mail: a letter from a template, to the contact of a subscription."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sojourn.delivery.codes import Channel
from sojourn.scenarios.channel_node import ChannelNode, ChannelSettings
from sojourn.scenarios.node_type import Language, Settings, Surroundings, Text


class EmailSettings(ChannelSettings):
    """A letter; `confirmation` makes it a confirmation letter."""

    confirmation: bool = Field(
        False,
        title="Confirmation letter",
        description="Also reaches unconfirmed contacts, and carries the link that confirms the subscription.",
    )


class Email(ChannelNode):
    """Sends a letter."""

    code: ClassVar[str] = "email"
    channel: ClassVar[Channel] = Channel.EMAIL
    icon: ClassVar[str] = "mail"
    title: ClassVar[Text] = {"en": "E-mail", "ru": "Письмо"}
    description: ClassVar[Text] = {
        "en": "Sends a letter to the profile's subscription.",
        "ru": "Отправляет письмо по подписке профиля.",
    }
    settings: ClassVar[type[Settings]] = EmailSettings

    def confirms(self, settings: EmailSettings) -> bool:
        return settings.confirmation

    def summary(self, settings: EmailSettings, language: Language, around: Surroundings) -> list[str]:
        lines = [around.lookup.name_of("template", settings.template)]
        kind = (
            {"en": "Confirmation letter", "ru": "Письмо-подтверждение"}[language] + " · "
            if settings.confirmation
            else ""
        )
        return [*lines, kind + around.lookup.name_of("resource", settings.resource)]
