"""Batches that only put: a statement that looks up, writes, and is set up for nothing else."""

from django.db import migrations

from dotplatform.database.sql_files import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("appdata", "0018_receipts_one_policy")]

    operations = [run_sql_file(__file__, "0019_put_all")]
