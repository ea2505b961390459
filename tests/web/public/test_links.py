"""What happens when somebody follows a link of a letter."""

from datetime import timedelta

import psycopg
import pytest

from sojourn.kernel.database import connect
from sojourn.templates import TemplateContent, save_template
from tests.web.public.conftest import HTML, LANE, PASSAGE, SUBSCRIPTION


def moments(connection):
    return connection.execute(
        "SELECT opened_at, clicked_at FROM message WHERE lane = %s AND passage_id = %s", (LANE, PASSAGE)
    ).fetchone()


def events(connection):
    return connection.execute("SELECT kind, data FROM event ORDER BY id").fetchall()


def status(connection):
    return connection.execute(
        "SELECT status FROM subscription WHERE lane = %s AND id = %s", (LANE, SUBSCRIPTION)
    ).fetchone()[0]


def test_a_click_is_recorded_and_leads_to_the_shop_with_its_parameters_untouched(site, connection, clock):
    answer = site.client.get(site.path(site.links.click_base) + "/1")
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://shop.test/?utm_source=mail&utm_campaign=a%20b"
    assert moments(connection) == (clock.now(), clock.now())
    assert events(connection) == [
        (3, {"implied": True}),
        (4, {"link": 1, "url": "https://shop.test/?utm_source=mail&utm_campaign=a%20b"}),
    ]


def test_a_link_with_data_in_its_query_is_filled_in_at_the_click(site):
    answer = site.client.get(site.path(site.links.click_base) + "/2")
    assert answer.headers["location"] == "https://shop.test/me?name=%D0%90%D0%BD%D0%BD%D0%B0+%26+co&x=1"


def test_a_link_with_data_works_when_the_profile_is_gone(site, connection):
    connection.execute("DELETE FROM profile_1")
    connection.execute("DELETE FROM identity")
    assert (
        site.client.get(site.path(site.links.click_base) + "/2").headers["location"] == "https://shop.test/me?name=&x=1"
    )


def test_a_link_keeps_its_number_when_the_template_changes(site, connection, clock):
    changed = HTML.replace("<p>", '<a href="https://first.test/">First</a><p>')
    save_template(connection, clock, "news", 1, TemplateContent(subject="Hi", html=changed))
    assert site.client.get(site.path(site.links.click_base) + "/1").headers["location"].startswith("https://shop.test/")


def test_a_destination_made_of_data_travels_signed_with_the_link(site):
    address = "https://магазин.test/Ы?a=1&b=%20#x"
    answer = site.client.get(site.path(site.links.destination(3, address)))
    assert answer.headers["location"] == "https://xn--80aairftm.test/%D0%AB?a=1&b=%20#x"


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://", "//evil.test", "https://a.test\r\nX: y", "http://[bad"]
)
def test_only_web_addresses_are_led_to(site, address):
    answer = site.client.get(site.path(site.links.destination(3, address)))
    assert answer.status_code == 404 or "\r" not in answer.headers["location"]
    assert (
        answer.status_code == 404
        or answer.headers["location"] == "https://a.test%0D%0AX:%20y"
        or "a.test" in answer.headers["location"]
    )


@pytest.mark.parametrize(
    "path",
    [
        "/c/nonsense/1",
        "/c/{click}/9",
        "/c/{click}/0",
        "/c/{click}/99999999999999",
        "/c/{click}/3/AAAA",
        "/c/{open}/1",
        "/u/{click}",
        "/s/{click}",
        "/v/{click}",
        "/u/ы",
    ],
)
def test_an_unknown_link_gets_a_friendly_page(site, connection, path):
    click = site.links.click_base.rpartition("/")[2]
    opening = site.links.open_url.rpartition("/")[2].removesuffix(".gif")
    answer = site.client.get(path.format(click=click, open=opening))
    assert answer.status_code == 404 and "This link leads nowhere" in answer.text
    assert events(connection) == []


def test_an_opening_is_recorded_by_the_picture(site, connection, clock):
    answer = site.client.get(site.path(site.links.open_url))
    assert (
        answer.status_code == 200
        and answer.headers["content-type"] == "image/gif"
        and answer.content.startswith(b"GIF89a")
    )
    assert "no-store" in answer.headers["cache-control"]
    assert moments(connection) == (clock.now(), None) and events(connection) == [(3, None)]


def test_a_picture_that_is_not_ours_is_a_picture_all_the_same(site, connection):
    assert site.client.get("/o/nonsense.gif").status_code == 200
    assert events(connection) == []


def test_head_requests_record_nothing(site, connection):
    assert site.client.head(site.path(site.links.click_base) + "/1").status_code == 302
    for url in (site.links.open_url, site.links.web_version_url, site.links.unsubscribe_url):
        assert site.client.head(site.path(url)).status_code == 200
    assert events(connection) == [] and moments(connection) == (None, None) and status(connection) == 4


