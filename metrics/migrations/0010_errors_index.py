from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("metrics", "0009_keep_samples")]
    operations = [
        # Errors are few among the samples: found without reading a month of the others.
        migrations.RunSQL(
            "CREATE INDEX platform_metrics_errors ON platform_metrics (app_id, \"timestamp\") WHERE name = 'app-error'",
            "DROP INDEX platform_metrics_errors",
        ),
    ]
