"""Makes messages out of claims: loads what their templates ask for, renders, and builds what goes over the wire."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sojourn.channels.email.mime import address, build, message_id
from sojourn.channels.transport import Outgoing
from sojourn.delivery import variables
from sojourn.delivery.claiming import ClaimedMessage
from sojourn.delivery.codes import Channel, Flag, Reason
from sojourn.delivery.profile_values import ProfileValues
from sojourn.kernel import Clock, Settings, SojournError
from sojourn.kernel.errors import NotFound
from sojourn.kernel.tokens import installation_key
from sojourn.profiles import Resource, resource
from sojourn.profiles.suppression import EMAIL, PHONE, Suppression
from sojourn.templates import CompiledTemplate, LinkFactory, load

_FRESH_SECONDS = 5.0
NO_TRACKING = "_no_tracking"
"""The field of people who are not to be followed: their letters have plain links and no picture that tells of an opening."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message with everything its rendering needs."""

    message: ClaimedMessage
    template: CompiledTemplate
    resource: Resource
    context: dict[str, Any]
    tracked: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that cannot be made."""

    message: ClaimedMessage
    reason: Reason
    text: str


class Composer:
    """Prepares batches and renders their messages one by one."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._links = LinkFactory(settings.base_url, installation_key(settings.data))
        self._sender = (settings.sender_email, settings.sender_name)
        self._profiles = ProfileValues()
        self._suppression = Suppression(installation_key(settings.data))
        self._resources: dict[int, tuple[float, Resource]] = {}

    def prepare(
        self, connection: psycopg.Connection[Any], messages: Sequence[ClaimedMessage]
    ) -> tuple[list[Prepared], list[Refused]]:
        """Load what all templates of a batch ask for."""
        prepared: list[Prepared] = []
        refused: list[Refused] = []
        groups: dict[tuple[int, int], list[ClaimedMessage]] = {}
        for message in messages:
            groups.setdefault((message.template_id, message.resource_id), []).append(message)
        for (template_id, resource_id), group in groups.items():
            try:
                template = load(connection, template_id)
                sender = self._resource(connection, resource_id)
            except SojournError as error:
                reason = Reason.NO_TEMPLATE if isinstance(error, NotFound) else Reason.RENDER_ERROR
                refused += [Refused(message, reason, str(error)) for message in group]
                continue
            self._prepare_group(connection, template, sender, group, prepared, refused)
        return prepared, refused

    def _prepare_group(
        self, connection: psycopg.Connection[Any], template: CompiledTemplate, sender: Resource, group: list[ClaimedMessage],
        prepared: list[Prepared], refused: list[Refused],
    ) -> None:  # fmt: skip
        fields = None if template.all_fields else template.fields | {NO_TRACKING}
        values = self._profiles.load(connection, (message.profile_id for message in group), fields)
        group = self._unsuppressed(connection, group, refused)
        keys = [(message.lane, message.passage_id, message.profile_id) for message in group]
        for message, extra in zip(group, variables.load(connection, template.uses, keys), strict=True):
            profile = values.get(message.profile_id)
            if profile is None:
                refused.append(Refused(message, Reason.PROFILE_GONE, "the profile is gone"))
                continue
            context = {
                **extra,
                "profile": profile,
                "subscription": {"contact": message.contact},
                "resource": {"name": sender.name},
                "now": self._clock.now(),
            }
            prepared.append(Prepared(message, template, sender, context, tracked=not profile.get(NO_TRACKING)))

    def _unsuppressed(
        self, connection: psycopg.Connection[Any], group: list[ClaimedMessage], refused: list[Refused]
    ) -> list[ClaimedMessage]:
        """The messages whose contact stands in no suppression list that holds for it; asked right before they are handed over."""
        kind = PHONE if (group[0].contact or "").startswith("+") else EMAIL
        contacts = [(message.contact or "", self._profiles.homes.get(message.profile_id)) for message in group]
        stopped = self._suppression.refused(connection, contacts, kind)
        if not stopped:
            return group
        refused += [
            Refused(group[n], Reason.SUPPRESSED, "the contact is in a suppression list") for n in sorted(stopped)
        ]
        return [message for n, message in enumerate(group) if n not in stopped]

    def _resource(self, connection: psycopg.Connection[Any], resource_id: int) -> Resource:
        read, known = self._resources.get(resource_id, (0.0, None))
        if known is None or time.monotonic() - read > _FRESH_SECONDS:
            known = resource(connection, resource_id)
            self._resources[resource_id] = (time.monotonic(), known)
        return known

    def letter(self, prepared: Prepared) -> Outgoing:
        """Render a letter and build it.

        Raises:
            SojournError: the data do not fit the template, or an address cannot be written to.
        """
        message, template, sender = prepared.message, prepared.template, prepared.resource
        links = self._links.of(message.lane, message.passage_id, message.hop)
        rendered = template.render(prepared.context, links, tracked=prepared.tracked)
        confirmation = bool(message.flags & Flag.CONFIRMATION)
        from_email = address(template.from_email or sender.from_email or self._sender[0], "from_email")
        recipient = address(message.contact or "", "to")
        content = build(
            subject=rendered.subject,
            from_name=template.from_name or sender.from_name or self._sender[1],
            from_email=from_email,
            to=recipient,
            message_id=message_id(message.lane, message.passage_id, message.hop, from_email.rpartition("@")[2]),
            date=self._clock.now(),
            html=rendered.html,
            text=rendered.text,
            boundary=f"=_{message.lane}.{message.passage_id}.{message.hop}",
            reply_to=template.reply_to or sender.reply_to,
            unsubscribe_url=None if confirmation else links.unsubscribe_url,
            feedback_id=f"{message.scenario_id or 0}:{message.node_id or 0}:{template.template_id}:sojourn",
        )
        return Outgoing(
            message.key, from_email, recipient, content, rendered.subject, rendered.text, rendered.html, confirmation
        )

    def text_message(self, prepared: Prepared) -> Outgoing:
        """Render an SMS.

        Raises:
            SojournError: the data do not fit the template, or the text is empty.
        """
        message = prepared.message
        links = self._links.of(message.lane, message.passage_id, message.hop)
        text = prepared.template.render(prepared.context, links).text.strip()
        if not text:
            raise SojournError("empty_text", "The text of the message is empty.")
        return Outgoing(message.key, "", message.contact or "", text, text=text)

    def compose(self, channel: Channel, prepared: Prepared) -> Outgoing | Refused:
        """The message, or why there is none."""
        try:
            return self.letter(prepared) if channel is Channel.EMAIL else self.text_message(prepared)
        except SojournError as error:
            return Refused(prepared.message, Reason.RENDER_ERROR, str(error))
