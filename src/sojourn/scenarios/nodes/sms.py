"""SMS: a text from a template, to the phone of a subscription."""

from __future__ import annotations

from typing import ClassVar

from sojourn.delivery.codes import Channel
from sojourn.scenarios.channel_node import ChannelNode, ChannelSettings
from sojourn.scenarios.node_type import Language, Settings, Surroundings, Text


class Sms(ChannelNode):
    """Sends an SMS."""

    code: ClassVar[str] = "sms"
    channel: ClassVar[Channel] = Channel.SMS
    icon: ClassVar[str] = "message-2"
    title: ClassVar[Text] = {"en": "SMS", "ru": "SMS"}
    description: ClassVar[Text] = {
        "en": "Sends a text message to the profile's phone.",
        "ru": "Отправляет SMS на телефон профиля.",
    }
    settings: ClassVar[type[Settings]] = ChannelSettings

    def summary(self, settings: ChannelSettings, language: Language, around: Surroundings) -> list[str]:
        return [
            around.lookup.name_of("template", settings.template),
            around.lookup.name_of("resource", settings.resource),
        ]
