from pathlib import Path

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

LABEL_SETS = Path(__file__).resolve().parent.parent / "sql" / "label_sets.sql"


def add_the_seeds_rule_and_channel(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """app-load-time above 3000 ms, told to SLACK_WEBHOOK_URL where that is set."""
    apps.get_model("metrics", "AlertRule").objects.get_or_create(
        name="앱 로딩 시간 · App load time",
        defaults={"metric": "app-load-time", "statistic": "each", "threshold": 3000, "severity": 2},
    )
    apps.get_model("metrics", "Channel").objects.get_or_create(name="Slack", kind="slack", target="")


class Migration(migrations.Migration):
    dependencies = [("metrics", "0003_alerts")]
    operations = [
        migrations.RunSQL(
            LABEL_SETS.read_text(),
            "DROP FUNCTION metrics_all_labels(jsonb, text, text, text, text);"
            " DROP FUNCTION metrics_label_set(jsonb, text[])",
        ),
        migrations.RunPython(add_the_seeds_rule_and_channel, migrations.RunPython.noop),
    ]
