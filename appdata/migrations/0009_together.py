"""Several calls in one round trip, and policies in the order in which they mostly hold."""

from django.db import migrations

from dotplatform.database.sql_files import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("appdata", "0008_fewer_steps"), ("apps_registry", "0005_one_index_of_people")]

    operations = [run_sql_file(__file__, "0009_together")]
