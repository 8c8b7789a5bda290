"""``manage.py seed_demo``: something to look at, on a development platform."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dotplatform.operations.demo import (
    EMAILS,
    PASSWORD,
    create_person,
    demo_people,
    install_apps,
    publish_samples,
    store_a_day_of_metrics,
)


class Command(BaseCommand):
    help = "Sample apps, three people and a day of metrics, for development. May run again: what is there stays."

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        if settings.DOT_ENV != "development":
            raise CommandError(
                "seed_demo creates people with a known password, so it runs in development only."
                f" This is DOT_ENV={settings.DOT_ENV}."
            )
        now = timezone.now()
        people = demo_people(now)
        users = [create_person(person) for person in people]
        published = publish_samples(owner=users[0])
        for person, user in zip(people, users, strict=True):
            install_apps(person, user)
        store_a_day_of_metrics(now)
        if verbosity > 0:
            for release in published:
                self.stdout.write(f"Published {release}")
            self.stdout.write(f"Sign in as {', '.join(EMAILS)}\nPassword   {PASSWORD}")
