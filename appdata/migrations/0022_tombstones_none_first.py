"""What refuses changes to tombstones looks first whether another app asks at all."""

from django.db import migrations

from dotplatform.database.rewording import consents_look_for_none_first


class Migration(migrations.Migration):
    dependencies = [("appdata", "0021_entries_none_first")]

    operations = [consents_look_for_none_first("app_data_tombstones", insert=("delete",), delete=("write",))]
