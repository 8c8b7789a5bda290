"""Backups: the database and the bundles together in one file, and back. docs/design/backup.md says why it is so."""
