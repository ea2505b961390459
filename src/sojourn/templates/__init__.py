"""Templates of letters and text messages: Liquid and MJML, compiled once per version, rendered for each recipient in microseconds."""

from sojourn.templates.addresses import LinkFactory, MessageLinks
from sojourn.templates.compiled import CompiledTemplate, Rendered, RenderError, Variables
from sojourn.templates.content import TemplateContent
from sojourn.templates.links import Link
from sojourn.templates.store import Template, TemplateSummary, find, get, list_templates, load, save_template
from sojourn.templates.texts import compile_text, validate_text, variables_of

__all__ = [
    "CompiledTemplate", "Link", "LinkFactory", "MessageLinks", "RenderError", "Rendered", "Template", "TemplateContent", "TemplateSummary",
    "Variables", "compile_text", "find", "get", "list_templates", "load", "save_template", "validate_text", "variables_of",
]  # fmt: skip
