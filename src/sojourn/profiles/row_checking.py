"""Rows of texts into columns of checked cells, keys and subscriptions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sojourn.kernel import parse_public_id
from sojourn.kernel.errors import Problem, SojournError
from sojourn.profiles.applying import Group
from sojourn.profiles.checked import Checked, RowSubscriptions, rejected
from sojourn.profiles.column_mapping import check_mapping
from sojourn.profiles.columns import parse_column
from sojourn.profiles.copy_text import NULL, cell, line, typed_cell
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.import_options import (
    PROFILE_ID,
    PROVIDER,
    SUBSCRIPTION_ID,
    SUBSCRIPTIONS,
    FileOptions,
    Subscribing,
    Target,
)
from sojourn.profiles.matching import Key, check_matching, field_key
from sojourn.profiles.reading_rows import Chunk, csv_record
from sojourn.profiles.records import Preparation, SubscriptionInput, SubscriptionRow
from sojourn.profiles.resources import Resource
from sojourn.profiles.statuses import EMAIL, SMS
from sojourn.profiles.values import LONGEST_OBJECT, Misfit, parse_value

Refuse = Callable[[int, str | None, str, str], None]
"""Row, field, code, reason."""


class Checker:
    """Checks the chunks of one import. `resources`: those that rows may subscribe to.

    Raises:
        SojournError: what cannot work with any row: `unknown_column`, `unknown_field`, `field_twice`, `nothing_mapped`, `matching_key_missing`,
            `unknown_matching`, `field_not_matchable`, `bad_constant`, `contact_column_missing`.
    """

    def __init__(
        self,
        database: Database,
        options: FileOptions,
        header: Sequence[str],
        mapping: Mapping[str, str | Target],
        resources: Mapping[int, Resource],
    ) -> None:
        chosen = options.options
        check_matching(database, chosen.matching, chosen.field_name)
        if chosen.matching == "custom_sub":
            raise SojournError("unknown_matching", "Rows of files are not found by such subscriptions.", "matching")
        self._options = options
        self._matching = chosen.matching
        self._key_field = (
            database.field(chosen.field_name) if chosen.matching == "custom" and chosen.field_name else None
        )
        self._columns = check_mapping(database, header, mapping)
        self._sources = {name: header[position] for name, (position, _) in self._columns.items()}
        self._constants = _constants(database, options, self._columns)
        taken = self._columns.keys() | self._constants.keys()
        self.fields: tuple[Field, ...] = tuple(known for name, known in database.fields.items() if name in taken)
        self._preparation = Preparation(database, chosen, resources)
        self._positions = {name: number for number, name in enumerate(header)}
        self._subscribing = self._contacts_by_row(options.all_subscriptions())
        self._check_keys(taken)

    def group(self) -> Group:
        """What is done to which field beyond plain setting."""
        actions = {}
        for known in self.fields:
            target = self._columns[known.name][1] if known.name in self._columns else None
            if target and target.add:
                actions[known.name] = "add"
            elif known.type != "email" and (
                known.name in self._options.clear_empty or (target and target.clear_empty)
            ):  # an e-mail address is never taken away, only replaced
                actions[known.name] = "replace"
        return actions

    def _contacts_by_row(self, wanted: Sequence[Subscribing]) -> tuple[Subscribing, ...]:
        """Subscriptions that must be worked out row by row: where a contact stands in a column of its own, or could stand there twice."""
        for item in wanted:
            if item.column is not None and item.column not in self._positions:
                raise SojournError("unknown_column", f"The file has no column “{item.column}”.", item.column)
            if item.column is None and item.channel not in (EMAIL, SMS):
                raise SojournError(
                    "contact_column_missing", "It is not said in which column the contact stands.", "subscriptions"
                )
        places = {(item.resource_id, item.channel) for item in wanted}
        plain = all(item.column is None for item in wanted) and len(places) == len(wanted)
        return () if plain and SUBSCRIPTIONS not in self._columns else tuple(wanted)

    def _check_keys(self, taken: set[str]) -> None:
        missing = [name for name in self._key_columns() if name not in taken]
        if missing and not (self._matching.startswith("email_phone") and len(missing) == 1):
            raise SojournError(
                "matching_key_missing",
                f"The file has no column for “{missing[0]}”, by which profiles are to be found.",
                missing[0],
            )

    def _key_columns(self) -> list[str]:
        if self._key_field:
            return [self._key_field.name]
        if self._matching == "push_sub":
            return [PROVIDER, SUBSCRIPTION_ID]
        if self._matching in ("profile_id", "none"):
            return [PROFILE_ID] if self._matching == "profile_id" else []
        return [name for name, word in (("email", "email"), ("phones", "phone")) if word in self._matching]

    def check(self, chunk: Chunk, part: int) -> Checked:
        """The chunk with rows that do not fit taken out."""
        count = len(chunk.rows)
        texts = list(zip(*chunk.rows, strict=True)) if count else []
        rejections = list(chunk.rejections)
        bad: set[int] = set()

        def refuse(row: int, name: str | None, code: str, reason: str) -> None:
            if row not in bad:
                bad.add(row)
                rejections.append(
                    rejected(chunk.rows[row], chunk.lines[row], chunk.file, name, code, reason, self._sources)
                )

        columns: dict[str, list[str]] = {}
        for known in self.fields:
            if known.name not in self._columns:
                columns[known.name] = [self._constants[known.name]] * count
                continue
            columns[known.name], problems = self._cells(known, texts)
            for row, problem in problems.items():
                refuse(row, known.name, problem.code, problem.message)
        keys = self._keys(columns, texts, count, refuse)
        subscriptions, left_out = self._subscriptions(columns, texts, count, bad, refuse)
        checked = Checked(
            keys,
            [columns[known.name] for known in self.fields],
            chunk.lines,
            chunk.rows,
            self._sources,
            rejections,
            chunk.done_bytes,
            part,
            chunk.file,
            subscriptions,
            left_out,
        )
        return checked.without(bad) if bad else checked

    def _cells(self, known: Field, texts: Sequence[Sequence[str]]) -> tuple[list[str], dict[int, Problem]]:
        position, target = self._columns[known.name]
        column = texts[position] if texts else ()
        if known.type == "tags" and target.separator != ",":
            column = [csv_record(text.split(target.separator)) if text.strip() else "" for text in column]
        return parse_column(known, column, target.reading(self._options.reading))

    def _texts(self, name: str, texts: Sequence[Sequence[str]], count: int) -> Sequence[str]:
        return texts[self._columns[name][0]] if count else ()

    # ------------------------------------------------------------------------------------------ keys

    def _keys(
        self,
        columns: Mapping[str, list[str]],
        texts: Sequence[Sequence[str]],
        count: int,
        refuse: Refuse,
    ) -> list[Key]:
        if self._matching == "none":
            return [Key()] * count
        second: list[str | None] | None = None
        if self._matching == "profile_id":
            first = self._profile_ids(self._texts(PROFILE_ID, texts, count), refuse)
        elif self._matching == "push_sub":
            providers, tokens = self._texts(PROVIDER, texts, count), self._texts(SUBSCRIPTION_ID, texts, count)
            first = [
                _push_key(provider, token, row, refuse)
                for row, (provider, token) in enumerate(zip(providers, tokens, strict=True))
            ]
        elif self._key_field:
            first = self._field_keys(self._key_field, texts, count)
        else:
            emails, phones = _emails(columns, count), _phones(columns, count)
            first, second = (
                (emails, phones if "phone" in self._matching else None) if "email" in self._matching else (phones, None)
            )
        keys = (
            [Key(one) for one in first] if second is None else [Key(*pair) for pair in zip(first, second, strict=True)]
        )
        if None in first:
            for row, key in enumerate(keys):
                if key == (None, None):
                    refuse(row, None, "matching_key_missing", "What the profile is to be found by is missing.")
        return keys

    @staticmethod
    def _profile_ids(texts: Sequence[str], refuse: Refuse) -> list[str | None]:
        keys: list[str | None] = []
        for row, text in enumerate(texts):
            try:
                keys.append(str(parse_public_id(text.strip())) if text.strip() else None)
            except SojournError as error:
                refuse(row, PROFILE_ID, error.code, error.message)
                keys.append(None)
        return keys

    def _field_keys(self, known: Field, texts: Sequence[Sequence[str]], count: int) -> list[str | None]:
        if known.name not in self._columns:
            given = [self._options.constants[known.name]] * count
        else:
            given = list(self._texts(known.name, texts, count))
        separator = self._columns[known.name][1].separator if known.name in self._columns else ","
        reading = self._columns[known.name][1].reading(self._options.reading) if known.name in self._columns else None
        keys: list[str | None] = []
        for text in given:
            if known.type == "tags" and separator != "," and text.strip():
                text = csv_record(text.split(separator))
            try:
                keys.append(field_key(known, text, reading or self._options.reading))
            except Misfit:
                keys.append(None)  # refused already as a value
        return keys

    # ------------------------------------------------------------------------------------------ subscriptions

    def _subscriptions(
        self,
        columns: Mapping[str, list[str]],
        texts: Sequence[Sequence[str]],
        count: int,
        bad: set[int],
        refuse: Refuse,
    ) -> tuple[list[RowSubscriptions] | None, int]:
        listed = SUBSCRIPTIONS in self._columns
        if not (self._subscribing or listed):
            return None, 0
        emails, phones = _emails(columns, count), _phones(columns, count)
        skip = self._options.options.skip_invalid_subscriptions
        found: list[RowSubscriptions] = []
        left_out = 0
        for row in range(count):
            if row in bad:
                found.append({})
                continue
            given = [self._planned(item, row, texts, emails, phones) for item in self._subscribing]
            inputs = [item for item in given if item]
            problems: list[Problem] = []
            if listed:
                more, problem = _listed(texts[self._columns[SUBSCRIPTIONS][0]][row])
                inputs += more
                problems += [problem] if problem else []
            rows, wrong = self._preparation.subscriptions(inputs)
            problems += wrong
            if problems and not skip:
                refuse(row, SUBSCRIPTIONS, problems[0].code, problems[0].message)
            left_out += len(problems) if skip else 0
            found.append({(item.resource_id, item.channel, item.contact): _subscription_cells(item) for item in rows})
        return found, left_out

    @staticmethod
    def _text_of(value: str | None) -> str:
        return value or ""

    def _planned(
        self,
        wanted: Subscribing,
        row: int,
        texts: Sequence[Sequence[str]],
        emails: Sequence[str | None],
        phones: Sequence[str | None],
    ) -> SubscriptionInput | None:
        if wanted.column is not None:
            contact = texts[self._positions[wanted.column]][row].strip()
        else:
            contact = self._text_of(emails[row] if wanted.channel == EMAIL else phones[row])
        if not contact:
            return None
        cats = None if wanted.cats is None else list(wanted.cats)
        return SubscriptionInput(wanted.resource_id, wanted.channel, contact, wanted.status, wanted.priority, cats)


def _constants(database: Database, options: FileOptions, columns: Mapping[str, tuple[int, Target]]) -> dict[str, str]:
    cells = {}
    for name, text in options.constants.items():
        known = database.field(name)
        if name in columns:
            raise SojournError("field_twice", f"The field “{name}” gets a column and a value for all rows.", name)
        value, problem = parse_value(known, text, options.reading)
        if problem or value is None:
            message = problem.message if problem else "A value for all rows cannot be empty."
            raise SojournError("bad_constant", message, name)
        cells[name] = typed_cell(value, known.sql_type)
    return cells


def _emails(columns: Mapping[str, list[str]], count: int) -> list[str | None]:
    return [None if value == NULL else value for value in columns.get("email", [NULL] * count)]


def _phones(columns: Mapping[str, list[str]], count: int) -> list[str | None]:
    """The first phone of each row."""
    return [
        None if value == NULL or value == "{}" else value[1:-1].partition(",")[0].strip('"')
        for value in columns.get("phones", [NULL] * count)
    ]


def _push_key(provider: str, token: str, row: int, refuse: Refuse) -> str | None:
    provider, token = provider.strip(), token.strip()
    return f"{provider}:{token}"[:500] if provider and token else None


def _listed(text: str) -> tuple[list[SubscriptionInput], Problem | None]:
    """The subscriptions of a cell: a JSON list of objects, or one object."""
    if not text.strip():
        return [], None
    try:
        value = json.loads(text) if len(text) <= LONGEST_OBJECT else None
    except (ValueError, RecursionError):
        value = None
    items = [value] if isinstance(value, dict) else value
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return [], Problem("incorrect_subscriptions", "The subscriptions are a JSON list of objects.", SUBSCRIPTIONS)
    return [_input(item) for item in items], None


def _input(item: Mapping[str, Any]) -> SubscriptionInput:
    contact = next((item[name] for name in ("contact", "email", "phone") if item.get(name) is not None), None)
    if contact is None and item.get("provider") is not None:
        contact = f"{item['provider']}:{item.get('subscription_id', '')}"
    return SubscriptionInput(
        item.get("resource_id"), item.get("channel"), contact, item.get("status"), item.get("priority"), item.get("cats"),
        item.get("custom_fields", item.get("custom")), item.get("date", item.get("opted_in_at")), item.get("ip"), item.get("url"),
        item.get("consent"),
    )  # fmt: skip


def _subscription_cells(row: SubscriptionRow) -> str:
    values = [*map(cell, (row.resource_id, row.channel, row.contact, row.status, row.priority, row.cats))]
    return line(
        [
            *values,
            typed_cell(row.custom, "jsonb"),
            cell(row.opted_in_at),
            cell(row.ip),
            cell(row.url),
            cell(row.consent),
        ]
    ).removesuffix("\n")
