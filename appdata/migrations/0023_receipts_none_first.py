"""What refuses changes to receipts looks first whether another app asks at all."""

from django.db import migrations

from dotplatform.database.rewording import consents_look_for_none_first


class Migration(migrations.Migration):
    dependencies = [("appdata", "0022_tombstones_none_first")]

    operations = [
        consents_look_for_none_first(
            "app_data_receipts", insert=("read", "write", "delete"), update=("read", "write", "delete")
        )
    ]
