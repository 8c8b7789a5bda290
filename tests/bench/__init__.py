"""`make bench`: how fast the hot paths are, beside the database alone doing the same SQL in the same run.

Only ratios inside one run mean anything: disks and neighbours swing by a factor of two. ``__main__.py`` says how to
call it; ``stage.py`` sets up a database and servers of its own, ``scenes.py`` says what is asked, ``drive.py`` asks,
``rounds.py`` lets all take turns and keeps what was measured.
"""
