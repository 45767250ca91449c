"""Tables that the example never saw, each with a signal to learn: `MAKERS[name](path, rows, seed)` writes a file.

The same arguments give the same bytes. `TARGETS` names the target of each.
"""

import csv
import io
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import exp
from pathlib import Path
from typing import Any

Make = Callable[[Path, int, int], Path]


def wide(path: Path, rows: int = 2000, seed: int = 1) -> Path:
    """300 numeric columns, of which ten matter; binary target `faulty`; no id."""
    chance = random.Random(seed)
    header = [f"s_{i:03}" for i in range(1, 301)] + ["faulty"]
    lines = []
    for _ in range(rows):
        values = [chance.gauss(0, 1) for _ in range(300)]
        score = sum(values[:5]) - sum(values[5:10])
        lines.append([*[f"{value:.4f}" for value in values], int(chance.random() < _logistic(1.2 * score))])
    return _csv(path, header, lines)


def words_and_times(path: Path, rows: int = 2000, seed: int = 2) -> Path:
    """Text, datetimes, a boolean, missing values and an id; binary target `escalated` (yes or no)."""
    chance = random.Random(seed)
    header = ["ticket_id", "opened_at", "due_on", "subject", "channel", "vip", "waiting_minutes", "escalated"]
    start = datetime(2024, 1, 1, tzinfo=UTC)
    subjects = ["cannot log in", "invoice is wrong", "parcel did not arrive", "refund please", "app crashes on start"]
    lines = []
    for number in range(rows):
        opened = start + timedelta(minutes=37 * number + chance.randrange(30))
        channel, vip = chance.choice(["mail", "phone", "chat"]), chance.random() < 0.2
        waiting = chance.expovariate(1 / 60)
        score = -2.5 + waiting / 40 + 1.5 * vip + (channel == "phone") + (opened.weekday() >= 5)
        lines.append(
            [
                f"T-{number:06}",
                opened.strftime("%Y-%m-%dT%H:%M:%SZ"),
                (opened + timedelta(days=chance.randrange(1, 10))).strftime("%Y-%m-%d"),
                f"{chance.choice(subjects)}, order {chance.randrange(10**6)}",
                channel,
                "true" if vip else "false",
                "" if chance.random() < 0.05 else f"{waiting:.1f}",
                "yes" if chance.random() < _logistic(score) else "no",
            ]
        )
    return _csv(path, header, lines)


def rare(path: Path, rows: int = 8000, seed: int = 3) -> Path:
    """About 1 % positives; binary target `fraud` (1 or 0)."""
    chance = random.Random(seed)
    header = ["transaction", "amount", "country", "merchant", "hour", "fraud"]
    countries, merchants = ["DE", "FR", "GB", "US", "NG"], ["food", "travel", "games", "tools"]
    lines = []
    for number in range(rows):
        fraud = chance.random() < 0.01
        amount = chance.lognormvariate(5.5 if fraud else 3.5, 0.8)
        country = chance.choices(countries, [1, 1, 1, 1, 4] if fraud else [4, 4, 4, 4, 1])[0]
        hour = chance.choice([0, 1, 2, 3, 4, 22, 23]) if fraud and chance.random() < 0.8 else chance.randrange(24)
        merchant = chance.choice(merchants)
        lines.append([f"{seed:02x}{number:08x}", f"{amount:.2f}", country, merchant, hour, int(fraud)])
    return _csv(path, header, lines)


def grouped(path: Path, rows: int = 3000, seed: int = 4) -> Path:
    """Several visits per patient, whose rows resemble each other; binary target `readmitted`."""
    chance = random.Random(seed)
    header = ["patient", "visit", "age", "ward", "pulse", "pressure", "readmitted"]
    lines: list[Sequence[Any]] = []
    patient = 0
    while len(lines) < rows:
        patient += 1
        age, ward = chance.randrange(18, 95), chance.choice(["A", "B", "C"])
        frail = chance.gauss(0, 1) + (age - 60) / 20
        for visit in range(1, chance.randrange(2, 10)):
            pulse, pressure = 70 + 8 * frail + chance.gauss(0, 6), 120 + 6 * frail + chance.gauss(0, 10)
            label = chance.random() < _logistic(frail + (ward == "C") - 0.5)
            facts = [f"P{patient:05}", visit, age, ward, f"{pulse:.0f}", f"{pressure:.0f}"]
            lines.append([*facts, "true" if label else "false"])
    return _csv(path, header, lines[:rows])


