"""The policies of ``app_data_receipts`` compare texts: less to do for each row."""

from django.db import migrations

from dotplatform.database.rewording import policies_compare_texts


class Migration(migrations.Migration):
    dependencies = [("appdata", "0013_discarded_compare_texts")]

    operations = [policies_compare_texts("app_data_receipts")]
