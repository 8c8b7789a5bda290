"""Wants the table of apps for itself, as `ADD COLUMN` does."""

from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL("ALTER TABLE apps ADD COLUMN moving integer", "ALTER TABLE apps DROP COLUMN moving"),
    ]
