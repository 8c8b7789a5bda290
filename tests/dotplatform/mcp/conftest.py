"""Publishers, tokens and a storage of each test's own, as the registry's tests have them."""

from __future__ import annotations

from tests.apps_registry.conftest import publisher, storage, token  # noqa: F401
