"""The page where recipients manage what they get."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sojourn.profiles import add_field, get_profile, subscription
from sojourn.profiles.categories import CategoryDraft, set_categories
from sojourn.profiles.databases import database
from sojourn.profiles.subscriptions import set_status
from tests.web.public.conftest import LANE, PROFILE, SUBSCRIPTION


@pytest.fixture
def path(site, connection, clock):
    set_status(connection, clock, LANE, SUBSCRIPTION, 0, cause=8)
    return site.path(site.links.manage_url)


def post(site, path, **form):
    return site.client.post(path, data=form)


def now(connection):
    return subscription(connection, LANE, SUBSCRIPTION)


def test_the_page_shows_the_subscription_and_own_data_with_everything_escaped(site, path):
    answer = site.client.get(path)
    assert answer.status_code == 200
    assert "Shop &lt;news&gt;" in answer.text and "<news>" not in answer.text
    assert 'value="Анна &amp; co"' in answer.text
    assert "script" not in answer.text.lower()
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert 'lang="ru"' in site.client.get(path + "?lang=ru").text
    assert "Отписаться" in site.client.get(path + "?lang=ru").text


def test_the_unsubscribe_page_leads_to_it(site, path):
    assert f'href="{path}"' in site.client.get(site.path(site.links.unsubscribe_url)).text


def test_a_token_of_another_kind_or_a_damaged_one_opens_nothing(site, path):
    other = site.path(site.links.unsubscribe_url).replace("/u/", "/m/")
    for wrong in (other, path[:-2] + "xx", "/m/x"):
        assert site.client.get(wrong).status_code == 404


def test_leaving_and_coming_back(site, path, connection, clock):
    answer = post(site, path, action="leave")
    assert answer.status_code == 303 and answer.headers["location"] == "?lang=en&done=leave"
    assert "You are unsubscribed." in site.client.get(path + answer.headers["location"]).text
    assert now(connection).status == 1
    assert connection.execute("SELECT count(*) FROM event WHERE kind = 6").fetchone() == (1,)
    assert post(site, path, action="resume").status_code == 303
    assert now(connection).status == 0


def test_a_pause_has_an_end_that_the_page_tells(site, path, connection, clock):
    assert post(site, path, action="pause", days="30").status_code == 303
    found = now(connection)
    assert (found.status, found.suspended_until) == (5, clock.now() + timedelta(days=30))
    assert "Paused until" in site.client.get(path).text
    assert post(site, path, action="pause", days="31").status_code == 400


def test_leaving_everything_goes_above_all_subscriptions(site, path, connection):
    post(site, path, action="all")
    assert now(connection).effective == 1 and now(connection).status == 0
    assert "You have left everything" in site.client.get(path).text
    post(site, path, action="resume")
    assert now(connection).effective == 0


def test_an_unconfirmed_subscription_is_not_confirmed_by_the_page(site, path, connection, clock):
    set_status(connection, clock, LANE, SUBSCRIPTION, 4, cause=8)
    assert "waits for your confirmation" in site.client.get(path).text
    post(site, path, action="resume")
    assert now(connection).status == 4


def test_a_bounced_address_cannot_be_resumed(site, path, connection, clock):
    set_status(connection, clock, LANE, SUBSCRIPTION, 3, cause=8)
    post(site, path, action="resume")
    assert now(connection).status == 3


def test_categories_are_left_one_by_one_and_hidden_ones_stay(site, path, connection, clock):
    resource_id = now(connection).resource_id
    drafts = [
        CategoryDraft("sale", "Sales", "Reduced prices"),
        CategoryDraft("new", "New things"),
        CategoryDraft("inner", "Inner", hidden=True),
    ]
    set_categories(connection, resource_id, drafts)
    page = site.client.get(path).text
    assert "Reduced prices" in page and "Inner" not in page and page.count(" checked") == 2
    post(site, path, action="save", category="sale")
    assert now(connection).cats == ["inner", "sale"]
    assert site.client.get(path).text.count(" checked") == 1
    site.client.post(path, data={"action": "save", "category": ["sale", "new"]})
    assert now(connection).cats is None


def test_own_data_are_corrected_and_misfits_told_at_their_field(site, path, connection, clock):
    answer = post(
        site, path, action="save", **{"f._fname": "Anne", "f._lname": "Smith", "f.phones": "+1 (201) 555-0100"}
    )
    assert answer.status_code == 303
    base = database(connection, 1)
    found = get_profile(connection, base, PROFILE)
    assert (found["_fname"], found["_lname"], found["phones"]) == ("Anne", "Smith", ["+12015550100"])
    wrong = post(site, path, action="save", **{"f._fname": "Ann", "f.email": "no address", "lang": "ru"})
    assert wrong.status_code == 422
    assert 'id="f.email.wrong"' in wrong.text and 'value="no address"' in wrong.text and 'role="alert"' in wrong.text
    assert get_profile(connection, base, PROFILE)["_fname"] == "Anne"
    kinds = connection.execute("SELECT cause FROM change WHERE kind = 2").fetchall()
    assert kinds == [(7,)]


def test_fields_that_are_not_open_are_left_alone(site, path, connection, clock):
    add_field(connection, clock, 1, "level", "Level", "integer")
    post(site, path, action="save", **{"f.level": "9", "f._status": "complained"})
    assert "level" not in get_profile(connection, database(connection, 1), PROFILE)


def test_own_fields_of_each_type_keep_their_values_when_nothing_is_changed(site, path, connection, clock):
    add_field(connection, clock, 1, "member", "Member", "boolean")
    add_field(connection, clock, 1, "size", "Size", "enum", options=["S", "L"])
    add_field(connection, clock, 1, "likes", "Likes", "tags")
    connection.execute("UPDATE profile_database SET manager_fields = '{_bdate,_sex,member,size,likes}'")
    form = {"f._bdate": "1990-02-28", "f._sex": "female", "f.member": "yes", "f.size": "L", "f.likes": "jazz, rock"}
    assert post(site, path, action="save", **form).status_code == 303
    found = get_profile(connection, database(connection, 1), PROFILE)
    assert (found["_bdate"].isoformat(), found["_sex"], found["member"], found["size"], found["likes"]) == (
        "1990-02-28", "female", True, "L", ["jazz", "rock"],
    )  # fmt: skip
    post(site, path, action="save", **form)
    assert connection.execute("SELECT count(*) FROM change WHERE kind = 2").fetchone() == (1,)


def test_too_many_changes_in_a_row_are_refused(site, path):
    answers = [post(site, path, action="save").status_code for _ in range(31)]
    assert answers[:30] == [303] * 30 and answers[30] == 429


def test_what_is_no_form_of_the_page_is_refused(site, path):
    assert site.client.post(path, content=b"\xff\xfe").status_code == 400
    assert post(site, path, action="delete").status_code == 400
    assert site.client.post(path, data={f"f.{n}": "x" for n in range(400)}).status_code == 400
    assert site.client.post(path, content=b"a" * 200_000).status_code == 413
