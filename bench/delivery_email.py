"""`delivery.email`: letters a second over the full path: claim with all checks, load, render a 25 kB letter, track its links, build it,
hand it over to a local mail server (bench/smtp_sink.py), and record ledger, event and counters. Unsigned; the database is durable.

The planned messages lie in the ledger; the clock runs from the moment the dispatch lists appear until the last result is recorded.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from bench.throwaway import throwaway_database
from sojourn.delivery.worker import run_worker
from sojourn.kernel import Settings, SystemClock, VirtualClock
from sojourn.kernel.database import connect, ensure_partitions
from sojourn.profiles import add_field, create_database, create_resource
from sojourn.templates import TemplateContent, save_template

FIGURES = ("delivery.email",)

T0 = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
_STYLE = "margin:0;padding:14px 22px;font-family:'Helvetica Neue',Helvetica,Arial,sans-serif;font-size:15px;line-height:1.55;color:#23272f;text-align:left"
_TEXT = {
    "en": "New arrivals have come in this week, and we have put aside what fits your last orders. Everything can be returned within thirty days.",
    "ru": "На этой неделе пришли новинки, и мы отложили то, что подходит к вашим последним заказам. Всё можно вернуть в течение тридцати дней.",
}


def letter() -> TemplateContent:
    """About 25 kB when rendered: 25 variables, 4 conditions, a loop over five products, some 30 links."""
    blocks = []
    for number in range(20):
        text = _TEXT["ru" if number % 2 else "en"]
        field = ("_fname", "_lname", "_city", "points", "level")[number % 5]
        blocks.append(
            f'<tr><td style="{_STYLE}"><h2 style="font-size:20px;margin:0 0 8px">{{{{ profile.{field} }}}}, part {number}</h2>{text}'
            f' <a href="https://shop.example.com/catalogue/{number}?from=letter" style="color:#1f5fd6;text-decoration:none;font-weight:600">More</a></td></tr>'
        )
    blocks.insert(
        5,
        f"""{{% if profile.points > 100 %}}<tr><td style="{_STYLE}">You have {{{{ profile.points }}}} points.</td></tr>{{% else %}}<tr><td style="{_STYLE}">Collect points!</td></tr>{{% endif %}}
{{% if profile._city == 'City7' %}}<tr><td style="{_STYLE}">See you in {{{{ profile._city }}}}.</td></tr>{{% endif %}}{{% if profile.level %}}<tr><td style="{_STYLE}">Level {{{{ profile.level }}}}</td></tr>{{% endif %}}""",
    )
    blocks.insert(
        10,
        f"""{{% for product in profile.cart %}}<tr><td style="{_STYLE}"><a href="https://shop.example.com/p/{{{{ product.sku }}}}"><img src="https://shop.example.com/i/{{{{ product.sku }}}}.jpg" width="180" height="180" alt="{{{{ product.title }}}}"></a>
<b>{{{{ product.title }}}}</b> {{% if product.old %}}<s>{{{{ product.old }}}}</s> {{% endif %}}{{{{ product.price }}}} €</td></tr>{{% endfor %}}""",
    )
    return TemplateContent(
        subject="{{ profile._fname }}, скидки до 70 % для {{ profile._city }} — {{ profile.points }} points",
        html='<!doctype html><html><head><meta charset="utf-8"><title>News</title></head><body style="margin:0;background:#f4f5f7"><table role="presentation" width="600">'
        + "\n".join(blocks)
        + f'<tr><td style="{_STYLE}"><a href="{{{{ web_version_url }}}}">In the browser</a> <a href="{{{{ unsubscribe_url }}}}">Unsubscribe</a></td></tr></table></body></html>',
    )


def _seed(connection: psycopg.Connection[Any], messages: int) -> None:
    clock = VirtualClock(T0)
    ensure_partitions(connection, T0)
    base = create_database(connection, clock, "Customers")
    points = add_field(connection, clock, base.id, "points", "Points", "integer")
    level = add_field(connection, clock, base.id, "level", "Level", "line")
    cart = add_field(connection, clock, base.id, "cart", "Cart", "objects")
    resource = create_resource(
        connection, clock, "Newsletter", channels=[1], from_name="Магазин", from_email="news@shop.example.com"
    )
    template, _ = save_template(connection, clock, "News", 1, letter())
    products = [
        {"sku": f"sku-{n}", "title": f"Product № {n}", "price": 10 + n, "old": 20 if n % 2 else None} for n in range(5)
    ]
    connection.execute(
        f"""INSERT INTO {base.table} (id, lane, created_at, updated_at, email, fname, lname, city, {points.column}, {level.column}, {cart.column})
            SELECT g, g & 63, %s, %s, 'person' || g || '@example' || g %% 50 || '.org', 'Имя' || g %% 900, 'Last' || g %% 9000, 'City' || g %% 300, g %% 500,
              CASE WHEN g %% 3 = 0 THEN 'gold' END, %s FROM generate_series(1, %s) g""",
        (T0, T0, json.dumps(products), messages),
    )
    connection.execute(
        """INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact)
           SELECT g, %s, %s, g & 63, 1, 0, 0, 'person' || g || '@example' || g %% 50 || '.org' FROM generate_series(1, %s) g""",
        (T0, resource.id, messages),
    )
    connection.execute(
        """INSERT INTO message (passage_id, profile_id, subscription_id, created_at, scenario_id, template_id, node_id, hop, resource_id, lane, channel, state)
           SELECT profile_id, profile_id, id, %s, 1, %s, 4, 2, resource_id, lane, 1, 0 FROM subscription""",
        (T0, template),
    )
    for table in (base.table, "subscription", "message"):
        connection.execute(f"VACUUM ANALYZE {table}")


_DISPATCH = """
INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, passage_ids, hops)
SELECT %s, %s, 1, 4, template_id, lane, 1, array_agg(passage_id), array_agg(hop)
  FROM (SELECT m.*, row_number() OVER (PARTITION BY lane ORDER BY passage_id) / 1000 AS part FROM message m) q GROUP BY template_id, lane, part
