from pathlib import Path

from django.db import migrations, models

import dotplatform.database.identifiers

SQL = Path(__file__).resolve().parent.parent / "sql"


def read(name: str) -> str:
    return (SQL / name).read_text()


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    read("tables.sql"), "DROP TABLE platform_metrics, metric_dirty_minutes, metric_budgets"
                )
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Sample",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=dotplatform.database.identifiers.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("day", models.DateField(verbose_name="day")),
                        ("name", models.TextField(verbose_name="name")),
                        ("value", models.FloatField(verbose_name="value")),
                        ("labels", models.JSONField(default=dict, verbose_name="labels")),
                        ("timestamp", models.DateTimeField(verbose_name="time")),
                        (
                            "user_agent",
                            models.TextField(blank=True, default="", verbose_name="browser, system, device"),
                        ),
                        ("url", models.TextField(blank=True, default="", verbose_name="route")),
                        (
                            "rating",
                            models.TextField(
                                blank=True,
                                choices=[
                                    ("good", "good"),
                                    ("needs-improvement", "needs improvement"),
                                    ("poor", "poor"),
                                ],
                                default="",
                                verbose_name="rating",
                            ),
                        ),
                        ("navigation_type", models.TextField(blank=True, default="", verbose_name="navigation type")),
                        (
                            "device",
                            models.TextField(
                                blank=True,
                                choices=[
                                    ("desktop", "desktop"),
                                    ("mobile", "mobile"),
                                    ("tablet", "tablet"),
                                    ("bot", "bot"),
                                    ("other", "other"),
                                ],
                                default="",
                                verbose_name="device",
                            ),
                        ),
                        ("browser", models.TextField(blank=True, default="", verbose_name="browser")),
                        ("system", models.TextField(blank=True, default="", verbose_name="system")),
                        ("app_id", models.TextField(blank=True, default="", verbose_name="app")),
                        ("release", models.TextField(blank=True, default="", verbose_name="release")),
                    ],
                    options={
                        "verbose_name": "sample",
                        "verbose_name_plural": "samples",
                        "db_table": "platform_metrics",
                        "indexes": [models.Index(fields=["timestamp"], name="platform_metrics_timestamp")],
                    },
                ),
            ],
        ),
        migrations.RunSQL(
            read("partitions.sql"),
            "DROP FUNCTION metrics_make_partition(date); DROP FUNCTION metrics_drop_partitions(date)",
        ),
        migrations.RunSQL(read("limiter.sql"), "DROP FUNCTION metrics_draw(text[], int[], float8[])"),
        migrations.RunSQL(read("take_in.sql"), "DROP FUNCTION metrics_take_in(jsonb, text[], int[], float8[])"),
        migrations.RunSQL(
            "SELECT metrics_make_partition((now() AT TIME ZONE 'UTC')::date + n) FROM generate_series(0, 3) AS n",
            migrations.RunSQL.noop,
        ),
    ]
