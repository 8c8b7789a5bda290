from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"

# Rollups made before: the finest level of minutes holds everything that the others do, which are made anew from it.
REBUILD = """
DO $$
DECLARE
    present date;
BEGIN
    DELETE FROM metric_rollups WHERE seconds > 60 OR device = '*';
    CREATE TEMPORARY TABLE earlier ON COMMIT DROP AS SELECT * FROM metric_rollups;
    DELETE FROM metric_rollups;
    FOR present IN SELECT DISTINCT (start AT TIME ZONE 'UTC')::date FROM earlier ORDER BY 1 LOOP
        PERFORM metrics_spread(array_agg(
            ROW(
                start, name, app_id, release, route, device, cell.key, cell.count,
                CASE cell.number WHEN 1 THEN total ELSE 0 END, lowest, highest,
                CASE cell.number WHEN 1 THEN good ELSE 0 END,
                CASE cell.number WHEN 1 THEN fair ELSE 0 END,
                CASE cell.number WHEN 1 THEN poor ELSE 0 END
            )::metric_change
        ))
        FROM earlier, unnest(keys, counts) WITH ORDINALITY AS cell(key, count, number)
        WHERE (start AT TIME ZONE 'UTC')::date = present;
    END LOOP;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("metrics", "0006_requests")]
    operations = [
        # New platforms have the column from 0002 on.
        migrations.RunSQL(
            "ALTER TABLE metric_rollups ADD COLUMN IF NOT EXISTS marks smallint[] NOT NULL DEFAULT '{}';"
            " DROP FUNCTION IF EXISTS metrics_roll_up_minutes(timestamptz[]);"
            " DROP FUNCTION IF EXISTS metrics_roll_up_coarser(int, int, text, timestamptz[])",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            (SQL / "spread.sql").read_text(),
            "DROP FUNCTION metrics_changes(timestamptz[]); DROP FUNCTION metrics_spread(metric_change[]);"
            " DROP TYPE metric_change;"
            " DROP FUNCTION metrics_told(smallint, bigint, float8, float8, float8)",
        ),
        migrations.RunSQL((SQL / "roll_up.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunSQL(REBUILD, migrations.RunSQL.noop),
    ]
