"""From what an author wrote to what a recipient gets."""

import re
from html.parser import HTMLParser

import pytest

from sojourn.templates import LinkFactory, RenderError, TemplateContent, compile_text, validate_text, variables_of
from sojourn.templates.compiled import CompiledTemplate
from sojourn.templates.links import Numbering, rewrite_html
from sojourn.templates.markup import html_of
from sojourn.templates.plaintext import text_of

FACTORY = LinkFactory("https://t.test", b"k" * 32)
LINKS = FACTORY.of(7, 1234, 2)
STOP = '<a href="{{ unsubscribe_url }}">Stop</a>'


def letter(html, subject="Hi", **parts):
    return CompiledTemplate(1, 1, "news", 1, False, TemplateContent(subject=subject, html=html, **parts))


def hrefs(html):
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag == "a":
                found.append(dict(attrs).get("href"))

    Reader().feed(html.decode())
    return found


def test_links_get_numbers_and_the_rest_of_the_source_stays_as_it_was():
    source = (
        "<TABLE>\n{% for p in api.items %}<tr>\n<td  class=x><a title='a > b' HREF = 'https://shop.test/a?b=1&amp;c=2' >A</a></td>{% endfor %}</TABLE>"
        + STOP
    )
    tracked = rewrite_html(source, Numbering())
    assert tracked.startswith(source.split("https")[0] + "{{ _click }}/1' >A</a></td>{% endfor %}</TABLE>" + STOP)


def test_each_kind_of_link_is_tracked_in_its_own_way():
    compiled = letter(
        '<a href="https://shop.test/?utm_source=mail&amp;x=1">1</a><a href="https://shop.test/?e={{ profile.email }}#top">2</a>'
        '<a href="{{ api.url }}">3</a>{% for p in api.items %}<a href="https://shop.test/{{ p.slug }}?n={{ p.name }}">4</a>{% endfor %}'
        '<a href="mailto:a@b.test">5</a><a href="#top">6</a><a>7</a><a href="tel:+7">8</a><a href="{{ opt_in_url }}">9</a><a href="{{web_version_url}}">10</a>'
        + STOP
    )
    assert [(link.address, link.kind) for link in compiled.links] == [
        ("https://shop.test/?utm_source=mail&x=1", "static"),
        ("https://shop.test/?e={{ profile.email | url_encode }}#top", "rendered"),
        ("{{ api.url }}", "signed"),
        ("https://shop.test/{{ p.slug }}?n={{ p.name | url_encode }}", "signed"),
    ]
    context = {
        "profile": {"email": "a@b.test"},
        "api": {"url": "https://x.test/?a=1&b=<2>", "items": [{"slug": "shoes", "name": "Ж&Ж"}]},
    }
    one, two, three, four, *others = hrefs(compiled.render(context, LINKS).html)
    assert (one, two) == (f"{LINKS.click_base}/1", f"{LINKS.click_base}/2")
    token = LINKS.click_base.rpartition("/")[2]
    assert FACTORY.read_destination(token, 3, three.rpartition("/")[2]) == "https://x.test/?a=1&b=<2>"
    assert FACTORY.read_destination(token, 4, four.rpartition("/")[2]) == "https://shop.test/shoes?n=%D0%96%26%D0%96"
    assert others == [
        "mailto:a@b.test",
        "#top",
        None,
        "tel:+7",
        LINKS.opt_in_url,
        LINKS.web_version_url,
        LINKS.unsubscribe_url,
    ]


def test_a_signed_destination_fits_its_message_and_number_only():
    signed = LINKS.destination(3, "https://x.test/").rpartition("/")[2]
    token = LINKS.click_base.rpartition("/")[2]
    assert FACTORY.read_destination(token, 3, signed) == "https://x.test/"
    assert FACTORY.read_destination(token, 4, signed) is None
    assert FACTORY.read_destination(FACTORY.of(7, 1234, 3).click_base.rpartition("/")[2], 3, signed) is None
    assert FACTORY.read_destination(token, 3, "AAAA") is None and FACTORY.read_destination(token, 3, "ы") is None


