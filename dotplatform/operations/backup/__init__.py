"""Backups: the database and the bundles in one file, and back again. Why it is made this way: docs/design/backup.md."""
