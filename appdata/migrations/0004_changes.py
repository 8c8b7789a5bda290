"""The change feed's SQL functions."""

from django.db import migrations

from dotplatform.database.sql_files import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("appdata", "0003_batch")]

    operations = [run_sql_file(__file__, "0004_changes")]
