from pathlib import Path

from django.db import migrations

REQUESTS = Path(__file__).resolve().parent.parent / "sql" / "requests.sql"


class Migration(migrations.Migration):
    dependencies = [("metrics", "0005_dashboards")]
    operations = [
        migrations.RunSQL(
            REQUESTS.read_text(),
            "DROP FUNCTION metrics_count_requests(text, text, int, bigint[], float8); DROP TABLE metric_requests",
        )
    ]
