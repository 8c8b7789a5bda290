"""The policies of ``app_data`` compare texts: less to do for each row."""

from django.db import migrations

from dotplatform.database.rewording import policies_compare_texts


class Migration(migrations.Migration):
    dependencies = [("appdata", "0011_values_written_once")]

    operations = [policies_compare_texts("app_data")]
