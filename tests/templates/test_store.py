"""Saving templates, and what is refused."""

import pytest

from sojourn.kernel import SojournError
from sojourn.kernel.errors import Conflict, NotFound
from sojourn.templates import TemplateContent, find, get, list_templates, load, save_template

BODY = '<p>Hi {{ profile.first_name }}</p><a href="https://shop.test/">Shop</a><a href="{{ unsubscribe_url }}">Stop</a>'
LETTER = TemplateContent(subject="News", html=BODY)


def problems(error: pytest.ExceptionInfo[SojournError]) -> dict[str | None, str]:
    return {problem.place: problem.code for problem in error.value.problems}


def test_a_new_version_is_made_only_when_the_content_differs(connection, clock):
    template_id, version = save_template(connection, clock, "news", 1, LETTER)
    assert version == 1
    assert save_template(connection, clock, "news", 1, LETTER) == (template_id, 1)
    changed = TemplateContent(subject="Other news", html=BODY)
    assert save_template(connection, clock, "news", 1, changed) == (template_id, 2)
    assert get(connection, template_id).content == changed
    assert get(connection, template_id, 1).content == LETTER
    assert find(connection, "news") == template_id


def test_the_links_of_a_version_stand_in_the_database(connection, clock):
    template_id, _ = save_template(connection, clock, "news", 1, LETTER)
    links = connection.execute("SELECT links FROM template_version WHERE template_id = %s", (template_id,)).fetchone()[
        0
    ]
    assert links == [{"number": 1, "address": "https://shop.test/", "kind": "static"}]


def test_a_mistake_in_liquid_has_its_line_and_column(connection, clock):
    with pytest.raises(SojournError) as error:
        save_template(connection, clock, "news", 1, TemplateContent(subject="x", html="<p>\n  {% iff a %}</p>"))
    assert problems(error) == {"html:2:6": "liquid"}


def test_an_unknown_filter_has_its_line_and_column(connection, clock):
    with pytest.raises(SojournError) as error:
        save_template(connection, clock, "news", 1, TemplateContent(subject="{{ a | shout }}", html=BODY))
    assert problems(error) == {"subject:1:8": "liquid"}


def test_files_cannot_be_included(connection, clock):
    with pytest.raises(SojournError) as error:
        save_template(connection, clock, "news", 1, TemplateContent(subject="x", html="{% include 'secret' %}"))
    assert problems(error) == {"html:1:4": "liquid"}


def test_a_letter_without_a_way_to_unsubscribe_is_refused(connection, clock):
    with pytest.raises(SojournError) as error:
        save_template(connection, clock, "news", 1, TemplateContent(subject="x", html="<p>hi</p>", text="hi"))
    assert problems(error) == {"html": "unsubscribe_url", "text": "unsubscribe_url"}


def test_a_confirmation_letter_needs_the_link_that_confirms(connection, clock):
    with pytest.raises(SojournError) as error:
        save_template(
            connection, clock, "welcome", 1, TemplateContent(subject="x", html="<p>hi</p>"), confirmation=True
        )
    assert problems(error) == {"html": "opt_in_url"}
    content = TemplateContent(subject="x", html='<a href="{{ opt_in_url }}">Yes</a>')
    template_id, _ = save_template(connection, clock, "welcome", 1, content, confirmation=True)
    assert load(connection, template_id).confirmation


def test_broken_mjml_is_refused_with_a_place(connection, clock):
    with pytest.raises(SojournError) as error:
        save_template(
            connection,
            clock,
            "news",
            1,
            TemplateContent(subject="x", mjml="<mjml><mj-body><mj-section></mj-body></mjml>"),
        )
    (problem,) = error.value.problems
    assert problem.code == "mjml" and problem.place.startswith("mjml")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (TemplateContent(html=BODY), "subject"),
        (TemplateContent(subject="x"), "html"),
        (TemplateContent(subject="x", html=BODY, mjml="<mjml/>"), "mjml"),
        (TemplateContent(subject="a\nBcc: b@c.test", html=BODY), "subject"),
        (TemplateContent(subject="x", html=BODY, from_email="nobody"), "from_email"),
        (TemplateContent(subject="x", html=BODY + "x" * 400_000), "html"),
    ],
)
def test_what_cannot_be_sent_is_refused(connection, clock, content, place):
    with pytest.raises(SojournError) as error:
        save_template(connection, clock, "news", 1, content)
    assert place in problems(error)
    assert connection.execute("SELECT count(*) FROM template").fetchone() == (0,)


def test_a_text_message_has_only_a_text(connection, clock):
    template_id, _ = save_template(connection, clock, "code", 2, TemplateContent(text="Your code: {{ promo.code }}"))
    compiled = load(connection, template_id)
    assert compiled.uses_promo and compiled.links == ()
    with pytest.raises(SojournError):
        save_template(connection, clock, "code2", 2, TemplateContent(text="a", html="b"))
    with pytest.raises(Conflict):
        save_template(connection, clock, "code", 1, LETTER)


def test_a_compiled_template_is_kept_until_a_new_version_comes(connection, clock):
    template_id, _ = save_template(connection, clock, "news", 1, LETTER)
    first = load(connection, template_id)
    assert load(connection, template_id) is first
    save_template(connection, clock, "news", 1, TemplateContent(subject="Other", html=BODY))
    assert load(connection, template_id).version == 2
    assert load(connection, template_id, 1) is first
    with pytest.raises(NotFound):
        load(connection, 999)


def test_the_list_comes_in_pages(connection, clock):
    for number in range(3):
        save_template(connection, clock, f"news {number}", 1, LETTER)
    first = list_templates(connection, limit=2)
    assert [t.name for t in first] == ["news 0", "news 1"] and first[0].subject == "News"
    assert [t.name for t in list_templates(connection, after=first[-1].id)] == ["news 2"]
    assert [t.name for t in list_templates(connection, search="NEWS 1")] == ["news 1"]
    assert list_templates(connection, channel=2) == []


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "shape", ["{% raw %}", "{{ ", "{", "{% ", "<a ", "<!--", "<", "<!a", "<div>", "<mj-x>", "{% if a %}"]
)
def test_a_shape_that_would_keep_parsers_busy_for_hours_is_refused_at_once(connection, clock, shape):
    body = BODY + "<style>p { color: red }</style>"
    html = body + shape * ((400_000 - len(body)) // len(shape))
    with pytest.raises(SojournError):
        save_template(connection, clock, "news", 1, TemplateContent(subject="x", html=html))
