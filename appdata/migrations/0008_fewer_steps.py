"""Lists that read no more than their page, and batches in one statement."""

from django.db import migrations

from dotplatform.database.sql_files import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("appdata", "0007_sharing")]

    operations = [
        run_sql_file(
            __file__,
            "0008_fewer_steps",
            replaced={
                "0002_entries": ["dot_list_entries"],
                "0003_batch": ["dot_plan_steps", "dot_batch", "dot_failed_step"],
                "0007_sharing": ["dot_apply_steps"],
                "0005_import": ["dot_import_entries", "dot_finish_import"],
            },
        )
    ]
