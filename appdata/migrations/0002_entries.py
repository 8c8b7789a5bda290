"""One SQL function for each thing that can be done to an entry."""

from django.db import migrations

from dotplatform.database.sql_files import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("appdata", "0001_initial")]

    operations = [run_sql_file(__file__, "0002_entries")]
