"""What refuses changes to installations looks first whether another app asks at all."""

from django.db import migrations

from dotplatform.database.rewording import consents_look_for_none_first


class Migration(migrations.Migration):
    dependencies = [("apps_registry", "0010_installations_one_policy")]

    operations = [consents_look_for_none_first("user_apps", update=("write", "delete"))]
