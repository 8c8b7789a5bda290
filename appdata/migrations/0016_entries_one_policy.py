"""One policy lets rows of ``app_data`` through, whatever is done to them: less to set up for each statement."""

from django.db import migrations

from dotplatform.database.rewording import consents_only_refuse


class Migration(migrations.Migration):
    dependencies = [("appdata", "0015_tombstones_compare_texts")]

    operations = [consents_only_refuse("app_data", insert=("write",), update=("write",), delete=("delete",))]
