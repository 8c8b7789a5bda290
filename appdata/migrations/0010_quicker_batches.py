"""Batches that set up only what they need; lists and batches of several people in one round trip."""

from django.db import migrations

from dotplatform.database.sql_files import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("appdata", "0009_together")]

    operations = [
        run_sql_file(__file__, "0010_quicker_batches", replaced={"0008_fewer_steps": ["dot_run_steps", "dot_batch"]})
    ]
