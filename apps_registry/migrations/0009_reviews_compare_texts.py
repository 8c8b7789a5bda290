"""The policies of ``app_reviews`` compare texts: less to do for each row."""

from django.db import migrations

from dotplatform.database.rewording import policies_compare_texts


class Migration(migrations.Migration):
    dependencies = [("apps_registry", "0008_installations_compare_texts")]

    operations = [policies_compare_texts("app_reviews")]
