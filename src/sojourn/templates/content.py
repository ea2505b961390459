"""What an author gives for one version of a template."""

from __future__ import annotations

from dataclasses import asdict, dataclass

EMAIL, SMS = 1, 2


@dataclass(frozen=True, slots=True)
class TemplateContent:
    """E-mail: `subject`, and `html` or `mjml`; `text` is made from the HTML if empty; sender fields override the resource's.
    SMS: `text`. All texts are Liquid."""

    subject: str | None = None
    html: str | None = None
    mjml: str | None = None
    text: str | None = None
    from_name: str | None = None
    from_email: str | None = None
    reply_to: str | None = None

    def cleaned(self) -> TemplateContent:
        """The same with empty texts as None."""
        return TemplateContent(**{name: value or None for name, value in asdict(self).items()})
