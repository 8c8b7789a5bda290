"""A batch writes out each value as text once, to count its bytes."""

from django.db import migrations

from dotplatform.database.sql_files import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("appdata", "0010_quicker_batches")]

    operations = [
        run_sql_file(__file__, "0011_values_written_once", replaced={"0010_quicker_batches": ["dot_run_steps"]})
    ]
