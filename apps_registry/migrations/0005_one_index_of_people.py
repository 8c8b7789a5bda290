"""The unique constraint's index begins with the person: one of the person alone was only kept up to date.

By SQL, since Django would drop the foreign key too and check every row to make it again.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("apps_registry", "0004_sharing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(
            'DROP INDEX IF EXISTS "user_apps_user_id_788a5d54"',
            'CREATE INDEX "user_apps_user_id_788a5d54" ON "user_apps" ("user_id")',
            state_operations=[
                migrations.AlterField(
                    model_name="installation",
                    name="user",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="installations",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
        ),
    ]
