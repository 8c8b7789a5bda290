# Fed to `manage.py shell` of the revision under test, so that its own models say what a row needs.
# In: DOT_BENCH = {"people": [[id, token], …], "app": …, "keys": …, "value": …}. Safe to run again.
import hashlib
import json
import os

from django.db import connection

from appdata.models import Entry
from apps_registry.models import App, Installation
from dotplatform.accounts.models import AccessToken, User
from dotplatform.database.doors import as_operator

given = json.loads(os.environ["DOT_BENCH"])
app, _ = App.objects.get_or_create(app_id=given["app"], defaults={"name": "Notes"})
with as_operator():
    for number, (person, token) in enumerate(given["people"]):
        user, _ = User.objects.get_or_create(pk=person, defaults={"email": f"bench-{number}@example.com"})
        Installation.objects.get_or_create(user=user, app=app)
        AccessToken.objects.filter(user=user).delete()
        AccessToken.objects.create(
            user=user,
            name="bench",
            hint="….",
            digest=hashlib.sha256(token.encode()).digest(),
            scopes=["data:read", "data:write", "data:delete"],
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {Entry._meta.db_table}"
                " (id, user_id, app_id, key, value, revision, bytes, created_at, updated_at)"
                " SELECT gen_random_uuid(), %s, %s, 'note-' || lpad(k::text, 6, '0'), %s::jsonb, k + 1,"
                " octet_length(%s::jsonb::text) + 11, now(), now() FROM generate_series(0, %s - 1) AS k"
                " ON CONFLICT DO NOTHING",
                [person, given["app"], given["value"], given["value"], given["keys"]],
            )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE user_apps i SET data_keys = n, data_bytes = b, revision = greatest(i.revision, r) FROM"
            " (SELECT user_id, app_id, count(*) n, sum(bytes) b, max(revision) r FROM app_data GROUP BY 1, 2) AS e"
            " WHERE e.user_id = i.user_id AND e.app_id = i.app_id"
        )
with connection.cursor() as cursor:
    cursor.execute("VACUUM ANALYZE")
