from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("metrics", "0008_delivery_attempts")]
    operations = [
        migrations.RunSQL(
            (SQL / "keep_samples.sql").read_text(),
            "DROP FUNCTION metrics_keep_samples(json, date[], uuid[], text[], int[], float8[])",
        ),
    ]
