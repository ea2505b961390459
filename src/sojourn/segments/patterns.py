"""Patterns that users may write: a part of regular expressions that means the same everywhere, and cannot keep the database busy.

Plain signs, `.`, classes such as `[a-z]`, `\\d \\w \\s` and their opposites, groups, `|`, `^`, `$`, and repetition up to 100 times. No references back, no
looking around, no options: with those PostgreSQL would search by trying, which can take for ever; without them it reads each text once.
"""

from __future__ import annotations

import re

LONGEST, MOST_ATOMS, MOST_REPEATS = 200, 2_000, 100
_REPEAT = re.compile(r"\{(\d{1,4})(,(\d{0,4}))?\}")
_SPECIAL = frozenset(".[]{}()*+?^$|\\")
_CLASSES, _CLASSES_INSIDE = frozenset("dDwWsS"), frozenset("dws")


class BadPattern(ValueError):
    """What is wrong with a pattern, as a sentence."""


def check_pattern(pattern: str) -> None:
    """Look whether a pattern is one.

    Raises:
        BadPattern: it is none.
    """
    if len(pattern) > LONGEST:
        raise BadPattern(f"A pattern has at most {LONGEST} signs.")
    reader = _Reader(pattern)
    atoms = reader.choice()
    if not reader.done:
        raise BadPattern("A “)” has no “(” before it.")
    if atoms > MOST_ATOMS:
        raise BadPattern("The pattern repeats too much.")


class _Reader:
    """Reads a pattern once from left to right; each part tells how many atoms it unfolds to."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at == len(self._text)

    @property
    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        if self.done:
            raise BadPattern("The pattern ends too early.")
        self._at += 1
        return self._text[self._at - 1]

    def choice(self) -> int:
        atoms = self._sequence()
        while self._next == "|":
            self._take()
            atoms += self._sequence()
        return atoms

    def _sequence(self) -> int:
        atoms = 0
        while self._next not in ("", "|", ")"):
            atoms += self._piece()
        if not atoms:
            raise BadPattern("A part of the pattern is empty, so everything would match.")
        return atoms

    def _piece(self) -> int:
        sign = self._take()
        if sign in "^$":
            return 1
        return self._atom(sign) * self._repeats()

    def _atom(self, sign: str) -> int:
        if sign == "(":
            atoms = self.choice()
            if self._next != ")":
                raise BadPattern("A “(” has no “)” behind it.")
            self._take()
            return atoms
        if sign == "[":
            self._class()
        elif sign == "\\":
            self._escape(_CLASSES)
        elif sign in _SPECIAL and sign != ".":
            raise BadPattern(f"“{sign}” stands where it means nothing; write “\\{sign}” for the sign itself.")
        return 1

    def _escape(self, classes: frozenset[str]) -> bool:
        """Read what follows a “\\”; whether it is a class of signs."""
        sign = self._take()
        if sign.isalnum() and sign not in classes:
            raise BadPattern(f"“\\{sign}” is not offered.")
        return sign.isalnum()

    def _class(self) -> None:
        if self._next == "^":
            self._take()
        if self._next == "]":
            raise BadPattern("A class of signs is empty; write “\\]” for the sign itself.")
        while self._next != "]":
            low = self._class_sign()
            if self._next == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._take()
                high = self._class_sign()
                if low is None or high is None or low > high:
                    raise BadPattern("A range in a class goes from a lower sign to a higher one.")
        self._take()

    def _class_sign(self) -> str | None:
        """One sign of a class, None for a class inside of it."""
        if self.done:
            raise BadPattern("A “[” has no “]” behind it.")
        sign = self._take()
        if sign == "[":
            raise BadPattern("Write “\\[” for the sign itself.")
        if sign == "\\":
            return None if self._escape(_CLASSES_INSIDE) else self._text[self._at - 1]
        return sign

    def _repeats(self) -> int:
        """How often the atom before may have to be repeated."""
        sign = self._next
        if sign in ("*", "+", "?"):
            self._take()
            self._once()
            return 2 if sign == "+" else 1
        if sign != "{":
            return 1
        found = _REPEAT.match(self._text, self._at)
        if found is None:
            raise BadPattern("“{” counts, as in {3} or {2,5}; write “\\{” for the sign itself.")
        low = int(found[1])
        high = low if found[2] is None else int(found[3]) if found[3] else max(low, 1)
        if not low <= high <= MOST_REPEATS or not high:
            raise BadPattern(f"A repetition goes from a lower number to a higher one, {MOST_REPEATS} at most.")
        self._at = found.end()
        self._once()
        return high

    def _once(self) -> None:
        if self._next in ("*", "+", "?", "{") and self._next:
            raise BadPattern("A repetition of a repetition means nothing; put the first into “( )”.")
