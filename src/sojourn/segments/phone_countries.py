"""Which country a phone number in E.164 belongs to, as something that SQL can ask: the rules are those of libphonenumber.

Most countries have a calling code of their own. Where several share one (+1, +7, +44, …), the first of them whose numbers look so is meant.
"""

from __future__ import annotations

from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata

COUNTRIES: tuple[str, ...] = tuple(sorted(phonenumbers.SUPPORTED_REGIONS))
"""ISO 3166-1 codes of two letters."""
_KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")  # fmt: skip


@cache
def number_patterns(country: str) -> tuple[str, str | None]:
    """A regular expression that the country's numbers match, and one that they do not match where the calling code is shared."""
    code = phonenumbers.country_code_for_region(country)
    sharing = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    if len(sharing) == 1:
        return rf"^\+{code}", None
    earlier = [_pattern(code, other) for other in sharing[: sharing.index(country)]]
    return _pattern(code, country), "|".join(earlier) or None


def _pattern(code: int, country: str) -> str:
    metadata = PhoneMetadata.metadata_for_region(country, None)
    if metadata is None:  # the library knows all countries that it lists
        raise AssertionError(country)
    if metadata.leading_digits:
        return rf"^\+{code}(?:{metadata.leading_digits})"
    kinds = (getattr(metadata, kind) for kind in _KINDS)
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None and kind.national_number_pattern]
    return rf"^\+{code}(?:{'|'.join(dict.fromkeys(patterns))})$"
