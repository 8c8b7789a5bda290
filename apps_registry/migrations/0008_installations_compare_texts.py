"""The policies of ``user_apps`` compare texts: less to do for each row."""

from django.db import migrations

from dotplatform.database.rewording import policies_compare_texts


class Migration(migrations.Migration):
    dependencies = [("apps_registry", "0007_known_status_validated")]

    operations = [policies_compare_texts("user_apps")]
