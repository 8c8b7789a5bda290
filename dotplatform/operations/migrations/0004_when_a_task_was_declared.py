from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("operations", "0003_backups_and_preflight")]

    operations = [
        migrations.AddField(
            model_name="scheduledtask",
            name="created_at",
            field=models.DateTimeField(db_default=Now(), editable=False, verbose_name="created"),
        ),
    ]
