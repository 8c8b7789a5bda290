"""Works on its table for longer than the test allows."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("moving", "0001_initial")]

    operations = [migrations.RunSQL("SELECT pg_sleep(20)", migrations.RunSQL.noop)]