def test_an_address_from_data_that_is_no_web_address_is_left_alone():
    assert hrefs(letter('<a href="{{ api.url }}">x</a>').render({"api": {"url": "mailto:a@b.test"}}, LINKS).html) == [
        "mailto:a@b.test"
    ]


def test_buttons_for_outlook_are_tracked_too():
    html = (
        letter(
            '<!--[if mso]><v:roundrect href="https://shop.test/"></v:roundrect><![endif]--><!-- <a href="https://old.test/"> -->'
        )
        .render({}, LINKS)
        .html.decode()
    )
    assert f'<v:roundrect href="{LINKS.click_base}/1">' in html and "https://old.test/" in html


def test_liquid_that_is_printed_raw_stays_raw():
    html = letter('{% raw %}<a href="https://shop.test/">{{ x }}</a>{% endraw %}').render({}, LINKS).html
    assert b'<a href="https://shop.test/">{{ x }}</a>' in html


def test_the_picture_stands_before_the_end_of_the_body():
    html = letter("<html><body><p>x</p></body></html>").render({}, LINKS).html.decode()
    assert re.search(r'<img src="https://t\.test/o/[\w-]{35}\.gif"[^>]*></body></html>$', html)
    assert letter("<p>x</p>").render({}, LINKS).html.decode().endswith(">")


def test_values_are_escaped_in_html_only_and_lines_end_as_mail_wants():
    rendered = letter(
        "<p>\n{{ profile.first_name }}</p>" + STOP,
        subject="Hi {{ profile.first_name }}",
        text="\n{{ profile.first_name }}",
    ).render({"profile": {"first_name": "<b>\nБоб"}}, LINKS)
    assert rendered.html.startswith("<p>\r\n&lt;b&gt;\r\nБоб</p>".encode())
    assert rendered.subject == "Hi <b> Боб" and rendered.text == "\r\n<b>\r\nБоб".encode()


def test_styles_move_into_elements_without_moving_anything_else():
    source = (
        "<style>td { color: red } td:hover { color: blue } .x { margin: 0 }</style><table>{% for p in api.items %}<tr><td style='width: {{ p.w }}px'>{{ p.name }}</td></tr>{% endfor %}</table>"
        '<p class="x" {% if a %}id="y"{% endif %}>1</p><p class=x style="{% if a %}top:0{% endif %}">2</p><link rel="stylesheet" href="https://evil.test/x.css">'
    )
    html = html_of(source, None)
    assert re.search(
        r"\{% for p in api.items %\}<tr><td style=\"color: red;\s*width: \{\{ p.w \}\}px;?\">\{\{ p.name \}\}</td></tr>\{% endfor %\}</table>",
        html,
    )
    assert (
        '<p style="margin: 0;" class="x" {% if a %}id="y"{% endif %}>1</p><p class=x style="{% if a %}top:0{% endif %}">2</p>'
        in html
    )
    assert "td:hover" in html


def test_mjml_is_compiled_with_its_liquid_in_place():
    source = """<mjml><mj-head><mj-style inline="inline">.big { font-weight: 800 }</mj-style></mj-head><mj-body>
      {% for p in api.items %}<mj-section><mj-column>{% if p.n > 1 %}<mj-text><b class="big">{{ p.name | default: "x" }}</b>{% if a < 2 %}!{% endif %}</mj-text>{% endif %}
      <mj-button href="https://shop.test/?id={{ p.id }}">Go</mj-button></mj-column></mj-section>{% endfor %}
      <mj-section><mj-column><mj-text><a href="{{ unsubscribe_url }}">Stop</a></mj-text></mj-column></mj-section></mj-body></mjml>"""
    compiled = letter(None, mjml=source)
    html = compiled.render(
        {"api": {"items": [{"n": 2, "name": "Shoes & co", "id": 1}, {"n": 1, "id": 2}]}, "a": 1}, LINKS
    ).html.decode()
    assert re.search(r'<b style="font-weight: 800;" class="big">Shoes &amp; co</b>!', html)
    assert html.count(">Go</a>") == 2 and "qqliquid" not in html and "{%" not in html and LINKS.unsubscribe_url in html


