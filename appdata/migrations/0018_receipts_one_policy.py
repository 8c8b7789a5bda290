"""One policy lets rows of ``app_data_receipts`` through, whatever is done to them: less to set up for each statement."""

from django.db import migrations

from dotplatform.database.rewording import consents_only_refuse


class Migration(migrations.Migration):
    dependencies = [("appdata", "0017_tombstones_one_policy")]

    operations = [
        consents_only_refuse(
            "app_data_receipts", insert=("read", "write", "delete"), update=("read", "write", "delete")
        )
    ]
