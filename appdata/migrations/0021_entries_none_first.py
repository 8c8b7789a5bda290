"""What refuses changes to entries looks first whether another app asks at all."""

from django.db import migrations

from dotplatform.database.rewording import consents_look_for_none_first


class Migration(migrations.Migration):
    dependencies = [("appdata", "0020_put_many")]

    operations = [consents_look_for_none_first("app_data", insert=("write",), update=("write",), delete=("delete",))]
