"""Views that fail, to see what an error report holds."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def boom(request: HttpRequest, **kwargs: str) -> HttpResponse:
    """Log things one should not log, then fail."""
    password = request.POST.get("password", "")
    logging.getLogger("careless").warning("signing in with password=%s and Bearer %s", password, "dot_pat_loggedlogged")
    raise RuntimeError(f"cannot reach https://user:hunter2@hooks.example.com/?token=urltoken for {password[:0]}")


urlpatterns = [path("boom/<str:app_id>", boom), path("api/boom/<str:app_id>", boom)]
