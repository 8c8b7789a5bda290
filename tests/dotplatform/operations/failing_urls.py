"""Views that fail, to see what an error report holds."""

from __future__ import annotations

import logging

from django.db import IntegrityError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def boom(request: HttpRequest, **kwargs: str) -> HttpResponse:
    """Log things one should not log, then fail."""
    password = request.POST.get("password", "")
    logging.getLogger("careless").warning("signing in with password=%s and Bearer %s", password, "dot_pat_loggedlogged")
    row = request.POST.get("email", "")
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_session VALUES (%s, %s, NULL)", [row, row])
    except IntegrityError:
        logging.getLogger("careless").exception("not saved")
    raise RuntimeError(f"cannot reach https://user:hunter2@hooks.example.com/?token=urltoken for {password[:0]}")


urlpatterns = [path("boom/<str:app_id>", boom), path("api/boom/<str:app_id>", boom)]