"""
_LEFT = "SELECT (SELECT count(*) FROM dispatch) + (SELECT count(*) FROM dispatch_claim)"


def _work(settings: Settings, stop: Any) -> None:
    done = threading.Event()
    threading.Thread(target=lambda: (stop.wait(), done.set()), daemon=True).start()
    started = time.process_time()
    run_worker(settings, SystemClock(), done)
    print(f"worker CPU {time.process_time() - started:.2f} s", file=sys.stderr)


def run(messages: int, workers: int) -> dict[str, Any]:
    """One run; tells the rate and what the mail server saw."""
    home = Path(tempfile.mkdtemp(prefix="sojourn-bench-"))
    sink = subprocess.Popen([sys.executable, "-m", "bench.smtp_sink"], stdout=subprocess.PIPE, text=True)
    assert sink.stdout
    port = int(sink.stdout.readline())
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    processes: list[Any] = []
    try:
        with throwaway_database() as url, connect(url, "bench") as connection:
            _seed(connection, messages)
            settings = Settings(home=home, database_url=url, smtp_url=f"smtp://127.0.0.1:{port}?starttls=never")
            processes = [context.Process(target=_work, args=(settings, stop)) for _ in range(workers)]
            for process in processes:
                process.start()
            _until(connection, "SELECT count(*) FROM hand_over_worker", workers)
            time.sleep(1.5)  # they settle into their sleep
            now = datetime.now(UTC)
            started = time.perf_counter()
            connection.execute(_DISPATCH, (now, now))
            connection.execute("SELECT pg_notify('sojourn_worker', '')")
            _until(connection, _LEFT, 0)
            seconds = time.perf_counter() - started
            stop.set()
            for process in processes:
                process.join(30)
            accepted, events = (
                connection.execute(f"SELECT count(*) FROM {source}").fetchone()
                for source in ("message WHERE state = 2", "event WHERE kind = 1")
            )
        with smtplib.SMTP("127.0.0.1", port) as client:
            seen, different, size = map(int, client.docmd("XCOUNT")[1].split())
        assert accepted == events == (messages,) and seen == different == messages, (accepted, events, seen, different)
        return {"rate": messages / seconds, "seconds": seconds, "bytes": size // messages}
    finally:
        for process in processes:
            if process.is_alive():
                process.kill()
        sink.kill()
        sink.wait()
        shutil.rmtree(home, ignore_errors=True)


def _until(connection: psycopg.Connection[Any], statement: str, wanted: int, patience: float = 300.0) -> None:
    deadline = time.monotonic() + patience
    while (row := connection.execute(statement).fetchone()) and row[0] != wanted:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{statement}: {row[0]} instead of {wanted}")
        time.sleep(0.02)


def measure(messages: int = 20_000) -> list[dict[str, Any]]:
    """The figure, with two worker processes."""
    found = run(messages, 2)
    settings = {
        "messages": messages,
        "workers": 2,
        "connections": 2,
        "fsync": True,
        "bytes_on_the_wire": found["bytes"],
        "seconds": round(found["seconds"], 2),
    }
    return [{"name": "delivery.email", "value": round(found["rate"]), "unit": "messages/s", "settings": settings}]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.messages, arguments.workers)), flush=True)