def semicolons(path: Path, rows: int = 2000, seed: int = 5) -> Path:
    """Separated by `;`, with a byte order mark, quoted text and umlauts; binary target `gekündigt` (ja or nein)."""
    chance = random.Random(seed)
    header = ["kunde_nr", "tarif", "laufzeit_monate", "umsatz", "ort", "gekündigt"]
    lines = []
    for number in range(rows):
        months, revenue = chance.randrange(1, 72), chance.gauss(60, 20)
        tariff = chance.choice(["Klein", "Groß", "Groß; mit Gerät"])
        score = 1.2 - months / 18 + (tariff == "Klein") - (revenue - 60) / 40
        town = chance.choice(["Köln", "München", "Zürich", "Bonn"])
        left = "ja" if chance.random() < _logistic(score) else "nein"
        lines.append([100000 + number, tariff, months, f"{revenue:.2f}", town, left])
    return _csv(path, header, lines, delimiter=";", encoding="utf-8-sig")


def classes(path: Path, rows: int = 3000, seed: int = 6) -> Path:
    """Multi-class target `species` with four values of different frequency."""
    chance = random.Random(seed)
    header = ["length", "width", "colour", "depth", "species"]
    kinds = {"perch": (20, 6, 5), "pike": (60, 9, 2), "roach": (18, 5, 4), "eel": (70, 4, 1)}
    lines = []
    for _ in range(rows):
        name = chance.choices(list(kinds), [5, 2, 6, 1])[0]
        length, width, depth = kinds[name]
        size = chance.gauss(1, 0.15)
        colour = chance.choices(["green", "silver", "brown"], [3, 1, 1] if name in ("pike", "perch") else [1, 3, 1])[0]
        numbers = [f"{length * size:.1f}", f"{width * size * chance.gauss(1, 0.1):.2f}"]
        lines.append([*numbers, colour, f"{depth * chance.gauss(1, 0.2):.2f}", name])
    return _csv(path, header, lines)


def amounts(path: Path, rows: int = 2500, seed: int = 7) -> Path:
    """Regression target `price`."""
    chance = random.Random(seed)
    header = ["area", "rooms", "built", "district", "garden", "price"]
    lines = []
    for _ in range(rows):
        area, built = chance.uniform(25, 220), chance.randrange(1890, 2024)
        district, garden = chance.choice(["north", "south", "east", "west", "centre"]), chance.random() < 0.4
        price = 2200 * area * (1.5 if district == "centre" else 1) * (1 + (built - 1950) / 400) + 30000 * garden
        rooms = max(1, round(area / 28 + chance.gauss(0, 0.6)))
        yard = "true" if garden else "false"
        lines.append([f"{area:.1f}", rooms, built, district, yard, f"{price * chance.gauss(1, 0.08):.2f}"])
    return _csv(path, header, lines)


MAKERS: dict[str, Make] = {
    "wide": wide,
    "tickets": words_and_times,
    "fraud": rare,
    "visits": grouped,
    "contracts": semicolons,
    "fish": classes,
    "houses": amounts,
}
TARGETS = {
    "wide": "faulty",
    "tickets": "escalated",
    "fraud": "fraud",
    "visits": "readmitted",
    "contracts": "gekündigt",
    "fish": "species",
    "houses": "price",
}


def _csv(
    path: Path, header: list[str], lines: Iterable[Sequence[Any]], *, delimiter: str = ",", encoding: str = "utf-8"
) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def _logistic(score: float) -> float:
    return 1 / (1 + exp(-score))
