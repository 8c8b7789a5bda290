"""One policy lets rows of ``user_apps`` through, whatever is done to them: less to set up for each statement."""

from django.db import migrations

from dotplatform.database.rewording import consents_only_refuse


class Migration(migrations.Migration):
    dependencies = [("apps_registry", "0009_reviews_compare_texts")]

    operations = [consents_only_refuse("user_apps", update=("write", "delete"))]
