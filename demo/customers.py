"""The customers of the demo: real purchases of the CDNOW records (MIT, see data/), invented people around them.

Addresses are at example.com (RFC 2606) and phones end in 555-0100 to 555-0199, which no telephone company gives out, so nobody can be reached.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

RECORDS = Path(__file__).parent / "data" / "cdnow_master.txt"
TASTES = ("rock", "pop", "jazz", "classical", "soul", "electronic", "folk")
COLUMNS = (
    "email", "phone", "first_name", "last_name", "registration_date", "city", "purchases", "total_spent", "last_purchase", "favourite",
)  # fmt: skip
"""The heading of the CSV file; each is guessed by the import or has the name of a field."""

_FIRST_NAMES = (
    "Ada", "Amir", "Anna", "Ben", "Bruno", "Carla", "Chen", "Clara", "Daniel", "Dina", "Elena", "Emil", "Eva", "Farid", "Finn", "Grace", "Hana", "Hugo",
    "Ida", "Igor", "Ines", "Jana", "Jonas", "Jun", "Kai", "Kira", "Lara", "Leo", "Lina", "Luis", "Maja", "Marek", "Mia", "Mina", "Nadia", "Nils", "Nora",
    "Olga", "Omar", "Oscar", "Paula", "Pavel", "Petra", "Rafael", "Rosa", "Sam", "Sara", "Selma", "Simon", "Sofia", "Tariq", "Thea", "Tom", "Vera", "Yara", "Zoe",
)  # fmt: skip
_LAST_NAMES = (
    "Abbott", "Almeida", "Andersen", "Baker", "Bauer", "Berg", "Bianchi", "Castro", "Cohen", "Costa", "Dahl", "Dubois", "Eriksen", "Farkas", "Fischer",
    "Fontaine", "Garcia", "Haas", "Hansen", "Horvat", "Ivanova", "Jansen", "Kaya", "Keller", "Klein", "Kovacs", "Larsen", "Lehmann", "Lindgren", "Lopez",
    "Marino", "Meyer", "Moreau", "Nakamura", "Novak", "Okafor", "Olsen", "Park", "Petrov", "Popescu", "Quinn", "Ramos", "Rossi", "Santos", "Schmidt",
    "Silva", "Singh", "Sokolova", "Sorensen", "Tanaka", "Torres", "Vargas", "Virtanen", "Weber", "Wood", "Yilmaz", "Zhang",
)  # fmt: skip
_CITIES = (
    "Aurora",
    "Bristol",
    "Chester",
    "Dover",
    "Fairview",
    "Georgetown",
    "Lexington",
    "Milton",
    "Newport",
    "Oxford",
    "Salem",
    "Springfield",
)
_AREA_CODES = [code for code in range(201, 990) if code % 100 != 11 and code // 10 % 10 != 9]
_FICTIONAL = 100
"""Numbers of each area code that are kept for fiction: 555-0100 to 555-0199."""


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer as the shop knows them."""

    email: str
    phone: str
    first_name: str
    last_name: str
    registration_date: date
    city: str
    purchases: int
    total_spent: float
    last_purchase: date
    favourite: str

    def fields(self) -> dict[str, Any]:
        """The profile in the words of the HTTP API."""
        return {
            "email": self.email, "phones": [self.phone], "_fname": self.first_name, "_lname": self.last_name, "_city": self.city,
            "_regdate": self.registration_date.isoformat(), "purchases": self.purchases, "total_spent": self.total_spent,
            "last_purchase": self.last_purchase.isoformat(), "favourite": self.favourite,
        }  # fmt: skip


def customers(records: Path = RECORDS) -> list[Customer]:
    """All customers in the order of their first purchase, which is when they registered. The same at every call."""
    found = [_customer(number, purchases) for number, purchases in _purchases(records).items()]
    return sorted(found, key=lambda customer: (customer.registration_date, customer.email))


def _purchases(records: Path) -> dict[int, list[tuple[date, float]]]:
    found: dict[int, list[tuple[date, float]]] = {}
    with records.open(encoding="ascii") as file:
        next(file)
        for line in file:
            number, day, _, value = line.split()
            found.setdefault(int(number), []).append((date.fromisoformat(day), float(value)))
    return found


def _customer(number: int, purchases: list[tuple[date, float]]) -> Customer:
    chance = Random(number)
    days = [day for day, _ in purchases]
    area, line = _AREA_CODES[(number - 1) // _FICTIONAL], (number - 1) % _FICTIONAL
    return Customer(
        email=f"customer{number:05d}@example.com",
        phone=f"+1{area}55501{line:02d}",
        first_name=chance.choice(_FIRST_NAMES),
        last_name=chance.choice(_LAST_NAMES),
        registration_date=min(days),
        city=chance.choice(_CITIES),
        purchases=len(purchases),
        total_spent=round(sum(value for _, value in purchases), 2),
        last_purchase=max(days),
        favourite=chance.choice(TASTES),
    )


def write_csv(people: Iterable[Customer], path: Path) -> None:
    """The customers as a CSV file with a heading line, such as a shop would export."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(asdict(person) for person in people)


def promo_codes(count: int) -> Iterator[str]:
    """Different codes that are easy to read aloud: no 0, 1, I, O. The same at every call."""
    chance, given = Random("promo codes"), set[str]()
    while len(given) < count:
        code = "HELLO-" + "".join(chance.choices("23456789ABCDEFGHJKLMNPQRSTUVWXYZ", k=8))
        if code not in given:
            given.add(code)
            yield code
