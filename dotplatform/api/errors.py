"""Every way an API request can fail: a code, a status, and a message in both languages."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop as _

MAINTENANCE_RETRY_S = 300
UNAVAILABLE_RETRY_S = 2


def in_both_languages(message: str | Promise, params: dict[str, Any] | None = None) -> dict[str, str]:
    """``{"message": English, "message_ko": Korean}`` of one catalogue entry with its placeholders filled."""
    texts = {}
    for member, language in (("message", "en"), ("message_ko", "ko")):
        with translation.override(language):
            text = gettext(message) if type(message) is str else str(message)
            texts[member] = text % params if params else text
    return texts


class ApiError(Exception):
    """An answer that is not a success. Subclasses fix *status*, *code* and the default *message* (a msgid)."""

    status = 500
    code = "INTERNAL_ERROR"
    message: str | Promise = _("Something went wrong on our side. Try again; if it stays, tell the operator.")

    def __init__(
        self,
        message: str | Promise | None = None,
        *,
        params: dict[str, Any] | None = None,
        details: Any = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message or self.message)
        self.text = message or self.message
        self.params = params
        self.details = details
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The envelope's ``error`` member."""
        error: dict[str, Any] = {"code": self.code, **in_both_languages(self.text, self.params)}
        if self.details is not None:
            error["details"] = self.details
        return error


class BadRequest(ApiError):
    status, code = 400, "BAD_REQUEST"
    message = _("The request cannot be understood.")


class InvalidJSON(ApiError):
    status, code = 400, "INVALID_JSON"
    message = _("The body is not valid JSON.")


class ValidationFailed(ApiError):
    """*details* maps each field (or JSON path) to a list of ``{"message", "message_ko"}``."""

    status, code = 400, "VALIDATION_ERROR"
    message = _("Some fields are not valid; see details.")

    @classmethod
    def of(cls, field: str, message: str | Promise, params: dict[str, Any] | None = None) -> ValidationFailed:
        """An error about one *field*."""
        return cls(details={field: [in_both_languages(message, params)]})


class Unauthorized(ApiError):
    status, code = 401, "UNAUTHORIZED"
    message = _("Send a valid access token or launch token: Authorization: Bearer …")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers.setdefault("WWW-Authenticate", 'Bearer realm="dot"')


class Forbidden(ApiError):
    status, code = 403, "FORBIDDEN"
    message = _("These credentials do not allow that.")


class NotGranted(Forbidden):
    """The person granted this app something on another app's data, but not this."""

    message = _(
        "The person has not granted this app %(permission)s. Ask for it in the manifest's req_permissions; they grant "
        "it when they install the app, or on its settings page."
    )

    def __init__(self, permission: str) -> None:
        super().__init__(params={"permission": permission}, details={"required_permission": permission})


class NotFound(ApiError):
    status, code = 404, "NOT_FOUND"
    message = _("There is nothing here, or not for you.")


class MethodNotAllowed(ApiError):
    status, code = 405, "METHOD_NOT_ALLOWED"
    message = _("This address does not take that method; see the Allow header.")


class NotAcceptable(ApiError):
    status, code = 406, "NOT_ACCEPTABLE"
    message = _("The answer is not available in the asked-for form.")


class Conflict(ApiError):
    status, code = 409, "CONFLICT"
    message = _("That contradicts what is there already.")


class ResyncRequired(ApiError):
    status, code = 410, "RESYNC_REQUIRED"
    message = _("Changes that old are no longer kept. List everything again and go on from its head.")


class LengthRequired(ApiError):
    status, code = 411, "LENGTH_REQUIRED"
    message = _("Send a Content-Length; the server in front does not take bodies in chunks.")


class PreconditionFailed(ApiError):
    status, code = 412, "PRECONDITION_FAILED"
    message = _("Somebody else changed it meanwhile; details holds the current state.")


class TooLarge(ApiError):
    status, code = 413, "PAYLOAD_TOO_LARGE"
    message = _("The body is larger than allowed here.")


class UriTooLong(ApiError):
    status, code = 414, "URI_TOO_LONG"
    message = _("The address is too long; put what is long into the body.")


class UnsupportedMediaType(ApiError):
    status, code = 415, "UNSUPPORTED_MEDIA_TYPE"
    message = _("This address does not take that Content-Type.")


class IdempotencyKeyReused(ApiError):
    status, code = 422, "IDEMPOTENCY_KEY_REUSED"
    message = _("That Idempotency-Key came with another body before. Give every request a key of its own.")


class HeadersTooLarge(ApiError):
    status, code = 431, "HEADERS_TOO_LARGE"
    message = _("The request has too many headers, or too long ones.")


class RateLimited(ApiError):
    status, code = 429, "RATE_LIMITED"
    message = _("Too many requests. Wait as long as Retry-After says.")

    def __init__(self, retry_after_s: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.headers.setdefault("Retry-After", str(max(1, retry_after_s)))


class Maintenance(ApiError):
    status, code = 503, "MAINTENANCE"
    message = _("The platform is being maintained and will be back soon.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers.setdefault("Retry-After", str(MAINTENANCE_RETRY_S))


class Unavailable(ApiError):
    """A part that the request needs (the database, the storage) does not answer right now."""

    status, code = 503, "UNAVAILABLE"
    message = _("The platform cannot reach a part of itself right now. Try again in a moment.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers.setdefault("Retry-After", str(UNAVAILABLE_RETRY_S))


class QuotaExceeded(ApiError):
    status, code = 507, "QUOTA_EXCEEDED"
    message = _("There is no room left for this app's data. Delete something; reading and deleting still work.")
