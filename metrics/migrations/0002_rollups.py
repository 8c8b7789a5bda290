from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


def read(name: str) -> str:
    return (SQL / name).read_text()


class Migration(migrations.Migration):
    dependencies = [("metrics", "0001_initial")]
    operations = [
        migrations.RunSQL(read("rollup_tables.sql"), "DROP TABLE metric_rollups, metric_unwatched_minutes"),
        migrations.RunSQL(
            read("histogram.sql"),
            "DROP FUNCTION metrics_bucket(double precision); DROP FUNCTION metrics_bucket_value(smallint)",
        ),
        migrations.RunSQL(
            read("roll_up.sql"),
            "DROP FUNCTION metrics_roll_up(int);"
            " DROP FUNCTION metrics_make_rollup_partition(timestamptz);"
            " DROP FUNCTION metrics_drop_rollup_partitions(timestamptz)",
        ),
    ]