def test_the_text_of_a_letter_is_readable_and_keeps_its_links():
    html = """<html><head><title>t</title><style>p{}</style></head><body><h1>News &amp; more</h1><p>Hi&nbsp;{{ profile.first_name | default: "you" }},<br>two   lines</p>
      <ul>{% for p in api.items %}<li><a href="{{ p.url }}">{{ p.name }}</a></li>{% endfor %}</ul><table><tr><td>a</td><td>b</td></tr></table>
      <a href="https://shop.test/?a=1&amp;b=2"><img src="x.png" alt="Shop"></a> <a href="https://bare.test/">https://bare.test/</a></body></html>"""
    text = text_of(html)
    assert text.startswith('News & more\n\nHi {{ profile.first_name | default: "you" }},\ntwo lines\n\n')
    assert "- {{ p.name }} ({{ p.url }})" in text and "\na b\n" in text
    assert "Shop (https://shop.test/?a=1&b=2) https://bare.test/" in text
    rendered = letter(html + STOP).render({"api": {"items": [{"url": "https://x.test/1", "name": "Shoes"}]}}, LINKS)
    assert (
        f"Shop ({LINKS.click_base}/2)" in rendered.text.decode()
        and "Shoes (https://x.test/1)" in rendered.text.decode()
    )
    assert f"Stop ({LINKS.unsubscribe_url})" in rendered.text.decode()


def test_which_data_a_template_needs_is_known_before_it_is_rendered():
    compiled = letter(
        "{{ profile.first_name }}{{ profile.city }}{% if promo.code %}{{ promo.code }}{% endif %}",
        subject="{{ profile._bdate }} {{ profile.id }}",
    )
    assert compiled.fields == {"_fname", "city", "_bdate"} and not compiled.all_fields
    assert compiled.uses_promo and compiled.uses == {"profile", "promo"}
    assert letter("{% assign p = profile %}{{ p.x }}").all_fields
    assert variables_of("{{ profile.email }}").fields == {"email"}


def test_a_preview_leads_where_the_author_said():
    compiled = letter('<a href="https://shop.test/">Shop</a>' + STOP)
    preview = compiled.preview({"profile": {}})
    assert preview.html == b'<a href="https://shop.test/">Shop</a><a href="#">Stop</a>'


def test_rendering_never_changes_the_context():
    context = {"profile": {"x": 1}}
    letter("{% assign profile = 2 %}{{ profile }}" + STOP).render(context, LINKS)
    assert context == {"profile": {"x": 1}}


def test_data_that_do_not_fit_are_an_error_with_a_sentence():
    with pytest.raises(RenderError) as error:
        letter("{{ 1 | divided_by: profile.zero }}").render({"profile": {"zero": 0}}, LINKS)
    assert error.value.code == "render" and error.value.place == "html"


def test_a_text_message_is_plain_text():
    compiled = CompiledTemplate(
        1, 1, "sms", 2, False, TemplateContent(text="Hi {{ profile.first_name }}\n{{ unsubscribe_url }}")
    )
    assert (
        compiled.render({"profile": {"first_name": "<A>"}}, LINKS).text.decode() == f"Hi <A>\n{LINKS.unsubscribe_url}"
    )


def test_other_texts_are_checked_and_rendered():
    assert compile_text("https://x.test/?q={{ a }}", escape="url")({"a": "1&2"}) == "https://x.test/?q=1%262"
    (problem,) = validate_text("a\n{{ x | }}", "body")
    assert problem.place.startswith("body:2:")
    assert validate_text("{{ a }}") == []
