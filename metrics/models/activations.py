"""When which release of an app began to be served: the lines in the load time charts."""

from __future__ import annotations

from django.db import models

from dotplatform.database.identifiers import uuid7


class Activation(models.Model):
    """From *at* on, people open *release* (its version) of *app_id*."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    app_id = models.TextField()
    release = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "metric_activations"
        indexes = [models.Index(fields=["app_id", "at"], name="metric_activations_app")]

    def __str__(self) -> str:
        return f"{self.app_id} {self.release}"
