"""Access: who may do what. Users with passwords and sessions, tokens of the HTTP API, roles, the audit journal, remembered answers."""

from sojourn.access.api_tokens import ApiToken, create_token, ensure_api_token, list_tokens, revoke_token, token_caller
from sojourn.access.audit import note
from sojourn.access.caller import ROLES, Caller, Role, require
from sojourn.access.first_account import FirstAccount, ensure_first_account
from sojourn.access.housekeeping import forget_old
from sojourn.access.login import TooManyAttempts, log_in
from sojourn.access.sessions import SESSION_LIFE, OpenedSession, log_out, session_caller
from sojourn.access.users import create_user, set_language

__all__ = [
    "ROLES", "SESSION_LIFE", "ApiToken", "Caller", "FirstAccount", "OpenedSession", "Role", "TooManyAttempts", "create_token", "create_user", "ensure_api_token",
    "ensure_first_account", "forget_old", "list_tokens", "log_in", "log_out", "note", "require", "revoke_token", "session_caller", "set_language", "token_caller",
]  # fmt: skip