def test_what_somebody_does_who_wants_no_tracking_is_not_noted_but_leads_on(site, connection, clock):
    connection.execute(
        "INSERT INTO scenario (id, created_at, updated_at, name, database_id, draft) OVERRIDING SYSTEM VALUE VALUES (3, now(), now(), 'S', 1, '{}')"
    )
    connection.execute("UPDATE profile_1 SET no_tracking = true")
    assert site.client.get(site.path(site.links.click_base) + "/1").status_code == 302
    assert site.client.get(site.path(site.links.open_url)).status_code == 200
    assert events(connection) == [] and moments(connection) == (None, None)
    site.client.post(site.path(site.links.unsubscribe_url))
    assert events(connection) == [(6, None)]


def test_looking_at_the_page_does_not_unsubscribe_but_its_button_does(site, connection):
    path = site.path(site.links.unsubscribe_url)
    page = site.client.get(path)
    assert page.status_code == 200 and "Shop &lt;news&gt;" in page.text and '<form method="post">' in page.text
    assert status(connection) == 4
    done = site.client.post(path)
    assert done.status_code == 200 and "You are unsubscribed" in done.text
    assert status(connection) == 1 and events(connection) == [(6, None)]
    assert site.client.post(path).status_code == 200
    assert events(connection) == [(6, None)]


def test_one_click_unsubscribing_of_mail_programs_works(site, connection):
    answer = site.client.post(site.path(site.links.unsubscribe_url), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200 and status(connection) == 1


def test_the_button_confirms_and_a_repeat_changes_nothing(site, connection):
    path = site.path(site.links.opt_in_url)
    assert "Confirm your subscription" in site.client.get(path).text
    assert status(connection) == 4
    assert "Your subscription is confirmed" in site.client.post(path).text
    assert status(connection) == 0
    assert connection.execute("SELECT confirm_ip FROM subscription").fetchone()[0] == "testclient"
    assert site.client.post(path).status_code == 200
    assert events(connection) == [(5, None)]


def test_who_has_left_cannot_be_signed_up_by_the_old_link(site, connection):
    site.client.post(site.path(site.links.unsubscribe_url))
    answer = site.client.post(site.path(site.links.opt_in_url))
    assert answer.status_code == 409 and status(connection) == 1


def test_the_link_to_confirm_expires(site, connection, clock):
    clock.advance(timedelta(days=31))
    for answer in (
        site.client.get(site.path(site.links.opt_in_url)),
        site.client.post(site.path(site.links.opt_in_url)),
    ):
        assert answer.status_code == 410 and "expired" in answer.text
    assert status(connection) == 4


def test_the_letter_is_shown_as_a_page(site, connection, clock):
    connection.execute(
        'INSERT INTO resting (passage_id, profile_id, entered_at, scenario_id, version_id, node_id, hop, lane, context) SELECT %s, profile_id, now(), 3, 1, 4, 3, lane, \'{"order": "N 5"}\' FROM message',
        (PASSAGE,),
    )
    answer = site.client.get(site.path(site.links.web_version_url))
    assert answer.status_code == 200 and "Анна &amp; co, anna@example.test" in answer.text and "N 5" in answer.text
    assert site.links.click_base + "/1" in answer.text
    assert (
        "sandbox" in answer.headers["content-security-policy"]
        and "script-src" not in answer.headers["content-security-policy"]
    )
    assert [kind for kind, _ in events(connection)] == [3, 11] and moments(connection)[0] == clock.now()


def test_pages_speak_the_readers_language_and_load_nothing(site):
    page = site.client.get(site.path(site.links.unsubscribe_url), headers={"accept-language": "de, ru;q=0.9, en;q=0.5"})
    assert "Отписаться от «Shop &lt;news&gt;»?" in page.text and 'lang="ru"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "src=" not in page.text and "http" not in page.text
    assert (
        'lang="en"'
        in site.client.get(site.path(site.links.unsubscribe_url), headers={"accept-language": "en;q=x, , ru;q=0"}).text
    )


def test_a_large_body_is_refused(site, connection):
    assert site.client.post(site.path(site.links.unsubscribe_url), content=b"x" * 100_000).status_code == 413
    assert status(connection) == 4


def test_the_engine_is_woken(site, database_url):
    with connect(database_url, "test") as listener:
        listener.execute("LISTEN sojourn_engine")
        site.client.get(site.path(site.links.click_base) + "/1")
        site.client.post(site.path(site.links.opt_in_url))
        assert len(list(listener.notifies(timeout=2, stop_after=2))) == 2


def test_while_the_database_is_away_the_reader_gets_a_page_and_a_signed_link_still_works(site, monkeypatch):
    def away(*args, **options):
        raise psycopg.OperationalError("the server is away")

    monkeypatch.setattr("sojourn.web.public.routes.link_of", away)
    answer = site.client.get(site.path(site.links.click_base) + "/1")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "60"
    assert site.client.get(site.path(site.links.destination(3, "https://x.test/"))).status_code == 302
