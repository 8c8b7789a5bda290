"""Less to do for each row: policies that compare texts, and a batch that writes out each value once."""

from django.db import migrations

from dotplatform.database.sql_files import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("appdata", "0010_quicker_batches"), ("apps_registry", "0007_known_status_validated")]

    operations = [run_sql_file(__file__, "0011_less_a_row", replaced={"0010_quicker_batches": ["dot_run_steps"]})]
