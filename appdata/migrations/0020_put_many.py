"""Groups of writes that wait for their first alone, and batches that look for room before they write."""

from django.db import migrations

from dotplatform.database.sql_files import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("appdata", "0019_put_all")]

    operations = [run_sql_file(__file__, "0020_put_many")]
