"""One policy lets rows of ``app_data_tombstones`` through, whatever is done to them: less to set up for each statement."""

from django.db import migrations

from dotplatform.database.rewording import consents_only_refuse


class Migration(migrations.Migration):
    dependencies = [("appdata", "0016_entries_one_policy")]

    operations = [consents_only_refuse("app_data_tombstones", insert=("delete",), delete=("write",))]
