"""Recounting, for the nightly look at the counters."""

from django.db import migrations

from dotplatform.database.sql_files import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("appdata", "0005_import_and_limits")]

    operations = [run_sql_file(__file__, "0006_recount")]
